//! Feeds a value to serde, knowing where it is, and fills in what an earlier round found wrong.

use std::cell::RefCell;
use std::collections::BTreeMap;

use purlin_object::{ListIter, ObjectIter, ValueRef};
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Visitor};
use serde::forward_to_deserialize_any;

use super::fault::{Fault, Kind, member};

/// What to do at a place where something was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repair {
    /// Answer whatever is asked for.
    Fill,
    /// Leave it out.
    Skip,
}

/// What was repaired before, and what is noted in this round without ending it.
pub(super) struct Notes<'r> {
    repairs: &'r BTreeMap<String, Repair>,
    noted: RefCell<Vec<Fault>>,
}

impl<'r> Notes<'r> {
    pub(super) fn new(repairs: &'r BTreeMap<String, Repair>) -> Self {
        Self {
            repairs,
            noted: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn take(&self) -> Vec<Fault> {
        self.noted.take()
    }

    fn repair(&self, track: &Track<'_>) -> Option<Repair> {
        if self.repairs.is_empty() {
            return None;
        }
        self.repairs.get(&track.path()).copied()
    }
}

/// Where decoding is.
#[derive(Clone, Copy)]
enum Track<'t> {
    Root,
    Member(&'t Track<'t>, &'t str),
    Element(&'t Track<'t>, usize),
}

impl Track<'_> {
    fn path(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(parent, name) => member(&parent.path(), name),
            Self::Element(parent, index) => format!("{}[{index}]", parent.path()),
        }
    }
}

/// What is there.
#[derive(Clone, Copy)]
enum Node<'a> {
    Value(ValueRef<'a>),
    /// Nothing usable: answer whatever is asked for.
    Hole,
}

#[derive(Clone, Copy)]
pub(super) struct Decoder<'a, 't> {
    node: Node<'a>,
    track: Track<'t>,
    notes: &'t Notes<'t>,
}

impl<'a, 't> Decoder<'a, 't> {
    pub(super) fn new(value: ValueRef<'a>, notes: &'t Notes<'t>) -> Self {
        Self::at(Node::Value(value), Track::Root, notes)
    }

    fn at(node: Node<'a>, track: Track<'t>, notes: &'t Notes<'t>) -> Self {
        let node = match notes.repair(&track) {
            Some(_) => Node::Hole,
            None => node,
        };
        Self { node, track, notes }
    }

    /// Says where a fault was, unless somebody further in already did.
    fn placed<T>(self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        outcome.map_err(|mut fault| {
            if fault.at.is_none() {
                fault.at = Some(self.track.path());
                fault.quiet = matches!(self.node, Node::Hole);
            }
            fault
        })
    }

    fn any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node {
            Node::Hole | Node::Value(ValueRef::Null) => visitor.visit_unit(),
            Node::Value(ValueRef::Bool(value)) => visitor.visit_bool(value),
            Node::Value(ValueRef::Int(value)) => visitor.visit_i64(value),
            Node::Value(number @ ValueRef::Double(value)) => match number.as_i64() {
                Some(whole) => visitor.visit_i64(whole),
                None => visitor.visit_f64(value),
            },
            Node::Value(ValueRef::String(value)) => visitor.visit_borrowed_str(value),
            Node::Value(ValueRef::List(list)) => {
                visitor.visit_seq(Elements::new(list.iter(), &self))
            }
            Node::Value(ValueRef::Object(object)) => {
                visitor.visit_map(Members::new(Some(object.iter()), &self, None))
            }
        }
    }
}

macro_rules! scalar {
    ($($method:ident => $visit:ident($($filler:expr)?);)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.placed(match self.node {
                // A null is what is not there, also in a list: Go's decoder takes the zero value.
                Node::Hole | Node::Value(ValueRef::Null) => visitor.$visit($($filler)?),
                Node::Value(_) => self.any(visitor),
            })
        }
    )*};
}

impl<'a> de::Deserializer<'a> for Decoder<'a, '_> {
    type Error = Fault;

    scalar! {
        deserialize_any => visit_unit();
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i8(0);
        deserialize_i16 => visit_i16(0);
        deserialize_i32 => visit_i32(0);
        deserialize_i64 => visit_i64(0);
        deserialize_u8 => visit_u8(0);
        deserialize_u16 => visit_u16(0);
        deserialize_u32 => visit_u32(0);
        deserialize_u64 => visit_u64(0);
        deserialize_f32 => visit_f32(0.0);
        deserialize_f64 => visit_f64(0.0);
        deserialize_char => visit_char(' ');
        deserialize_str => visit_str("");
        deserialize_string => visit_str("");
        deserialize_bytes => visit_bytes(&[]);
        deserialize_byte_buf => visit_bytes(&[]);
        deserialize_unit => visit_unit();
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        i128 u128 unit_struct identifier ignored_any
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node {
            Node::Hole | Node::Value(ValueRef::Null) => visitor.visit_none(),
            Node::Value(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.placed(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.placed(match self.node {
            Node::Hole | Node::Value(ValueRef::Null) => {
                visitor.visit_seq(Elements::new(ListIter::default(), &self))
            }
            Node::Value(_) => self.any(visitor),
        })
    }

    fn deserialize_tuple<V: Visitor<'a>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.placed(match self.node {
            Node::Hole | Node::Value(ValueRef::Null) => {
                visitor.visit_map(Members::new(None, &self, None))
            }
            Node::Value(_) => self.any(visitor),
        })
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.placed(match self.node {
            Node::Hole | Node::Value(ValueRef::Null) => {
                visitor.visit_map(Members::new(None, &self, Some(fields)))
            }
            Node::Value(ValueRef::Object(object)) => {
                visitor.visit_map(Members::new(Some(object.iter()), &self, Some(fields)))
            }
            // A list would be taken for the fields in order.
            Node::Value(ValueRef::List(_)) => Err(Fault::new(Kind::WrongType(
                "a list".to_owned(),
                "an object".to_owned(),
            ))),
            Node::Value(_) => self.any(visitor),
        })
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let hole = Self {
            node: Node::Hole,
            ..self
        };
        self.placed(match self.node {
            Node::Hole => {
                visitor.visit_enum(Choice(variants.first().copied().unwrap_or(""), hole, self))
            }
            Node::Value(ValueRef::String(word)) => visitor.visit_enum(Choice(
                word,
                Self {
                    node: Node::Value(ValueRef::Null),
                    ..self
                },
                self,
            )),
            Node::Value(ValueRef::Object(object)) => {
                let mut members = object.iter();
                match (members.next(), members.next()) {
                    (Some((word, value)), None) => {
                        let track = Track::Member(&self.track, word);
                        let content = Decoder::at(Node::Value(value), track, self.notes);
                        visitor.visit_enum(Choice(word, content, self))
                    }
                    _ => Err(Fault::new(Kind::WrongType(
                        "an object".to_owned(),
                        format!("one of {}", variants.join(", ")),
                    ))),
                }
            }
            Node::Value(_) => self.any(visitor),
        })
    }
}

