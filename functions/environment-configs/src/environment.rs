//! How are EnvironmentConfigs, the environment so far and defaults laid over each other?

use purlin_object::{Object, ObjectRef, Path, Value, ValueRef};

/// The data of EnvironmentConfigs: of those that go to the root, and of those that go to a path, in the order of the paths.
pub(crate) struct Layers {
    root: Object,
    at: Vec<(String, Value)>,
}

impl Layers {
    pub(crate) fn new() -> Self {
        Self {
            root: Object::new(),
            at: Vec::new(),
        }
    }

    /// Lays an EnvironmentConfig over what goes to the same path already.
    ///
    /// # Errors
    /// When its data is no object and goes to the root, or when the path cannot be parsed or written.
    pub(crate) fn add(&mut self, path: &str, config: ObjectRef<'_>) -> Result<(), String> {
        let name = config
            .get_path(&["metadata", "name"])
            .and_then(ValueRef::as_str)
            .unwrap_or_default();
        let data = config.get("data");
        if path.is_empty() {
            return match data {
                Some(ValueRef::Object(data)) => {
                    lay(&mut self.root, data);
                    Ok(())
                }
                Some(ValueRef::Null) => Ok(()),
                Some(other) => Err(format!(
                    "the data of EnvironmentConfig {name} is {}, and the environment is an object; give it a toFieldPath",
                    other.kind()
                )),
                None => Err(format!("EnvironmentConfig {name} has no data")),
            };
        }
        let parsed = Path::parse(path).map_err(|error| format!("toFieldPath: {error}"))?;
        parsed
            .set(&mut Object::new(), Value::Null)
            .map_err(|error| format!("toFieldPath: {error}"))?;
        let data = data.unwrap_or(ValueRef::Null);
        match self.at.iter_mut().find(|(at, _)| at == path) {
            Some((_, Value::Object(there))) if data.as_object().is_some() => {
                if let ValueRef::Object(data) = data {
                    lay(there, data);
                }
            }
            Some((_, there)) => *there = data.to_owned(),
            None => self.at.push((path.to_owned(), data.to_owned())),
        }
        Ok(())
    }

    /// The environment: these layers over the environment so far, over the defaults.
    pub(crate) fn over(self, before: Option<ObjectRef<'_>>, defaults: Option<&Object>) -> Object {
        let mut configs = self.root;
        for (path, value) in self.at {
            let Ok(path) = Path::parse(&path) else {
                continue;
            };
            let value = match (path.get(configs.as_ref()), value) {
                (Ok(ValueRef::Object(there)), Value::Object(data)) => {
                    let mut there = there.to_owned();
                    lay(&mut there, data.as_ref());
                    Value::Object(there)
                }
                (_, value) => value,
            };
            // A path that runs through a scalar of another layer cannot be written; the scalar stays.
            drop(path.set(&mut configs, value));
        }
        let mut environment = defaults.cloned().unwrap_or_default();
        if let Some(before) = before {
            lay(&mut environment, before);
        }
        lay(&mut environment, configs.as_ref());
        let says = |key| {
            let text = environment.get(key).and_then(ValueRef::as_str);
            text.is_some_and(|text| !text.is_empty())
        };
        if !says("apiVersion") && !says("kind") {
            environment.insert(
                "apiVersion",
                Value::String("internal.crossplane.io/v1alpha1".to_owned()),
            );
            environment.insert("kind", Value::String("Environment".to_owned()));
        }
        environment
    }
}

/// Lays `over` over `under`: objects member by member, everything else is replaced.
fn lay(under: &mut Object, over: ObjectRef<'_>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Object(there)), ValueRef::Object(data)) => lay(there, data),
            (Some(there), value) => *there = value.to_owned(),
            (None, value) => {
                under.insert(key, value.to_owned());
            }
        }
    }
}
