//! Where the keys and values of one document stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{ScalarStyle, Span};
use purlin_diag::Place;

use crate::path::{Segment, parse_path, push_field};
use crate::scalar::{Written, source_offset};

/// The name and text of a file, shared by all places in it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
}

impl Source {
    pub(crate) fn place(&self, spot: Spot) -> Place {
        Place::new(self.name.clone(), spot.line, spot.column).with_length(spot.length)
    }
}

/// A span of the text: where it starts, its length on its first line, and its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spot {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) length: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Spot {
    pub(crate) fn of(span: &Span) -> Self {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let one_line = span.start.line() == span.end.line();
        let start = span.start.byte_offset().unwrap_or_default();
        Self {
            line: small(span.start.line()),
            column: small(span.start.col()).saturating_add(1),
            length: if one_line {
                small(span.end.index().saturating_sub(span.start.index()))
            } else {
                0
            },
            start,
            end: span.end.byte_offset().unwrap_or(start).max(start),
        }
    }
}

/// One node of a document: where its key and its value are, and its children.
#[derive(Debug, Clone, Default)]
pub(crate) struct Branch {
    pub(crate) key: Option<Spot>,
    pub(crate) value: Spot,
    pub(crate) children: Children,
}

#[derive(Debug, Clone, Default)]
pub(crate) enum Children {
    #[default]
    Empty,
    Scalar(Box<str>, ScalarStyle),
    List(Vec<Branch>),
    Map(BTreeMap<String, Branch>),
}

/// Finds the place of a field of one document by its path. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PlaceMap {
    pub(crate) source: Arc<Source>,
    pub(crate) root: Arc<Branch>,
    /// Fields that stand in other documents.
    pub(crate) grafts: Vec<Graft>,
}

/// A field that stands in another document.
#[derive(Debug, Clone)]
pub(crate) struct Graft {
    /// Its path.
    at: String,
    places: PlaceMap,
}

/// A value that was looked for, or its nearest parent.
struct Found<'a> {
    source: &'a Arc<Source>,
    branch: &'a Branch,
    /// Whether it is what was looked for.
    whole: bool,
}

impl PlaceMap {
    /// From now on the field at `path` stands in another document: it was written into this one after it was loaded.
    pub fn graft(&mut self, path: &str, places: &Self) {
        self.grafts.push(Graft {
            at: path.to_owned(),
            places: places.clone(),
        });
    }

    /// The file's name, as it was given to `load`.
    pub fn file(&self) -> &Arc<str> {
        &self.source.name
    }

    /// The text of the file.
    pub fn text(&self) -> &Arc<str> {
        &self.source.text
    }

    /// Where the document starts.
    pub fn start(&self) -> Place {
        self.source.place(self.root.value)
    }

    /// Where the value at `path` stands; `None` when the document has no such field.
    pub fn value(&self, path: &str) -> Option<Place> {
        let found = self.find(path)?;
        Some(found.source.place(found.branch.value))
    }

    /// Where the key of the field at `path` stands (an element of a list has none: then its value).
    pub fn key(&self, path: &str) -> Option<Place> {
        Some(self.find(path)?.key())
    }

    /// The place of the value at `path`, or of the key of its nearest parent that exists. For messages about fields that may be missing.
    pub fn nearest(&self, path: &str) -> Place {
        let found = self.descend(&parse_path(path));
        if found.whole {
            found.source.place(found.branch.value)
        } else {
            found.key()
        }
    }

    /// Where byte `offset` of the text value at `path` stands in the file: inside quotes, escapes and block scalars too.
    pub fn within(&self, path: &str, offset: usize) -> Option<Place> {
        let Found { source, branch, .. } = self.find(path)?;
        let Children::Scalar(decoded, style) = &branch.children else {
            return Some(source.place(branch.value));
        };
        let text = &source.text;
        let raw = text.get(branch.value.start..branch.value.end)?;
        let at = branch.value.start
            + source_offset(
                Written {
                    raw,
                    style: *style,
                    indent: branch.value.column.saturating_sub(1) as usize,
                },
                decoded,
                offset,
            );
        let before = text.get(..at)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let first_line = branch.value.start;
        let newlines = text.get(first_line..at)?.matches('\n').count();
        let column = text.get(line_start..at)?.chars().count() + 1;
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Some(Place::new(
            source.name.clone(),
            branch.value.line.saturating_add(small(newlines)),
            small(column),
        ))
    }

    /// Where bytes `start` to `end` of the text value at `path` stand; only the start is known of what spans lines.
    pub fn range(&self, path: &str, start: usize, end: usize) -> Option<Place> {
        let first = self.within(path, start)?;
        let last = self.within(path, end)?;
        let length = if first.line == last.line {
            last.column.saturating_sub(first.column)
        } else {
            0
        };
        Some(first.with_length(length))
    }

    /// The same map, rooted at the value at `path`: for an object embedded in another.
    pub fn under(&self, path: &str) -> Option<Self> {
        let found = self.find(path)?;
        let own = Arc::ptr_eq(found.source, &self.source);
        Some(Self {
            source: found.source.clone(),
            root: Arc::new(found.branch.clone()),
            grafts: if own {
                self.grafts_below(path)
            } else {
                Vec::new()
            },
        })
    }

    fn grafts_below(&self, path: &str) -> Vec<Graft> {
        let outer = parse_path(path);
        let inside = |graft: &Graft| {
            let inner = parse_path(&graft.at);
            let rest = inner.strip_prefix(outer.as_slice())?;
            let mut at = String::new();
            for segment in rest {
                match segment {
                    Segment::Field(name) => push_field(&mut at, name),
                    Segment::Index(_, name) => {
                        at.push('[');
                        at.push_str(name);
                        at.push(']');
                    }
                }
            }
            Some(Graft {
                at,
                places: graft.places.clone(),
            })
        };
        self.grafts.iter().filter_map(inside).collect()
    }

    fn find(&self, path: &str) -> Option<Found<'_>> {
        let found = self.descend(&parse_path(path));
        found.whole.then_some(found)
    }

    fn descend(&self, path: &[Segment<'_>]) -> Found<'_> {
        for graft in &self.grafts {
            if let Some(rest) = path.strip_prefix(parse_path(&graft.at).as_slice()) {
                return graft.places.descend(rest);
            }
        }
        let mut branch = self.root.as_ref();
        for segment in path {
            let next = match (&branch.children, segment) {
                (Children::List(list), Segment::Index(index, _)) => list.get(*index),
                (Children::Map(map), Segment::Field(name) | Segment::Index(_, name)) => {
                    map.get(*name)
                }
                (Children::Empty | Children::Scalar(..) | Children::List(_), _) => None,
            };
            let Some(next) = next else {
                return Found {
                    source: &self.source,
                    branch,
                    whole: false,
                };
            };
            branch = next;
        }
        Found {
            source: &self.source,
            branch,
            whole: true,
        }
    }
}

impl Found<'_> {
    fn key(&self) -> Place {
        (self.source).place(self.branch.key.unwrap_or(self.branch.value))
    }
}
