//! When is the process told to stop?

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use crate::ServeError;

/// Waits for SIGTERM or SIGINT, which from now on do not end the process by themselves.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signal)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
