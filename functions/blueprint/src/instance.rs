//! Which elements does a `forEach` have, and what are their resources called?
//!
//! An element is known by its value, not by its place: reordering the list changes nothing.

use purlin_diag::Diagnostic;
use purlin_expr::Val;
use purlin_object::Value;

/// Longest part of a name that comes from the element's value.
const LONGEST: usize = 40;

/// Most elements of one list.
const MOST: usize = 1_000;

/// One element.
#[derive(Debug, Clone)]
pub(crate) struct Element<'a> {
    /// The element as the key of the map of its resources.
    pub(crate) key: String,
    /// The name of its resource.
    pub(crate) name: String,
    pub(crate) value: Val<'a>,
}

/// The elements of a list, for the resources called `resource-…`.
///
/// # Errors
/// No list, too many elements, or one of them twice.
pub(crate) fn elements<'a>(
    list: &Val<'a>,
    resource: &str,
    field: &str,
) -> Result<Vec<Element<'a>>, Box<Diagnostic>> {
    let wrong =
        |message: String| Box::new(Diagnostic::error("blueprint/for-each", message).path(field));
    let Some(values) = list.elements() else {
        return Err(wrong(format!(
            "forEach takes a list, not {}",
            list.type_name()
        )));
    };
    if values.len() > MOST {
        return Err(wrong(format!(
            "the list has {} elements; at most {MOST} are allowed",
            values.len()
        )));
    }
    let mut elements: Vec<Element<'a>> = Vec::with_capacity(values.len());
    for value in values {
        let data = value.to_data().map_err(|_| {
            wrong(format!(
                "an element is {}, which is no data",
                value.type_name()
            ))
        })?;
        let (key, suffix) = identity(&data);
        if elements.iter().any(|have| have.key == key) {
            let mut diagnostic = wrong(format!("the element {key} is there twice"));
            diagnostic.help = Some("write `.distinct()` after the list".to_owned());
            return Err(diagnostic);
        }
        elements.push(Element {
            key,
            name: format!("{resource}-{suffix}"),
            value,
        });
    }
    Ok(elements)
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
        elements(&list, "subnet", "f")
            .unwrap()
            .into_iter()
            .map(|element| element.name)
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
        let list = Val::list([Val::Int(1), Val::Int(1)]);
        assert!(elements(&list, "r", "f").is_err());
        assert!(elements(&Val::Int(1), "r", "f").is_err());
    }
}
