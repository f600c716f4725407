//! What is in this object?
