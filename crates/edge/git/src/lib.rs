//! Trees, commits, refs and pushes.
