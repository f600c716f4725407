//! What was asked, and what is answered?
