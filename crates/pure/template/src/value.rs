//! What can a template hold?
//!
//! Go's values as far as templates see them: `int` and `int64` differ, maps are shared and can be changed, nil is not
//! the same as nothing. Objects of a request are expanded level by level as they are read.

use std::cell::{OnceCell, Ref, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use purlin_object as object;
use purlin_object::ValueRef;

use crate::gofmt::{Arg, Mapping, Sequence};

/// Text as Go has it: bytes that are mostly UTF-8.
pub type Text = Arc<[u8]>;

/// Go's type of a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// `int`.
    Int,
    /// `int64`.
    Int64,
    /// `uint8`.
    Uint8,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
}

impl Whole {
    /// The name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }
}

/// A value.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Nothing: a key that is not there. Prints as `<no value>`.
    #[default]
    Missing,
    /// An explicit nil, as JSON's null.
    Nil,
    /// `bool`.
    Bool(bool),
    /// A whole number of some type.
    Int(i64, Whole),
    /// `float64`.
    Float(f64),
    /// `string`.
    Text(Text),
    /// A list.
    List(List),
    /// A map with texts for keys.
    Map(Map),
    /// `map[interface {}]interface {}`: what YAML with other keys becomes.
    Pairs(Rc<Vec<(Value, Value)>>),
    /// A value of a type of its own.
    Native(Rc<dyn Native>),
}

/// A value of a type of its own, with fields and methods.
pub trait Native: fmt::Debug {
    /// The name of the Go type.
    fn go_type(&self) -> &'static str;
    /// A field, or a method called with `args`. `None` when there is none of that name.
    fn member(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>>;
    /// How it is printed.
    fn text(&self) -> String;
    /// How it is written as JSON.
    fn json(&self) -> String;
}

/// What the elements of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elements {
    /// `[]interface {}`.
    Any,
    /// `[]string`.
    Texts,
    /// `[]int`.
    Ints,
    /// `[]uint8`.
    Bytes,
    /// `[]map[string]interface {}`.
    Maps,
    /// `[][]interface {}`.
    Lists,
}

impl Elements {
    /// The name of the list's type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Texts => "[]string",
            Self::Ints => "[]int",
            Self::Bytes => "[]uint8",
            Self::Maps => "[]map[string]interface {}",
            Self::Lists => "[][]interface {}",
        }
    }
}

/// A list. Never changed once made; cloning shares it.
#[derive(Clone)]
pub struct List(Rc<ListCell>);

struct ListCell {
    is_nil: bool,
    elements: Elements,
    lazy: Option<object::List>,
    items: OnceCell<Vec<Value>>,
}

impl List {
    /// A list of anything.
    pub fn new(items: Vec<Value>) -> Self {
        Self::of(Elements::Any, items)
    }

    /// A list of some type.
    pub fn of(elements: Elements, items: Vec<Value>) -> Self {
        Self(Rc::new(ListCell {
            is_nil: false,
            elements,
            lazy: None,
            items: OnceCell::from(items),
        }))
    }

    /// A list of texts.
    pub fn texts<T: AsRef<[u8]>>(items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(|item| Value::text(item.as_ref()));
        Self::of(Elements::Texts, items.collect())
    }

    /// A list of a request; its elements are made when somebody asks for them.
    pub fn lazy(list: object::List) -> Self {
        Self(Rc::new(ListCell {
            is_nil: false,
            elements: Elements::Any,
            lazy: Some(list),
            items: OnceCell::new(),
        }))
    }

    /// A nil of type `[]interface {}`: an empty list that is written as null.
    pub fn nil() -> Self {
        Self::nil_of(Elements::Any)
    }

    /// A nil of some type of list.
    pub fn nil_of(elements: Elements) -> Self {
        Self(Rc::new(ListCell {
            is_nil: true,
            elements,
            lazy: None,
            items: OnceCell::from(Vec::new()),
        }))
    }

    /// Whether this is a nil of its type.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }

    /// The elements.
    pub fn items(&self) -> &[Value] {
        self.0.items.get_or_init(|| {
            let lazy = self.0.lazy.as_ref();
            lazy.map_or_else(Vec::new, |list| list.iter().map(Value::from).collect())
        })
    }

    /// Whether the elements have been made.
    pub(crate) fn is_made(&self) -> bool {
        self.0.items.get().is_some()
    }

    /// What the elements are.
    pub fn elements(&self) -> Elements {
        self.0.elements
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.0.elements.name(), self.items().len())
    }
}

