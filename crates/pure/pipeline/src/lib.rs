//! What does a pass need next?
