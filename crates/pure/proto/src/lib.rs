//! The function protocol, v1 and v1beta1.
