//! May this move, what will it do, and why not?