/// What the values of a map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Members {
    /// `map[string]interface {}`.
    Any,
    /// `map[string]string`.
    Texts,
    /// `map[string][]uint8`.
    Bytes,
}

/// A map with texts for keys. Cloning shares it: a change is seen by all.
#[derive(Clone)]
pub struct Map(Rc<MapCell>);

struct MapCell {
    is_nil: bool,
    members: Members,
    entries: RefCell<Entries>,
}

enum Entries {
    Lazy(object::Object),
    Open(BTreeMap<Text, Value>),
}

impl Map {
    /// A `map[string]interface {}`.
    pub fn new(entries: BTreeMap<Text, Value>) -> Self {
        Self::of(Members::Any, entries)
    }

    /// A map of some type.
    pub fn of(members: Members, entries: BTreeMap<Text, Value>) -> Self {
        Self(Rc::new(MapCell {
            is_nil: false,
            members,
            entries: RefCell::new(Entries::Open(entries)),
        }))
    }

    /// An object of a request; its values are made when somebody asks for one of them.
    pub fn lazy(object: object::Object) -> Self {
        Self(Rc::new(MapCell {
            is_nil: false,
            members: Members::Any,
            entries: RefCell::new(Entries::Lazy(object)),
        }))
    }

    /// A nil of type `map[string]interface {}`: an empty map that nothing can be put into.
    pub fn nil() -> Self {
        Self::nil_of(Members::Any)
    }

    /// A nil of some type of map.
    pub fn nil_of(members: Members) -> Self {
        Self(Rc::new(MapCell {
            is_nil: true,
            members,
            entries: RefCell::new(Entries::Open(BTreeMap::new())),
        }))
    }

    /// Whether this is a nil of its type.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }

    /// The entries, sorted by key.
    pub fn entries(&self) -> Ref<'_, BTreeMap<Text, Value>> {
        self.open();
        Ref::map(self.0.entries.borrow(), |entries| match entries {
            Entries::Open(open) => open,
            Entries::Lazy(_) => unreachable!("the map was just opened"),
        })
    }

    /// A value.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        if let Entries::Lazy(lazy) = &*self.0.entries.borrow() {
            match lazy.get(std::str::from_utf8(key).ok()?)? {
                // One of these is one thing for all who hold it, because it may be changed; so it is made once.
                object::ValueRef::Object(_) | object::ValueRef::List(_) => {}
                scalar => return Some(Value::from(scalar)),
            }
        }
        self.entries().get(key).cloned()
    }

    /// Sets a value; who shares this map sees it.
    pub fn set(&self, key: Text, value: Value) {
        self.open();
        if let Entries::Open(open) = &mut *self.0.entries.borrow_mut() {
            open.insert(key, value);
        }
    }

    /// Takes a value out.
    pub fn unset(&self, key: &[u8]) {
        self.open();
        if let Entries::Open(open) = &mut *self.0.entries.borrow_mut() {
            open.remove(key);
        }
    }

    /// What the values are.
    pub fn members(&self) -> Members {
        self.0.members
    }

    /// Whether both are one and the same map.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    fn open(&self) {
        let lazy = match &*self.0.entries.borrow() {
            Entries::Lazy(lazy) => lazy.clone(),
            Entries::Open(_) => return,
        };
        let open = lazy
            .iter()
            .map(|(key, value)| (Text::from(key.as_bytes()), Value::from(value)))
            .collect();
        *self.0.entries.borrow_mut() = Entries::Open(open);
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "map[{}]", self.entries().len())
    }
}

/// Values nest as deep as a template makes them; dropping them must not go as deep on the stack.
fn drop_deep(mut values: Vec<Value>) {
    while let Some(value) = values.pop() {
        match value {
            Value::List(list) => {
                if let Some(mut cell) = Rc::into_inner(list.0)
                    && let Some(items) = cell.items.take()
                {
                    values.extend(items);
                }
            }
            Value::Map(map) => {
                if let Some(cell) = Rc::into_inner(map.0) {
                    values.extend(cell.take());
                }
            }
            _ => {}
        }
    }
}

impl MapCell {
    fn take(&self) -> Vec<Value> {
        match &mut *self.entries.borrow_mut() {
            Entries::Open(open) => std::mem::take(open).into_values().collect(),
            Entries::Lazy(_) => Vec::new(),
        }
    }
}

