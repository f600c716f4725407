//! What the exit code says.

use std::process::ExitCode;

/// How a verb ended. Scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "tools"),
    expect(dead_code, reason = "the verbs that end so are left out")
)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, or nothing differs.
    Done = 0,
    /// Something differs, or problems were found.
    Differs = 1,
    /// The command line is wrong.
    Misuse = 2,
    /// The world failed: a file, a server, a repository.
    World = 3,
    /// A promotion is blocked by a gate.
    Blocked = 4,
    /// A promotion would break somebody.
    Breaking = 5,
    /// Somebody else changed the same thing first.
    Conflict = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
