//! What does a tar archive list, within bounds?
//!
//! Long names come in entries of their own. The `tar` crate reads those as a whole, however long they say they are: here they are
//! read raw, and bounded.

use std::io::{self, Read};

use tar::{Archive, EntryType, PaxExtensions};

use crate::error::TooMuch;
use crate::limits::Limits;

/// Bytes of a long name, or of what an entry says of the next one.
const LONGEST: u64 = 64 << 10;

/// One entry.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its name, without a leading `./`; nothing leads out of the archive.
    pub(crate) name: String,
    pub(crate) kind: EntryType,
    /// What a link leads to, cleaned the same way.
    pub(crate) link: Option<String>,
    /// Where its content starts in the archive.
    pub(crate) start: u64,
    pub(crate) size: u64,
}

/// What entries before it say of the next one.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

/// Calls `look` for each entry of a tar stream, until it answers.
pub(crate) fn walk<R: Read, T>(
    stream: R,
    limits: &Limits,
    mut look: impl FnMut(Found, &mut dyn Read) -> io::Result<Option<T>>,
) -> io::Result<Option<T>> {
    let mut reader = Archive::new(stream);
    let mut said = Said::default();
    let mut names = 0;
    for (index, entry) in reader.entries()?.raw(true).enumerate() {
        if index >= limits.entries {
            return Err(too_much("an archive", limits.entries, "entries"));
        }
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => said.name = Some(text(&mut entry)?),
            EntryType::GNULongLink => said.link = Some(text(&mut entry)?),
            EntryType::XHeader => said.read(&bounded(&mut entry)?)?,
            EntryType::XGlobalHeader => {}
            _ => {
                let header = entry.header();
                let said = std::mem::take(&mut said);
                let name = said
                    .name
                    .unwrap_or_else(|| header.path_bytes().into_owned());
                let link = said
                    .link
                    .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
                names += name.len() + link.as_ref().map_or(0, Vec::len);
                if names > limits.names {
                    return Err(too_much("the names in an archive", limits.names, "bytes"));
                }
                let found = Found {
                    name: clean(&name),
                    kind,
                    link: link.map(|link| clean(&link)),
                    start: entry.raw_file_position(),
                    size: entry.size(),
                };
                if let Some(answer) = look(found, &mut entry)? {
                    return Ok(Some(answer));
                }
            }
        }
    }
    Ok(None)
}

impl Said {
    /// Takes over what a PAX header says.
    fn read(&mut self, header: &[u8]) -> io::Result<()> {
        for record in PaxExtensions::new(header) {
            let record = record?;
            match record.key_bytes() {
                b"path" => self.name = Some(record.value_bytes().to_vec()),
                b"linkpath" => self.link = Some(record.value_bytes().to_vec()),
                // Such a size is for what is too large for the header, and so too large for a package.
                b"size" => {
                    return Err(io::Error::other(
                        "an entry's size is in a PAX header, which is not supported",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What stands before the first NUL.
fn text(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = bounded(entry)?;
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    Ok(bytes)
}

fn bounded(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other(TooMuch {
            what: "a name in an archive",
            limit: LONGEST,
            unit: "bytes",
        }));
    }
    Ok(bytes)
}

fn too_much(what: &'static str, limit: usize, unit: &'static str) -> io::Error {
    io::Error::other(TooMuch {
        what,
        limit: limit as u64,
        unit,
    })
}

/// `./a//b/../c` is `a/c`; nothing leads out of the archive.
pub(crate) fn clean(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _};

    use super::{clean, walk};
    use crate::Limits;

    #[test]
    fn paths_are_cleaned_and_stay_inside() {
        for (given, wanted) in [
            ("./a//b", "a/b"),
            ("/etc/x", "etc/x"),
            ("../../a", "a"),
            ("a/../b", "b"),
        ] {
            assert_eq!(clean(given.as_bytes()), wanted);
        }
    }

    /// An archive whose only entry is of this kind and says that it is so long; the bytes are made as they are read.
    fn endless(kind: u8, size: u64) -> impl io::Read {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_size(size);
        header.set_cksum();
        io::Cursor::new(header.as_bytes().to_vec()).chain(io::repeat(b'a').take(size))
    }

    #[test]
    fn a_name_that_never_ends_is_not_read() {
        for kind in [b'L', b'K', b'x'] {
            let error = walk(endless(kind, 4 << 30), &Limits::default(), |_, _| {
                Ok(Some(()))
            });
            assert!(
                error
                    .unwrap_err()
                    .to_string()
                    .contains("a name in an archive"),
                "{kind}"
            );
        }
    }

    fn names(archive: &[u8], limits: &Limits) -> io::Result<Vec<(String, Option<String>)>> {
        let mut names = Vec::new();
        walk(archive, limits, |found, _| {
            names.push((found.name, found.link));
            Ok(None::<()>)
        })?;
        Ok(names)
    }

    #[test]
    fn long_names_of_both_kinds_are_read() {
        let long = format!("{}/file", "folder".repeat(40));
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        builder
            .append_data(&mut header, &long, io::empty())
            .unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Symlink);
        builder.append_link(&mut header, "short", &long).unwrap();
        builder
            .append_pax_extensions([("path", long.as_bytes()), ("comment", b"x")])
            .unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        builder
            .append_data(&mut header, "cut", io::empty())
            .unwrap();
        let archive = builder.into_inner().unwrap();
        let limits = Limits::default();
        assert_eq!(
            names(&archive, &limits).unwrap(),
            [
                (long.clone(), None),
                ("short".to_owned(), Some(long.clone())),
                (long, None)
            ]
        );
        let few = Limits {
            names: 300,
            ..limits
        };
        let error = names(&archive, &few).unwrap_err().to_string();
        assert!(error.contains("the names in an archive"), "{error}");
    }
}
