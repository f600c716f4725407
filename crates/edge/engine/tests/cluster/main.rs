//! The engine on an embedded API server: what it was recorded to do, and what it must never do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "this is a test: what it needs is there, or it fails"
)]

mod api;
mod behaviour;
mod mutual;
mod names;
mod normal;
mod scenarios;
mod script;
mod server;
mod world;
