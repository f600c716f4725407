//! The key of an entry that somebody wrote: short ones, which nearly all are, without an allocation.

/// How long a key may be to need no allocation. With this the whole is as large as a `String`.
const INLINE: usize = 22;

#[derive(Debug, Clone)]
pub(crate) enum Key {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

impl Key {
    #[inline]
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(text.as_bytes());
                Self::Inline { length, bytes }
            }
            _ => Self::Heap(text.into()),
        }
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Heap(text) => text.as_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn keys_of_all_lengths_are_kept() {
        assert_eq!(size_of::<Key>(), size_of::<String>());
        for length in 0..40 {
            let text = "é".repeat(length / 2) + &"x".repeat(length % 2);
            assert_eq!(Key::new(&text).as_bytes(), text.as_bytes());
        }
    }
}
