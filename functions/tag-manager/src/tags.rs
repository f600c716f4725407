//! Which tags are there, and what becomes of them when others meet them?

use std::collections::BTreeMap;

use purlin_object::{Object, ObjectRef, Value, ValueRef};

use crate::input::retains;

/// Tags; none at all is not the same as an empty map of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tags(Option<BTreeMap<String, String>>);

impl Tags {
    /// Tags as they stand in an object: a value that is no text counts as an empty one, and what is no object has none.
    pub(crate) fn lenient(value: ValueRef<'_>) -> Self {
        let text = |value: ValueRef<'_>| value.as_str().unwrap_or_default().to_owned();
        let tags = value.as_object().map(|object| {
            let tags = object.iter();
            tags.map(|(key, value)| (key.to_owned(), text(value)))
                .collect()
        });
        Self(tags)
    }

    /// Tags of an object all whose values are texts.
    pub(crate) fn strict(value: ValueRef<'_>) -> Option<Self> {
        let tags = value.as_object()?.iter();
        let tags = tags.map(|(key, value)| match value {
            ValueRef::Null => Some((key.to_owned(), String::new())),
            value => Some((key.to_owned(), value.as_str()?.to_owned())),
        });
        Some(Self(Some(tags.collect::<Option<_>>()?)))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&String> {
        self.0.as_ref()?.get(key)
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(tags) = &mut self.0 {
            tags.remove(key);
        }
    }

    /// Adds what is not there; an empty text counts as not there.
    fn fill(&mut self, others: &Self) {
        let Some(others) = &others.0 else { return };
        let tags = self.0.get_or_insert_default();
        for (key, value) in others {
            match tags.get_mut(key) {
                Some(have) if have.is_empty() => have.clone_from(value),
                Some(_) => {}
                None => {
                    tags.insert(key.clone(), value.clone());
                }
            }
        }
    }

    /// Adds or overwrites.
    fn overwrite(&mut self, others: &Self) {
        let Some(others) = &others.0 else { return };
        let tags = self.0.get_or_insert_default();
        tags.extend(
            others
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
    }

    fn to_value(&self) -> Value {
        match &self.0 {
            None => Value::Null,
            Some(tags) => Value::Object(
                tags.iter()
                    .map(|(key, value)| (key.clone(), Value::String(value.clone())))
                    .collect::<Object>(),
            ),
        }
    }
}

impl FromIterator<(String, String)> for Tags {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(tags: T) -> Self {
        Self(Some(tags.into_iter().collect()))
    }
}

impl From<&Option<BTreeMap<String, String>>> for Tags {
    fn from(tags: &Option<BTreeMap<String, String>>) -> Self {
        Self(tags.clone())
    }
}

/// What entries of a list want, gathered by policy.
#[derive(Debug, Default)]
pub(crate) struct Update {
    retain: Tags,
    replace: Tags,
}

impl Update {
    /// Takes an entry in; among entries of one policy the first value that is not empty wins.
    pub(crate) fn add(&mut self, kind: &str, policy: &str, tags: &Tags) {
        if retains(kind, policy) {
            self.retain.fill(tags);
        } else {
            self.replace.fill(tags);
        }
    }

    /// Changes the tags: what retains comes first, whatever the order of the list.
    pub(crate) fn apply(&self, tags: &mut Tags) {
        tags.fill(&self.retain);
        tags.overwrite(&self.replace);
    }
}

/// The tags of a desired resource.
pub(crate) fn of(resource: ObjectRef<'_>) -> Tags {
    resource
        .get_path(&["spec", "forProvider", "tags"])
        .map(Tags::lenient)
        .unwrap_or_default()
}

/// Sets the tags of a desired resource, unless something on the way to them is no object.
pub(crate) fn set(resource: &mut Object, tags: &Tags) {
    let is_object = |value: Option<ValueRef<'_>>| {
        value.is_none_or(|value| value.is_null() || value.as_object().is_some())
    };
    if is_object(resource.get("spec")) && is_object(resource.get_path(&["spec", "forProvider"])) {
        resource
            .object_mut("spec")
            .object_mut("forProvider")
            .insert("tags", tags.to_value());
    }
}
