//! What must hold before something is promoted.

use serde_json::Value;

/// How many changes of each sort to live resources an environment accepts at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// Resources created.
    pub create: Option<u64>,
    /// Resources changed.
    pub update: Option<u64>,
    /// Resources deleted.
    pub delete: Option<u64>,
    /// Resources with a changed field that cannot be changed in place.
    pub replace: Option<u64>,
}

/// One condition of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// No change of an API breaks who uses it. Always asked.
    Schema,
    /// Every claim of the environment that renders today still renders. Always asked.
    Render,
    /// The changes to live resources stay within a budget.
    Blast(Budget),
    /// One this version cannot evaluate. What is not known never passes.
    Unknown(String),
}

impl Gate {
    /// The name used in the pipeline's description, on the command line and in trailers.
    pub fn name(&self) -> &str {
        match self {
            Self::Schema => "schema",
            Self::Render => "render",
            Self::Blast(_) => "blast",
            Self::Unknown(name) => name,
        }
    }
}

/// Reads one entry of a list of gates: a name, or a name with a setting.
pub(crate) fn parse(gate: &Value) -> Result<Gate, String> {
    let (name, setting) = match gate {
        Value::String(name) => (name.as_str(), None),
        Value::Object(map) if map.len() == 1 => {
            let first = map
                .iter()
                .next()
                .map(|(name, setting)| (name.as_str(), Some(setting)));
            first.ok_or("a gate has a name")?
        }
        _ => return Err("a gate is a name, or one name with a setting".to_owned()),
    };
    match name {
        "schema" => Ok(Gate::Schema),
        "render" => Ok(Gate::Render),
        "blast" => parse_budget(setting).map(Gate::Blast),
        other => Ok(Gate::Unknown(other.to_owned())),
    }
}

fn parse_budget(setting: Option<&Value>) -> Result<Budget, String> {
    let usage =
        "the setting of `blast` is a mapping of create, update, delete and replace to numbers";
    let map = setting.and_then(Value::as_object).ok_or(usage)?;
    let mut budget = Budget::default();
    for (key, value) in map {
        let number = Some(value.as_u64().ok_or(usage)?);
        match key.as_str() {
            "create" => budget.create = number,
            "update" => budget.update = number,
            "delete" => budget.delete = number,
            "replace" => budget.replace = number,
            _ => {
                return Err(format!(
                    "`{key}` is not something a budget can count; {usage}"
                ));
            }
        }
    }
    Ok(budget)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn gates_are_read_and_what_is_not_known_is_kept_as_unknown() {
        assert_eq!(parse(&json!("schema")), Ok(Gate::Schema));
        let budget = Budget {
            delete: Some(0),
            update: Some(50),
            ..Budget::default()
        };
        assert_eq!(
            parse(&json!({"blast": {"delete": 0, "update": 50}})),
            Ok(Gate::Blast(budget))
        );
        assert_eq!(
            parse(&json!({"soak": "24h"})),
            Ok(Gate::Unknown("soak".to_owned()))
        );
        for bad in [
            json!(1),
            json!({}),
            json!({"a": 1, "b": 2}),
            json!({"blast": {"x": 1}}),
            json!("blast"),
            json!({"blast": {"delete": -1}}),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
    }
}
