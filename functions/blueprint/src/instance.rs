//! Which elements does a `forEach` have, and what are their resources called?
//!
//! An element is known by its value, not by its place: reordering the list changes nothing.

use std::collections::BTreeMap;

use purlin_diag::Diagnostic;
use purlin_expr::{Key, Val};
use purlin_object::Value;

/// Longest part of a name that comes from the element's value.
const LONGEST: usize = 40;

/// Most elements of one list.
const MOST: usize = 1_000;

/// One value of a variable.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    /// What it is known by.
    pub(crate) key: String,
    /// The end of the name of its resource.
    pub(crate) suffix: String,
    pub(crate) value: Val<'a>,
}

/// The values of a list or a map.
///
/// # Errors
/// Neither, too many, or one of them twice.
pub(crate) fn items<'a>(list: &Val<'a>, field: &str) -> Result<Vec<Item<'a>>, Box<Diagnostic>> {
    let wrong =
        |message: String| Box::new(Diagnostic::error("blueprint/for-each", message).path(field));
    let mut items: Vec<Item<'a>> = Vec::new();
    let bounded = |count: usize| {
        (count <= MOST).then_some(()).ok_or_else(|| {
            wrong(format!(
                "this has {count} elements; at most {MOST} are allowed"
            ))
        })
    };
    if let Some(values) = list.elements() {
        bounded(values.len())?;
        for value in values {
            let data = value.to_data().map_err(|_| {
                let form = value.type_name();
                wrong(format!("an element is {form}, which is no data"))
            })?;
            let (key, suffix) = identity(&data);
            items.push(Item { key, suffix, value });
        }
        check_twice(&items, field)?;
        return Ok(items);
    }
    if let Val::Optional(None) = list {
        return Ok(items);
    }
    let Some(entries) = list.entries() else {
        return Err(wrong(format!(
            "forEach takes a list or a map, not {}",
            list.type_name()
        )));
    };
    bounded(entries.len())?;
    for (key, value) in entries {
        let text = match &key {
            Key::String(text) => text.as_str().to_owned(),
            other => other.to_val().plain().unwrap_or_default(),
        };
        let (key, suffix) = identity(&Value::String(text.clone()));
        let entry = [
            ("key".to_owned(), Val::text(text)),
            ("value".to_owned(), value),
        ];
        items.push(Item {
            key,
            suffix,
            value: Val::map(entry),
        });
    }
    items.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(items)
}

fn check_twice(items: &[Item<'_>], field: &str) -> Result<(), Box<Diagnostic>> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        if let Some(first) = seen.insert(&item.key, at) {
            let message = format!(
                "the elements {first} and {at} are the same: {}; an element is known by its value, so there is one resource for both",
                item.key
            );
            return Err(Box::new(
                Diagnostic::error("blueprint/for-each", message)
                    .path(field)
                    .help("write `.distinct()` after the list"),
            ));
        }
    }
    Ok(())
}

/// One combination of values, one for each variable.
#[derive(Debug, Clone)]
pub(crate) struct Element<'a> {
    /// The way to it in the map of all of them.
    pub(crate) keys: Vec<String>,
    /// The end of the name of its resource.
    pub(crate) suffix: String,
    pub(crate) values: Vec<Val<'a>>,
}

/// Every combination.
///
/// # Errors
/// There are too many.
pub(crate) fn product<'a>(
    lists: &[Vec<Item<'a>>],
    field: &str,
) -> Result<Vec<Element<'a>>, Box<Diagnostic>> {
    let count = lists.iter().map(Vec::len).fold(1, usize::saturating_mul);
    if count > MOST {
        let message = format!("there are {count} combinations; at most {MOST} are allowed");
        return Err(Box::new(
            Diagnostic::error("blueprint/for-each", message).path(field),
        ));
    }
    let mut elements = vec![Element {
        keys: Vec::new(),
        suffix: String::new(),
        values: Vec::new(),
    }];
    for list in lists {
        elements = elements
            .iter()
            .flat_map(|element| list.iter().map(move |item| element.with(item)))
            .collect();
    }
    Ok(elements)
}

