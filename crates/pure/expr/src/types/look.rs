//! What is at a field or an element of a type?

use purlin_diag::nearest;
use purlin_schema::{Additional, Schema};

use super::{OBJECT, Ty};

/// What a look-up of a field finds.
#[derive(Debug)]
pub(crate) enum Found<'s> {
    Field(Ty<'s>),
    /// There is no such field, only these.
    Unknown(Vec<String>),
    /// It has no fields at all.
    NotFields,
}

/// The schema of a field of an object, the fields every object has included.
pub(crate) fn field_schema<'s>(
    schema: &'s Schema,
    whole: bool,
    name: &str,
) -> Result<Option<&'s Schema>, Vec<String>> {
    if whole && let Some(own) = OBJECT.properties.get(name) {
        return Ok(Some(own));
    }
    if let Some(field) = schema.properties.get(name) {
        return Ok(Some(field));
    }
    match &schema.additional {
        Some(Additional::Schema(value)) => return Ok(Some(value)),
        Some(Additional::Flag(true)) => return Ok(None),
        Some(Additional::Flag(false)) | None => {}
    }
    let open = schema.preserve_unknown || schema.embedded || schema.int_or_string;
    let combined =
        !(schema.all_of.is_empty() && schema.any_of.is_empty() && schema.one_of.is_empty());
    // An object nobody has described further is not known, rather than empty.
    if open || schema.properties.is_empty() || (combined && schema.kind.is_none()) {
        return Ok(None);
    }
    let own = OBJECT.properties.keys().filter(|_| whole);
    let known = schema.properties.keys().chain(own);
    Err(known.cloned().collect())
}

impl<'s> Ty<'s> {
    pub(crate) fn field(&self, name: &str) -> Found<'s> {
        let of_schema = |schema, whole| match field_schema(schema, whole, name) {
            Ok(field) => Found::Field(field.map_or(Ty::Dyn, Ty::of)),
            Err(known) => Found::Unknown(known),
        };
        match self {
            Self::Dyn => Found::Field(Self::Dyn),
            Self::Err => Found::Field(Self::Err),
            Self::Map(pair) => Found::Field(pair.1.clone()),
            Self::Object(schema) => of_schema(schema, false),
            Self::Whole(schema) => of_schema(schema, true),
            Self::Shaped(shape) => match shape.fields.get(name) {
                Some(known) => Found::Field(Self::of_shape(&known.shape)),
                None => Found::Unknown(shape.fields.keys().cloned().collect()),
            },
            Self::Record(record) => {
                if let Some((_, ty)) = record.fields.iter().find(|(known, _)| known == name) {
                    return Found::Field(ty.clone());
                }
                let mut known = Vec::new();
                match record.rest.as_ref().map(|rest| rest.field(name)) {
                    Some(Found::Unknown(others)) => known = others,
                    Some(found) => return found,
                    None => {}
                }
                known.extend(record.fields.iter().map(|(name, _)| name.to_string()));
                Found::Unknown(known)
            }
            _ => Found::NotFields,
        }
    }
}

/// Which of `known` was probably meant, or which ones there are.
pub(crate) fn did_you_mean(name: &str, known: &[String]) -> Option<String> {
    const FEW: usize = 8;
    let dashed = format!("{name}-");
    let mut with_dash = known.iter().filter(|other| other.starts_with(&dashed));
    if let (Some(one), None) = (with_dash.next(), with_dash.next()) {
        return Some(format!(
            "did you mean `[\"{one}\"]`? A name with a dash stands in brackets"
        ));
    }
    if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
        return Some(format!("did you mean `{near}`?"));
    }
    if known.is_empty() || known.len() > FEW {
        return None;
    }
    Some(format!("there are {}", known.join(", ")))
}
