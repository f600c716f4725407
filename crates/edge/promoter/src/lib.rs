//! Gathers what a promotion needs from Git, and performs it.