/// The elements of a list.
struct Elements<'a, 'p> {
    rest: ListIter<'a>,
    next: usize,
    parent: &'p Decoder<'a, 'p>,
}

impl<'a, 'p> Elements<'a, 'p> {
    fn new(rest: ListIter<'a>, parent: &'p Decoder<'a, '_>) -> Self {
        Self {
            rest,
            next: 0,
            parent,
        }
    }
}

impl<'a> de::SeqAccess<'a> for Elements<'a, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        for value in self.rest.by_ref() {
            let track = Track::Element(&self.parent.track, self.next);
            self.next += 1;
            if self.parent.notes.repair(&track) == Some(Repair::Skip) {
                continue;
            }
            let element = Decoder::at(Node::Value(value), track, self.parent.notes);
            return element.placed(seed.deserialize(element)).map(Some);
        }
        Ok(None)
    }
}

/// The members of an object, or of what stands for one.
struct Members<'a, 'p> {
    rest: Option<ObjectIter<'a>>,
    parent: &'p Decoder<'a, 'p>,
    /// The fields of the type, when it is a struct.
    fields: Option<&'static [&'static str]>,
    /// The fields that have not been met.
    absent: Vec<&'static str>,
    held: Option<(&'a str, Node<'a>)>,
}

impl<'a, 'p> Members<'a, 'p> {
    fn new(
        rest: Option<ObjectIter<'a>>,
        parent: &'p Decoder<'a, '_>,
        fields: Option<&'static [&'static str]>,
    ) -> Self {
        Self {
            rest,
            parent,
            fields,
            absent: fields.map(<[_]>::to_vec).unwrap_or_default(),
            held: None,
        }
    }

    /// The next member that the type has; notes those that it does not have.
    fn advance(&mut self) -> Option<(&'a str, Node<'a>)> {
        let notes = self.parent.notes;
        for (name, value) in self.rest.iter_mut().flatten() {
            if notes.repair(&Track::Member(&self.parent.track, name)) == Some(Repair::Skip) {
                continue;
            }
            let Some(fields) = self.fields else {
                return Some((name, Node::Value(value)));
            };
            if fields.contains(&name) {
                if value.is_null() {
                    continue;
                }
                self.absent.retain(|field| *field != name);
                return Some((name, Node::Value(value)));
            }
            let is_root = matches!(self.parent.track, Track::Root);
            if !(is_root && matches!(name, "apiVersion" | "kind" | "metadata")) {
                let mut fault = Fault::new(Kind::UnknownField(name.to_owned(), fields));
                fault.at = Some(self.parent.track.path());
                notes.noted.borrow_mut().push(fault);
            }
        }
        // A field that was missed in an earlier round is there now, with nothing usable in it.
        while let Some(field) = self.absent.pop() {
            let track = Track::Member(&self.parent.track, field);
            if notes.repair(&track) == Some(Repair::Fill) {
                return Some((field, Node::Hole));
            }
        }
        None
    }
}

impl<'a> de::MapAccess<'a> for Members<'a, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.held = self.advance();
        match self.held {
            Some((name, _)) => seed
                .deserialize(BorrowedStrDeserializer::new(name))
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, node) = self.held.take().unwrap_or(("", Node::Hole));
        let track = Track::Member(&self.parent.track, name);
        let value = Decoder::at(node, track, self.parent.notes);
        value.placed(seed.deserialize(value))
    }
}

/// A variant of an enum: its name, its content, and the decoder of the whole.
struct Choice<'a, 't>(&'a str, Decoder<'a, 't>, Decoder<'a, 't>);

impl<'a, 't> de::EnumAccess<'a> for Choice<'a, 't> {
    type Error = Fault;
    type Variant = Content<'a, 't>;

    fn variant_seed<V: DeserializeSeed<'a>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'a, 't>), Fault> {
        let word: StrDeserializer<'_, Fault> = de::IntoDeserializer::into_deserializer(self.0);
        let variant = self.2.placed(seed.deserialize(word))?;
        Ok((variant, Content(self.1)))
    }
}

struct Content<'a, 't>(Decoder<'a, 't>);

impl<'a> de::VariantAccess<'a> for Content<'a, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'a>>(self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        de::Deserializer::deserialize_tuple(self.0, length, visitor)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        de::Deserializer::deserialize_struct(self.0, "", fields, visitor)
    }
}