impl<'a> Element<'a> {
    fn with(&self, item: &Item<'a>) -> Self {
        let mut element = self.clone();
        element.keys.push(item.key.clone());
        if !element.suffix.is_empty() {
            element.suffix.push('-');
        }
        element.suffix.push_str(&item.suffix);
        element.values.push(item.value.clone());
        element
    }

    /// Makes it known by a text instead.
    pub(crate) fn rename(&mut self, key: String) {
        let (key, suffix) = identity(&Value::String(key));
        self.keys = vec![key];
        self.suffix = suffix;
    }
}

/// The key and the end of the name of an element.
fn identity(data: &Value) -> (String, String) {
    let (key, scalar) = match data {
        Value::String(text) => (text.clone(), true),
        Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Null => {
            (data.to_json().to_string(), true)
        }
        Value::List(_) | Value::Object(_) => (data.to_json().to_string(), false),
    };
    let name = if scalar {
        sanitised(&key)
    } else {
        String::new()
    };
    if name == key && !name.is_empty() {
        return (key, name);
    }
    // What had to be changed gets a hash of what it was, so that two of them stay two.
    let hash = data.as_ref().canonical_hash();
    let [a, b, c, d, ..] = hash;
    let hash = format!("{:08x}", u32::from_be_bytes([a, b, c, d]));
    let suffix = if name.is_empty() {
        hash
    } else {
        format!("{name}-{hash}")
    };
    (key, suffix)
}

/// The text with only what a name may hold: small letters, digits, `-` and `.`.
fn sanitised(text: &str) -> String {
    let mut name: String = text
        .to_lowercase()
        .chars()
        .take(LONGEST)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let kept = name.trim_end_matches(['-', '.']).len();
    name.truncate(kept);
    name.trim_start_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(values: &[Value]) -> Vec<String> {
        let list = Val::list(values.iter().map(|value| Val::from_data(value.as_ref())));
        let items = items(&list, "f").unwrap().into_iter();
        items
            .map(|item| format!("subnet-{}", item.suffix))
            .collect()
    }

    #[test]
    fn names_come_from_values() {
        let text = |text: &str| Value::String(text.to_owned());
        assert_eq!(
            names(&[text("eu-1a"), text("eu-1b")]),
            ["subnet-eu-1a", "subnet-eu-1b"]
        );
        assert_eq!(
            names(&[Value::Double(3.0), Value::Bool(true)]),
            ["subnet-3", "subnet-true"]
        );
        let odd = names(&[text("A"), text("a"), text("a b"), text("a_b"), text("")]);
        assert_eq!(odd[1], "subnet-a");
        assert!(
            odd[0].starts_with("subnet-a-")
                && odd[2].starts_with("subnet-a-b-")
                && odd[3].starts_with("subnet-a-b-")
        );
        assert_ne!(odd[2], odd[3]);
        assert_eq!(odd[4].len(), "subnet-".len() + 8);
        assert!(names(&[text(&"x".repeat(100))])[0].len() <= "subnet-".len() + LONGEST + 9);
    }

    #[test]
    fn an_element_is_there_once() {
        let list = Val::list([Val::Int(1), Val::Int(2), Val::Int(1)]);
        let told = items(&list, "f").unwrap_err().message;
        assert!(
            told.starts_with("the elements 0 and 2 are the same: 1"),
            "{told}"
        );
        assert!(items(&Val::Int(1), "f").is_err());
    }

    #[test]
    fn a_map_is_known_by_its_keys_and_several_variables_give_every_combination() {
        let map = Val::map([("b".to_owned(), Val::Int(1)), ("a".to_owned(), Val::Int(2))]);
        let map = items(&map, "f").unwrap();
        let list = items(&Val::list([Val::text("x"), Val::text("y")]), "f").unwrap();
        let elements = product(&[map, list], "f").unwrap();
        let names: Vec<&str> = elements.iter().map(|one| one.suffix.as_str()).collect();
        assert_eq!(names, ["a-x", "a-y", "b-x", "b-y"]);
        assert_eq!(elements[3].keys, ["b", "y"]);
        let many = items(&Val::list((0..40).map(Val::Int)), "f").unwrap();
        assert!(product(&[many.clone(), many], "f").is_err());
    }
}
