//! Given the world, what should be written?
//!
//! Every function here takes a snapshot (objects as JSON) and returns the objects as they should be, events to tell,
//! or the reason why nothing can be done. Who reads and who writes is somebody else's business.

pub mod backoff;
pub mod claim;
pub mod composed;
pub mod composite;
pub mod event;
pub mod gc;
pub mod name;
pub mod revision;
pub mod secret;
pub mod select;
pub mod settled;
pub mod status;
