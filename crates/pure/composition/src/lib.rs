//! Is this Composition right, and what is its plan?
