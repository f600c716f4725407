//! What differs, and does it matter?
