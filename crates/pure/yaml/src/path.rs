//! Field paths as they are written in messages: `spec.pipeline[0].input`, `metadata.annotations[example.org/team]`.

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment<'a> {
    /// A field of a map.
    Field(&'a str),
    /// An element of a list, or a field whose name is this number.
    Index(usize, &'a str),
}

/// Splits a field path. A path that is not well formed gives the segments up to where it stops making sense.
pub fn parse_path(path: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let Some((name, after)) = inner.split_once(']') else {
                break;
            };
            segments.push(match name.parse() {
                Ok(index) => Segment::Index(index, name),
                Err(_) => Segment::Field(name.trim_matches(|c| c == '\'' || c == '"')),
            });
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        segments.push(Segment::Field(name));
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    segments
}

/// Appends a field to a path, in brackets when its name would not survive otherwise.
pub(crate) fn push_field(path: &mut String, name: &str) {
    let plain = !name.is_empty() && !name.contains(['.', '[', ']']);
    if plain {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    } else {
        path.push('[');
        path.push_str(name);
        path.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_splits_at_dots_and_brackets() {
        assert_eq!(
            parse_path("spec.pipeline[0].a[example.org/x][y]"),
            [
                Segment::Field("spec"),
                Segment::Field("pipeline"),
                Segment::Index(0, "0"),
                Segment::Field("a"),
                Segment::Field("example.org/x"),
                Segment::Field("y"),
            ]
        );
        assert_eq!(parse_path(""), []);
        assert_eq!(parse_path("a[0"), [Segment::Field("a")]);
        assert_eq!(parse_path("..a."), [Segment::Field("a")]);
    }

    #[test]
    fn names_with_dots_are_bracketed() {
        let mut path = "metadata.labels".to_owned();
        push_field(&mut path, "a.b/c");
        push_field(&mut path, "d");
        assert_eq!(path, "metadata.labels[a.b/c].d");
    }
}
