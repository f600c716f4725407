//! How is the same object made again and again, with other values in some places? From a form: the object with holes, compiled
//! once. Filling it writes the encoded object in one piece, without making any of its levels.

use bytes::Bytes;

use crate::wire::{ENTRY_VALUE, FIRST, STRUCT, delimited_len, varint_len};
use crate::{Object, ObjectRef, Value, ValueRef, encode, object};

/// So many levels are measured without an allocation.
const FEW: usize = 24;

/// A value as it is encoded, to be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(Bytes);

impl Payload {
    /// Encodes a value.
    pub fn of(value: &Value) -> Self {
        let mut bytes = Vec::with_capacity(encode::value_len(value));
        encode::put_value(value, &mut bytes);
        Self(bytes.into())
    }

    /// Encodes a text.
    pub fn of_text(text: &str) -> Self {
        let mut bytes = Vec::with_capacity(delimited_len(text.len()));
        encode::put_text(text, &mut bytes);
        Self(bytes.into())
    }

    /// How many bytes it takes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it takes none: never.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What becomes of a hole.
#[derive(Debug, Clone, Copy, Default)]
pub enum Fill<'a> {
    /// It holds what the object holds there that the form was made of, if anything.
    #[default]
    Keep,
    /// The field is left out.
    Omit,
    /// It holds this.
    Value(&'a Payload),
}

/// An object with holes.
#[derive(Debug)]
pub struct Form {
    root: Level,
    /// How many levels are below the root.
    levels: usize,
    holes: usize,
}

#[derive(Debug, Default)]
struct Level {
    entries: Vec<Entry>,
}

#[derive(Debug)]
enum Entry {
    /// Encoded entries, with their tags, that never change.
    Fixed(Vec<u8>),
    Hole {
        key: Key,
        number: usize,
        /// The encoded value it holds by itself.
        held: Option<Box<[u8]>>,
    },
    Level {
        key: Key,
        /// Its place among the levels.
        number: usize,
        level: Level,
        /// It is there also when nothing is filled in below it.
        always: bool,
    },
}

impl Form {
    /// A form of `object` with a hole at each path of keys, numbered as they come. A hole may be where the object holds
    /// nothing; the objects on the way to it are there when it is filled.
    ///
    /// None when a path goes through something that is no object, has no keys, or is the beginning of another.
    pub fn new<'p, P>(object: ObjectRef<'_>, paths: impl IntoIterator<Item = P>) -> Option<Self>
    where
        P: IntoIterator<Item = &'p str>,
    {
        let (mut tree, mut holes) = (Tree::default(), 0);
        for (number, path) in paths.into_iter().enumerate() {
            tree.add(path.into_iter(), number)?;
            holes = number + 1;
        }
        let mut levels = 0;
        let root = tree.level(Some(object), &mut levels)?;
        Some(Self {
            root,
            levels,
            holes,
        })
    }

    /// How many holes it has.
    pub fn holes(&self) -> usize {
        self.holes
    }

    /// The object with its holes filled. A hole without a fill keeps what it holds.
    pub fn fill(&self, fills: &[Fill<'_>]) -> Object {
        let (mut few, mut many) = ([None; FEW], Vec::new());
        let lengths = if let Some(few) = few.get_mut(..self.levels) {
            few
        } else {
            many.resize(self.levels, None);
            &mut many
        };
        let (length, _) = self.root.measure(fills, lengths);
        let mut out = Vec::with_capacity(length);
        self.root.write(fills, lengths, &mut out);
        Object(object::Repr::Wire(out.into()))
    }
}

/// The key of an entry as it is encoded: all of the entry between its own length and that of its value.
#[derive(Debug)]
struct Key(Box<[u8]>);

impl Key {
    fn new(key: &str) -> Self {
        let mut bytes = Vec::with_capacity(delimited_len(key.len()) + 1);
        encode::put_head(FIRST, key.len(), &mut bytes);
        bytes.extend_from_slice(key.as_bytes());
        bytes.push(ENTRY_VALUE);
        Self(bytes.into())
    }

    /// How many bytes the entry takes, without its tag and length.
    fn entry_len(&self, payload: usize) -> usize {
        self.0.len() + varint_len(payload) + payload
    }

