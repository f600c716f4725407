//! Tar archives: made so that the same files always give the same bytes, and read within bounds.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use tar::{Builder, EntryType, Header, HeaderMode};

use crate::entries::{clean, walk};
use crate::error::Error;
use crate::limits::Limits;

/// A file to put into an archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    pub(crate) path: &'a str,
    pub(crate) mode: u32,
    pub(crate) bytes: &'a [u8],
}

/// An archive of these files, in this order: no times, no owners. Folders are not listed; whoever unpacks makes them.
pub(crate) fn write(files: &[File<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    builder.mode(HeaderMode::Deterministic);
    for file in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(file.mode);
        header.set_size(file.bytes.len() as u64);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        builder
            .append_data(&mut header, file.path, file.bytes)
            .expect("paths are relative, and writing to a Vec does not fail");
    }
    builder
        .into_inner()
        .expect("writing to a Vec does not fail")
}

/// The regular files of an archive in memory, by their names, without copying them. Names lose a leading `./`. Links are
/// kept as the names of what they lead to.
pub(crate) fn files(archive: &Bytes, limits: &Limits) -> Result<BTreeMap<String, Bytes>, Error> {
    let mut found = BTreeMap::new();
    let mut links = Vec::new();
    walk(archive.as_ref(), limits, |entry, _| {
        if entry.kind.is_symlink() || entry.kind.is_hard_link() {
            if let Some(target) = entry.link {
                links.push((entry.name, target, entry.kind.is_symlink()));
            }
        } else if matches!(entry.kind, EntryType::Regular | EntryType::Continuous) {
            let start = usize::try_from(entry.start).unwrap_or(usize::MAX);
            let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
            let end = start.saturating_add(size);
            if end > archive.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            found.insert(entry.name, archive.slice(start..end));
        }
        Ok(None::<()>)
    })
    .map_err(Error::of_archive)?;
    // `docker save` links a layer that several images share.
    for (name, target, relative) in links {
        let beside = match name.rsplit_once('/') {
            Some((folder, _)) if relative => clean(format!("{folder}/{target}").as_bytes()),
            _ => target,
        };
        if let Some(bytes) = found.get(&beside).cloned() {
            found.insert(name, bytes);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{File, files, write};
    use crate::Limits;

    #[test]
    fn the_same_files_give_the_same_bytes_and_come_back() {
        let long = format!("{}/file", "folder".repeat(30));
        let given = [
            File {
                path: "a",
                mode: 0o644,
                bytes: b"one",
            },
            File {
                path: &long,
                mode: 0o755,
                bytes: b"two",
            },
        ];
        let archive = write(&given);
        assert_eq!(archive, write(&given));
        let found = files(&Bytes::from(archive), &Limits::default()).unwrap();
        assert_eq!(found["a"], "one");
        assert_eq!(found[&long], "two");
    }

    #[test]
    fn a_header_has_no_time_and_no_owner() {
        let archive = write(&[File {
            path: "package.yaml",
            mode: 0o644,
            bytes: b"",
        }]);
        let header = tar::Header::from_byte_slice(archive.get(..512).unwrap());
        assert_eq!(header.mtime().unwrap(), 0);
        assert_eq!(header.uid().unwrap() + header.gid().unwrap(), 0);
        assert_eq!(header.mode().unwrap(), 0o644);
        assert_eq!(header.username_bytes().unwrap_or_default(), b"");
    }
}
