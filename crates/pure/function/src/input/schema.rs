//! Which fields does an input type decode? The type is decoded from nothing while its questions are written down, so that a
//! schema made here cannot drift from the code.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Visitor, value::StrDeserializer,
};
use serde_json::{Map, Value, json};

/// An OpenAPI schema, as JSON.
pub type Schema = Value;

const ANYTHING: &str = "x-kubernetes-preserve-unknown-fields";
/// A type that contains itself is followed this far.
const DEEPEST: usize = 12;
/// Passes over one type. Each settles one field.
const PASSES: usize = 4096;

/// The OpenAPI schema, in the structural form of CRDs, of what `T` decodes.
///
/// Fields are required when `T` cannot be decoded without them. Words that are allowed are known only of enums, and a value that
/// decodes itself may be anything.
pub fn schema_of<T: DeserializeOwned>() -> Schema {
    let mut skipped = BTreeSet::new();
    let mut schema = json!({});
    for _ in 0..PASSES {
        let pass = Pass::new(&skipped);
        let outcome = T::deserialize(Probe::root(&pass));
        schema = pass.schema.into_inner();
        match (outcome, pass.last.into_inner()) {
            (Err(_), Some(path)) if skipped.insert(path.clone()) => {}
            _ => break,
        }
    }
    require::<T>(&mut schema, &skipped);
    schema
}

/// Marks as required what a decode without it misses.
fn require<T: DeserializeOwned>(schema: &mut Value, skipped: &BTreeSet<String>) {
    let mut paths = Vec::new();
    properties(schema, "", &mut paths);
    for path in paths.into_iter().filter(|path| !skipped.contains(path)) {
        let mut without = skipped.clone();
        without.insert(path.clone());
        let pass = Pass::new(&without);
        if let Err(Fault { missing: true }) = T::deserialize(Probe::root(&pass)) {
            mark(schema, &path);
        }
    }
}

fn properties(schema: &Value, at: &str, paths: &mut Vec<String>) {
    if let Some(fields) = schema["properties"].as_object() {
        for (name, field) in fields {
            let path = format!("{at}/properties/{name}");
            paths.push(path.clone());
            properties(field, &path, paths);
        }
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            properties(&schema[inner], &format!("{at}/{inner}"), paths);
        }
    }
}

fn mark(schema: &mut Value, path: &str) {
    let Some((owner, name)) = path.rsplit_once("/properties/") else {
        return;
    };
    if let Some(owner) = schema.pointer_mut(owner).and_then(Value::as_object_mut) {
        let required = owner.entry("required").or_insert_with(|| json!([]));
        if let Some(list) = required.as_array_mut() {
            list.push(name.into());
        }
    }
}

/// One decode from nothing.
struct Pass<'s> {
    schema: RefCell<Value>,
    /// The field that was decoded last: the one that is to blame when decoding fails.
    last: RefCell<Option<String>>,
    skipped: &'s BTreeSet<String>,
}

impl<'s> Pass<'s> {
    fn new(skipped: &'s BTreeSet<String>) -> Self {
        Self {
            schema: RefCell::new(json!({})),
            last: RefCell::new(None),
            skipped,
        }
    }

    fn write(&self, path: &str, schema: Value) {
        if let Some(place) = self.schema.borrow_mut().pointer_mut(path) {
            *place = schema;
        }
    }
}

#[derive(Clone, Copy)]
struct Probe<'p, 's> {
    pass: &'p Pass<'s>,
    path: &'p str,
    depth: usize,
}

impl<'p, 's> Probe<'p, 's> {
    fn root(pass: &'p Pass<'s>) -> Self {
        Self {
            pass,
            path: "",
            depth: 0,
        }
    }

    fn write(&self, schema: Value) {
        self.pass.write(self.path, schema);
    }

    /// Decodes one part below this one, which is described at `step`.
    fn below<S: DeserializeSeed<'static>>(&self, step: &str, seed: S) -> Result<S::Value, Fault> {
        let path = format!("{}/{step}", self.path);
        seed.deserialize(Probe {
            pass: self.pass,
            path: &path,
            depth: self.depth + 1,
        })
    }
}

/// Decoding from nothing does not always work; `missing` when a field was wanted.
#[derive(Debug)]
struct Fault {
    missing: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing is not a value of this type")
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self { missing: false }
    }

    fn missing_field(_: &'static str) -> Self {
        Self { missing: true }
    }
}

macro_rules! simple {
    ($($method:ident, $visit:ident($($value:expr)?), $schema:tt;)*) => {
        $(
            fn $method<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Fault> {
                self.write(json!($schema));
                visitor.$visit($($value)?)
            }
        )*
    };
}