    /// Writes the entry up to its value.
    fn put(&self, payload: usize, out: &mut Vec<u8>) {
        encode::put_head(FIRST, self.entry_len(payload), out);
        out.extend_from_slice(&self.0);
        encode::put_length(payload, out);
    }
}

/// The paths as a tree: a number where one ends.
#[derive(Default)]
struct Tree<'p> {
    branches: Vec<(&'p str, Branch<'p>)>,
}

enum Branch<'p> {
    Hole(usize),
    Tree(Tree<'p>),
}

impl<'p> Tree<'p> {
    fn add(&mut self, mut path: impl Iterator<Item = &'p str>, number: usize) -> Option<()> {
        let mut at = self;
        let mut key = path.next()?;
        for next in path {
            let place = at.branches.iter().position(|(held, _)| *held == key);
            let place = place.unwrap_or_else(|| {
                at.branches.push((key, Branch::Tree(Tree::default())));
                at.branches.len() - 1
            });
            match at.branches.get_mut(place) {
                Some((_, Branch::Tree(tree))) => at = tree,
                _ => return None,
            }
            key = next;
        }
        if at.branches.iter().any(|(held, _)| *held == key) {
            return None;
        }
        at.branches.push((key, Branch::Hole(number)));
        Some(())
    }

    /// The level of `object`; a level that is not there yet when there is none.
    fn level(self, object: Option<ObjectRef<'_>>, levels: &mut usize) -> Option<Level> {
        let mut level = Level::default();
        let mut branches = self.branches;
        for (key, value) in object.into_iter().flatten() {
            let Some(place) = branches.iter().position(|(held, _)| *held == key) else {
                level.fix(key, value);
                continue;
            };
            match branches.remove(place).1 {
                Branch::Hole(number) => level.entries.push(Entry::Hole {
                    key: Key::new(key),
                    number,
                    held: Some(Payload::of(&value.to_owned()).0.to_vec().into()),
                }),
                Branch::Tree(tree) => {
                    let ValueRef::Object(held) = value else {
                        return None;
                    };
                    level.push(key, tree, Some(held), levels)?;
                }
            }
        }
        for (key, branch) in branches {
            match branch {
                Branch::Hole(number) => level.entries.push(Entry::Hole {
                    key: Key::new(key),
                    number,
                    held: None,
                }),
                Branch::Tree(tree) => level.push(key, tree, None, levels)?,
            }
        }
        Some(level)
    }
}

impl Level {
    fn fix(&mut self, key: &str, value: ValueRef<'_>) {
        let payload = Payload::of(&value.to_owned()).0;
        if !matches!(self.entries.last(), Some(Entry::Fixed(_))) {
            self.entries.push(Entry::Fixed(Vec::new()));
        }
        if let Some(Entry::Fixed(bytes)) = self.entries.last_mut() {
            Key::new(key).put(payload.len(), bytes);
            bytes.extend_from_slice(&payload);
        }
    }

    fn push(
        &mut self,
        key: &str,
        tree: Tree<'_>,
        object: Option<ObjectRef<'_>>,
        levels: &mut usize,
    ) -> Option<()> {
        let number = *levels;
        *levels += 1;
        self.entries.push(Entry::Level {
            key: Key::new(key),
            number,
            level: tree.level(object, levels)?,
            always: object.is_some(),
        });
        Some(())
    }