fn nests(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

impl Drop for ListCell {
    fn drop(&mut self) {
        if let Some(items) = self.items.take()
            && items.iter().any(nests)
        {
            drop_deep(items);
        }
    }
}

impl Drop for MapCell {
    fn drop(&mut self) {
        let values = self.take();
        if values.iter().any(nests) {
            drop_deep(values);
        }
    }
}

impl Value {
    /// A text.
    pub fn text(text: impl AsRef<[u8]>) -> Self {
        Self::Text(Text::from(text.as_ref()))
    }

    /// An `int`.
    pub const fn int(value: i64) -> Self {
        Self::Int(value, Whole::Int)
    }

    /// An `int64`.
    pub const fn int64(value: i64) -> Self {
        Self::Int(value, Whole::Int64)
    }

    /// A list of anything.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    /// A `map[string]interface {}`.
    pub fn map<K: AsRef<[u8]>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter();
        Self::Map(Map::new(
            entries.map(|(k, v)| (Text::from(k.as_ref()), v)).collect(),
        ))
    }

    /// Whether there is no value: nothing, or nil.
    pub const fn is_nil(&self) -> bool {
        matches!(self, Self::Missing | Self::Nil)
    }

    /// Whether Go counts the value as true: not zero, not empty.
    pub fn truth(&self) -> bool {
        match self {
            Self::Missing | Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value, _) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Map(map) => !map.entries().is_empty(),
            Self::Pairs(pairs) => !pairs.is_empty(),
            Self::Native(_) => true,
        }
    }

    /// The name of the Go type.
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_, whole) => whole.name(),
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(list) => list.elements().name(),
            Self::Map(map) => map_type(map.members()),
            Self::Pairs(_) => "map[interface {}]interface {}",
            Self::Native(native) => native.go_type(),
        }
    }

    /// The name of the kind of Go type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "invalid",
            Self::List(_) => "slice",
            Self::Map(_) | Self::Pairs(_) => "map",
            Self::Native(native) if native.go_type().starts_with('*') => "ptr",
            Self::Native(_) => "struct",
            other => other.go_type(),
        }
    }

    /// The value as an argument of a Go format.
    pub fn arg(&self) -> Arg<'_> {
        match self {
            Self::Missing | Self::Nil => Arg::Nil,
            Self::Bool(value) => Arg::Bool(*value),
            Self::Int(value, whole) => Arg::Whole(*value, whole.name()),
            Self::Float(value) => Arg::Float(*value),
            Self::Text(text) => Arg::Text(text),
            Self::List(list) => Arg::Sequence(list),
            Self::Map(map) => Arg::Mapping(map),
            Self::Pairs(pairs) => Arg::Mapping(&**pairs),
            // Printed by `shown`, which has somewhere to keep the text.
            Self::Native(native) => Arg::Named(b"", native.go_type()),
        }
    }

    /// The text `%v` makes of it.
    pub fn shown(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.to_vec(),
            Self::Native(native) => native.text().into_bytes(),
            other => crate::gofmt::default_text(other.arg()),
        }
    }
}

fn map_type(members: Members) -> &'static str {
    match members {
        Members::Any => "map[string]interface {}",
        Members::Texts => "map[string]string",
        Members::Bytes => "map[string][]uint8",
    }
}

/// Calls `show` with the argument for a value, whatever has to be made for it.
fn with_arg(value: &Value, show: &mut dyn FnMut(Arg<'_>)) {
    if let Value::Native(native) = value {
        show(Arg::Named(native.text().as_bytes(), native.go_type()));
    } else {
        show(value.arg());
    }
}

impl Sequence for List {
    fn each(&self, show: &mut dyn FnMut(Arg<'_>)) {
        for item in self.items() {
            with_arg(item, show);
        }
    }

    fn go_type(&self) -> &'static str {
        self.elements().name()
    }
}

impl Mapping for Map {
    fn each(&self, show: &mut dyn FnMut(Arg<'_>, Arg<'_>)) {
        for (key, value) in self.entries().iter() {
            with_arg(value, &mut |value| show(Arg::Text(key), value));
        }
    }

    fn go_type(&self) -> &'static str {
        map_type(self.members())
    }

    fn is_struct(&self) -> bool {
        false
    }
}

