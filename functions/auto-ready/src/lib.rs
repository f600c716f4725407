//! Marks composed resources ready by what is observed of them.
