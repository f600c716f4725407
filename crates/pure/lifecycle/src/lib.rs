//! Given the world, what should be written?