    /// How many bytes the level takes, and whether anything is filled in; notes the lengths of those below.
    fn measure(&self, fills: &[Fill<'_>], lengths: &mut [Option<usize>]) -> (usize, bool) {
        let (mut total, mut filled) = (0, false);
        for entry in &self.entries {
            match entry {
                Entry::Fixed(bytes) => total += bytes.len(),
                Entry::Hole { key, number, held } => {
                    let fill = fills.get(*number).copied().unwrap_or_default();
                    filled |= matches!(fill, Fill::Value(_));
                    if let Some(payload) = payload(fill, held.as_deref()) {
                        total += delimited_len(key.entry_len(payload.len()));
                    }
                }
                Entry::Level {
                    key,
                    number,
                    level,
                    always,
                } => {
                    let (length, filled_below) = level.measure(fills, lengths);
                    filled |= filled_below;
                    let length = (*always || filled_below).then_some(length);
                    if let Some(length) = length {
                        total += delimited_len(key.entry_len(delimited_len(length)));
                    }
                    if let Some(noted) = lengths.get_mut(*number) {
                        *noted = length;
                    }
                }
            }
        }
        (total, filled)
    }

    fn write(&self, fills: &[Fill<'_>], lengths: &[Option<usize>], out: &mut Vec<u8>) {
        for entry in &self.entries {
            match entry {
                Entry::Fixed(bytes) => out.extend_from_slice(bytes),
                Entry::Hole { key, number, held } => {
                    let fill = fills.get(*number).copied().unwrap_or_default();
                    if let Some(payload) = payload(fill, held.as_deref()) {
                        key.put(payload.len(), out);
                        out.extend_from_slice(payload);
                    }
                }
                Entry::Level {
                    key, number, level, ..
                } => {
                    if let Some(length) = lengths.get(*number).copied().flatten() {
                        key.put(delimited_len(length), out);
                        encode::put_head(STRUCT, length, out);
                        level.write(fills, lengths, out);
                    }
                }
            }
        }
    }
}

fn payload<'a>(fill: Fill<'a>, held: Option<&'a [u8]>) -> Option<&'a [u8]> {
    match fill {
        Fill::Keep => held,
        Fill::Omit => None,
        Fill::Value(payload) => Some(&payload.0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{Fill, Form, Payload};
    use crate::{Object, Path, Value};

    fn object(json: &Json) -> Object {
        Object::from_json(json.clone()).unwrap()
    }

    fn form(base: &Json, paths: &[&str]) -> Option<Form> {
        let paths = paths.iter().map(|path| path.split('.'));
        Form::new(object(base).as_ref(), paths)
    }

    /// Fills every subset of the holes, and compares with writing at the paths one after the other.
    fn check(base: &Json, paths: &[&str], values: &[Json]) {
        let form = form(base, paths).expect("a form");
        let values: Vec<Value> = values
            .iter()
            .map(|value| Value::from_json(value.clone()))
            .collect();
        let payloads: Vec<Payload> = values.iter().map(Payload::of).collect();
        for subset in 0..1 << paths.len() {
            let chosen = |at: usize| subset >> at & 1 == 1;
            let mut expect = object(base);
            let mut fills = vec![Fill::Keep; paths.len()];
            for (at, path) in paths.iter().enumerate().filter(|(at, _)| chosen(*at)) {
                fills[at] = Fill::Value(&payloads[at]);
                let path = Path::parse(path).unwrap();
                path.set(&mut expect, values[at].clone()).unwrap();
            }
            let filled = form.fill(&fills);
            assert_eq!(filled, expect, "{subset:b}");
            // What it is made of is what a reader of the bytes finds.
            let bytes = prost::Message::encode_to_vec(&filled);
            let read = Object::from_wire(bytes, crate::Limits::default()).unwrap();
            assert_eq!(read, expect);
        }
    }

    #[test]
    fn a_filled_form_is_what_writing_at_the_paths_gives() {
        let base = json!({"a": {"b": 1, "c": {"d": "x".repeat(200)}}, "e": [1], "f": null});
        check(
            &base,
            &["a.b", "a.n.m", "x.y.z", "x.y.w", "e", "f"],
            &[
                json!("text"),
                json!({"deep": [1, 2.5]}),
                json!(true),
                json!("y".repeat(20_000)),
                json!(null),
                json!({}),
            ],
        );
        check(&json!({}), &["a.b.c.d.e.f", "a.b.g"], &[json!(1), json!(2)]);
    }

    #[test]
    fn a_hole_can_be_left_out() {
        let form = form(&json!({"m": {"name": "a", "x": 1}}), &["m.name", "m.none"]).unwrap();
        let filled = form.fill(&[Fill::Omit, Fill::Omit]);
        assert_eq!(filled, object(&json!({"m": {"x": 1}})));
        assert_eq!(form.fill(&[]), object(&json!({"m": {"name": "a", "x": 1}})));
        let text = Payload::of_text("b");
        assert_eq!(text, Payload::of(&Value::from("b")));
        let filled = form.fill(&[Fill::Value(&text)]);
        assert_eq!(filled, object(&json!({"m": {"name": "b", "x": 1}})));
    }

    #[test]
    fn paths_that_cross_or_go_nowhere_make_no_form() {
        let base = json!({"a": {"b": 1}, "l": [], "n": null});
        for paths in [
            &["a.b", "a.b"][..],
            &["a", "a.b"],
            &["a.b.c"],
            &["l.x"],
            &["n.x"],
            &["x.y", "x"],
        ] {
            assert!(form(&base, paths).is_none(), "{paths:?}");
        }
    }
}