impl Mapping for Vec<(Value, Value)> {
    fn each(&self, show: &mut dyn FnMut(Arg<'_>, Arg<'_>)) {
        // Keys of several types are printed by type: nothing, texts, then what is left.
        let rank = |key: &Value| match key {
            Value::Missing | Value::Nil => 0,
            Value::Text(_) => 1,
            Value::Native(_) => 3,
            _ => 2,
        };
        let mut entries: Vec<&(Value, Value)> = self.iter().collect();
        entries.sort_by(|(a, _), (b, _)| match (a, b) {
            (Value::Int(a, _), Value::Int(b, _)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            _ => rank(a).cmp(&rank(b)),
        });
        for (key, value) in entries {
            with_arg(key, &mut |key| {
                with_arg(value, &mut |value| show(key, value));
            });
        }
    }

    fn go_type(&self) -> &'static str {
        "map[interface {}]interface {}"
    }

    fn is_struct(&self) -> bool {
        false
    }
}

impl From<ValueRef<'_>> for Value {
    /// As Kubernetes' JSON decoder makes it: whole numbers that fit are `int64`.
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Nil,
            ValueRef::Bool(value) => Self::Bool(value),
            ValueRef::Int(value) => Self::int64(value),
            ValueRef::Double(value) => decoded(value).map_or(Self::Float(value), Self::int64),
            ValueRef::String(text) => Self::text(text),
            ValueRef::List(list) => Self::List(List::lazy(list.to_owned())),
            ValueRef::Object(object) => Self::Map(Map::lazy(object.to_owned())),
        }
    }
}

/// The `int64` that a double becomes on its way through JSON: above 2^53 its shortest digits, with noughts behind them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole and in range, so exact"
)]
fn decoded(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 {
        return None;
    }
    if value.abs() < EXACT {
        return Some(value as i64);
    }
    // Rust too writes the shortest digits, and never an exponent.
    value.to_string().parse().ok()
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into_bytes().into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(text: Vec<u8>) -> Self {
        Self::Text(text.into())
    }
}

/// A `complex128`, as a literal such as `1i` makes it.
#[derive(Debug)]
pub(crate) struct Complex(pub(crate) f64);

impl Native for Complex {
    fn go_type(&self) -> &'static str {
        "complex128"
    }

    fn member(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn text(&self) -> String {
        use crate::gofmt::{Precision, format_float};
        let part = format_float(self.0, 'g', Precision::Shortest);
        let sign = if part.starts_with('-') { "" } else { "+" };
        format!("(0{sign}{part}i)")
    }

    fn json(&self) -> String {
        "null".to_owned()
    }
}

/// How deep two values are compared, copied or written.
pub(crate) const MAX_DEPTH: usize = 300;

/// `reflect.DeepEqual`.
pub(crate) fn deep_equal(a: &Value, b: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match (a, b) {
        (Value::Missing | Value::Nil, Value::Missing | Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a, x), Value::Int(b, y)) => a == b && x == y,
        #[expect(clippy::float_cmp, reason = "as Go compares them")]
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.elements() == b.elements()
                && a.items().len() == b.items().len()
                && (a.items().iter().zip(b.items())).all(|(a, b)| deep_equal(a, b, depth + 1))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.is(b) || {
                let (a, b) = (a.entries(), b.entries());
                a.len() == b.len()
                    && (a.iter().zip(b.iter()))
                        .all(|((k, a), (l, b))| k == l && deep_equal(a, b, depth + 1))
            }
        }
        (Value::Pairs(a), Value::Pairs(b)) => {
            a.len() == b.len()
                && (a.iter().zip(b.iter())).all(|((k, a), (l, b))| {
                    deep_equal(k, l, depth + 1) && deep_equal(a, b, depth + 1)
                })
        }
        (Value::Native(a), Value::Native(b)) => a.go_type() == b.go_type() && a.text() == b.text(),
        _ => false,
    }
}

/// A copy that shares nothing that can be changed.
pub(crate) fn deep_copy(value: &Value, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err(format!(
            "the value is nested deeper than {MAX_DEPTH} levels"
        ));
    }
    Ok(match value {
        Value::List(list) => {
            let items = list.items().iter().map(|item| deep_copy(item, depth + 1));
            Value::List(List::of(list.elements(), items.collect::<Result<_, _>>()?))
        }
        Value::Map(map) => {
            let entries = map.entries();
            let entries = entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), deep_copy(value, depth + 1)?)));
            Value::Map(Map::of(
                map.members(),
                entries.collect::<Result<_, String>>()?,
            ))
        }
        other => other.clone(),
    })
}
