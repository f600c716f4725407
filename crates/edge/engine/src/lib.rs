//! Gathers the world, lets lifecycle decide, performs.
