//! What does this expression read, give and cost?