impl Deserializer<'static> for Probe<'_, '_> {
    type Error = Fault;

    simple! {
        deserialize_any, visit_unit(), {ANYTHING: true};
        deserialize_ignored_any, visit_unit(), {ANYTHING: true};
        deserialize_unit, visit_unit(), {ANYTHING: true};
        deserialize_bool, visit_bool(false), {"type": "boolean"};
        deserialize_i8, visit_i8(0), {"type": "integer", "format": "int32"};
        deserialize_i16, visit_i16(0), {"type": "integer", "format": "int32"};
        deserialize_i32, visit_i32(0), {"type": "integer", "format": "int32"};
        deserialize_i64, visit_i64(0), {"type": "integer", "format": "int64"};
        deserialize_u8, visit_u8(0), {"type": "integer", "format": "int32", "minimum": 0};
        deserialize_u16, visit_u16(0), {"type": "integer", "format": "int32", "minimum": 0};
        deserialize_u32, visit_u32(0), {"type": "integer", "format": "int64", "minimum": 0};
        deserialize_u64, visit_u64(0), {"type": "integer", "format": "int64", "minimum": 0};
        deserialize_f32, visit_f32(0.0), {"type": "number"};
        deserialize_f64, visit_f64(0.0), {"type": "number"};
        deserialize_char, visit_char('a'), {"type": "string"};
        deserialize_str, visit_str(""), {"type": "string"};
        deserialize_string, visit_str(""), {"type": "string"};
        deserialize_identifier, visit_str(""), {"type": "string"};
        deserialize_bytes, visit_bytes(&[]), {"type": "string"};
        deserialize_byte_buf, visit_bytes(&[]), {"type": "string"};
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.write(json!({"type": "array", "items": {ANYTHING: true}}));
        visitor.visit_seq(One {
            probe: self,
            left: 1,
        })
    }

    fn deserialize_tuple<V: Visitor<'static>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.write(
            json!({"type": "array", "items": {ANYTHING: true}, "minItems": len, "maxItems": len}),
        );
        visitor.visit_seq(One {
            probe: self,
            left: len,
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.write(json!({"type": "object", "additionalProperties": {}}));
        let value = visitor.visit_map(One {
            probe: self,
            left: 1,
        })?;
        // A map of anything is written the way that lets everything through.
        let place = format!("{}/additionalProperties", self.path);
        let inner = self.pass.schema.borrow().pointer(&place).cloned();
        if inner == Some(json!({ANYTHING: true})) {
            self.write(json!({"type": "object", ANYTHING: true}));
        }
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if self.depth > DEEPEST {
            self.write(json!({ANYTHING: true}));
            return Err(Fault { missing: false });
        }
        let properties: Map<String, Value> = fields
            .iter()
            .map(|field| ((*field).to_owned(), json!({ANYTHING: true})))
            .collect();
        self.write(json!({"type": "object", "properties": properties}));
        visitor.visit_map(Fields {
            probe: self,
            left: fields.iter(),
            current: "",
        })
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.write(json!({"type": "string", "enum": variants}));
        let first = variants.first().copied().unwrap_or_default();
        visitor.visit_enum(StrDeserializer::<Fault>::new(first))
    }
}

/// A list or map with as many parts as are wanted.
struct One<'p, 's> {
    probe: Probe<'p, 's>,
    left: usize,
}

impl de::SeqAccess<'static> for One<'_, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        self.probe.below("items", seed).map(Some)
    }
}

impl de::MapAccess<'static> for One<'_, '_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(StrDeserializer::new("key")).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        self.probe.below("additionalProperties", seed)
    }
}

struct Fields<'p, 's> {
    probe: Probe<'p, 's>,
    left: std::slice::Iter<'static, &'static str>,
    current: &'static str,
}

impl de::MapAccess<'static> for Fields<'_, '_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        for field in self.left.by_ref() {
            let path = format!("{}/properties/{field}", self.probe.path);
            if !self.probe.pass.skipped.contains(&path) {
                self.current = field;
                return seed.deserialize(StrDeserializer::new(field)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let step = format!("properties/{}", self.current);
        let path = format!("{}/{step}", self.probe.path);
        let value = self.probe.below(&step, seed);
        let mut last = self.probe.pass.last.borrow_mut();
        // The innermost field that fails is the one to leave out; those around it fail because of it.
        if value.is_err() && last.is_none() {
            *last = Some(path);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use purlin_object::{Object, Value};
    use serde::Deserialize;
    use serde_json::json;

    use super::schema_of;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Input {
        name: String,
        #[serde(default)]
        min_match: Option<u64>,
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        labels: BTreeMap<String, String>,
        #[serde(default)]
        data: Option<Object>,
        #[serde(default)]
        like: Option<Box<Self>>,
        #[serde(default, deserialize_with = "never")]
        late: Option<bool>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Part {
        r#type: Kind,
        value: Value,
        #[serde(default)]
        on: bool,
    }

    #[derive(Deserialize)]
    enum Kind {
        Whole,
        Half,
    }

    fn never<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
        let given = bool::deserialize(from)?;
        if given {
            Ok(Some(given))
        } else {
            Err(serde::de::Error::custom("only true"))
        }
    }

    #[test]
    fn a_schema_has_the_fields_that_are_decoded() {
        let schema = schema_of::<Input>();
        let at = |path: &str| schema.pointer(path).unwrap_or(&serde_json::Value::Null);
        assert_eq!(at("/required"), &json!(["name"]));
        assert_eq!(
            at("/properties/minMatch"),
            &json!({"type": "integer", "format": "int64", "minimum": 0})
        );
        assert_eq!(
            at("/properties/parts/items/required"),
            &json!(["type", "value"])
        );
        assert_eq!(
            at("/properties/parts/items/properties/type"),
            &json!({"type": "string", "enum": ["Whole", "Half"]})
        );
        assert_eq!(
            at("/properties/parts/items/properties/value"),
            &json!({"x-kubernetes-preserve-unknown-fields": true})
        );
        assert_eq!(
            at("/properties/labels"),
            &json!({"type": "object", "additionalProperties": {"type": "string"}})
        );
        assert_eq!(
            at("/properties/data"),
            &json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
        );
        assert_eq!(
            at("/properties/like/properties/name"),
            &json!({"type": "string"}),
            "types that contain themselves end"
        );
        // What cannot be decoded from nothing is there, and lets everything through.
        assert_eq!(
            at("/properties/late"),
            &json!({"x-kubernetes-preserve-unknown-fields": true})
        );
        let _ = (Kind::Whole, Kind::Half);
    }
}
