//! What do these fields say, read one by one? For the kinds whose checks look at single fields.

use purlin_object::{ListRef, ObjectRef, ValueRef};

/// A whole number; a fraction is cut off, anything else is absent.
#[expect(clippy::cast_possible_truncation, reason = "as Go converts")]
pub(crate) fn number(object: ObjectRef<'_>, path: &[&str]) -> Option<i64> {
    match object.get_path(path)? {
        ValueRef::Int(number) => Some(number),
        ValueRef::Double(number) => Some(number as i64),
        _ => None,
    }
}

/// A text; anything else is absent.
pub(crate) fn text<'a>(object: ObjectRef<'a>, path: &[&str]) -> Option<&'a str> {
    object.get_path(path).and_then(ValueRef::as_str)
}

/// A list; anything else is absent.
pub(crate) fn list<'a>(object: ObjectRef<'a>, path: &[&str]) -> Option<ListRef<'a>> {
    object.get_path(path).and_then(ValueRef::as_list)
}

/// The conditions with their statuses, in order, those with both.
pub(crate) fn conditions(object: ObjectRef<'_>) -> impl Iterator<Item = (&str, &str)> {
    let conditions = list(object, &["status", "conditions"]);
    conditions
        .into_iter()
        .flat_map(ListRef::iter)
        .filter_map(|condition| {
            let condition = condition.as_object()?;
            Some((text(condition, &["type"])?, text(condition, &["status"])?))
        })
}

/// Whether a condition is true.
pub(crate) fn is_true(object: ObjectRef<'_>, kind: &str) -> bool {
    conditions(object).any(|(found, status)| found == kind && status == "True")
}
