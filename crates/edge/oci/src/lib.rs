//! How does one talk to a registry?
//!
//! [`Client`] speaks the distribution protocol: [`Client::push`] and [`Client::pull`] move whole packages, [`Client::look`]
//! reads only what is needed to describe one, [`Client::sign`] and [`Client::verify`] keep signatures where cosign does.
//! Credentials come from Docker's configuration. Everything that is read is bounded, and its digest is checked.

mod auth;
mod client;
mod credentials;
mod error;
mod http;
mod look;
mod pull;
mod push;
mod referrers;
mod sign;

pub use client::{Client, Fetched};
pub use credentials::Credentials;
pub use error::Error;
pub use http::Options;
pub use look::{Look, Member};
pub use pull::{Pulled, Which};
pub use push::Pushed;
pub use sign::{Signed, Verified};
