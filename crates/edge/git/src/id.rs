//! The name Git gives to an object.

use std::fmt;
use std::str::FromStr;

use gix::ObjectId;

use crate::Error;

/// The id of a commit, a tree or a blob.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(crate) ObjectId);

impl Id {
    /// The first seven digits, as people say them.
    pub fn short(&self) -> String {
        self.0.to_hex_with_len(7).to_string()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Id {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        ObjectId::from_hex(text.as_bytes())
            .map(Self)
            .map_err(|_| Error::Path {
                path: text.to_owned(),
                why: "is not an object id",
            })
    }
}
