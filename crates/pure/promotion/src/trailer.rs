//! What a promotion commit says about itself, and reading it back: the lineage of an environment is in its history.

use serde::Serialize;

/// What a promotion did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The unit that moved.
    pub unit: String,
    /// The environment it came from.
    pub from: String,
    /// The environment it went to.
    pub to: String,
    /// The tree that is there now.
    pub tree: String,
    /// The tree that was there before; none when the unit is new there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The commit the tree was read from.
    pub source_commit: String,
    /// The digest of the plan that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What was overridden, for example `schema` for a breaking change that was allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<String>,
}

/// Writes the message of a promotion commit: a subject line, the body, and the trailers.
pub fn message(record: &Record, body: &str) -> String {
    let mut out = format!(
        "{}: promote from {} to {}\n\n",
        record.unit, record.from, record.to
    );
    let body = body.trim();
    if !body.is_empty() {
        out.push_str(body);
        out.push_str("\n\n");
    }
    let mut line = |key: &str, value: &str| {
        out.push_str(key);
        out.push_str(": ");
        out.push_str(value);
        out.push('\n');
    };
    line("Purlin-Unit", &record.unit);
    line("Purlin-From", &record.from);
    line("Purlin-To", &record.to);
    line("Purlin-Tree", &record.tree);
    if let Some(base) = &record.base {
        line("Purlin-Base", base);
    }
    line("Purlin-Source-Commit", &record.source_commit);
    if let Some(plan) = &record.plan {
        line("Purlin-Plan", plan);
    }
    if !record.overridden.is_empty() {
        line("Purlin-Overridden", &record.overridden.join(", "));
    }
    out
}

/// Reads the record of a promotion from a commit's message; none when it is not one. Only the last paragraph counts, as
/// for any trailer.
pub fn parse(message: &str) -> Option<Record> {
    let normal = message.replace("\r\n", "\n");
    let last = normal.trim_end().rsplit("\n\n").next()?;
    let get = |key: &str| {
        last.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case(key)
                .then(|| value.trim().to_owned())
        })
    };
    Some(Record {
        unit: get("Purlin-Unit")?,
        from: get("Purlin-From")?,
        to: get("Purlin-To")?,
        tree: get("Purlin-Tree")?,
        base: get("Purlin-Base"),
        source_commit: get("Purlin-Source-Commit")?,
        plan: get("Purlin-Plan"),
        overridden: get("Purlin-Overridden")
            .map(|list| list.split(", ").map(str::to_owned).collect())
            .unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_read_back_and_a_review_trailer_does_not_disturb() {
        let record = Record {
            unit: "net".into(),
            from: "dev".into(),
            to: "staging".into(),
            tree: "aa".into(),
            base: None,
            source_commit: "bb".into(),
            plan: Some("sha256:cc".into()),
            overridden: vec!["schema".into(), "blast".into()],
        };
        let text = message(&record, "One field is new.\n\nTwo claims change.\n");
        assert!(
            text.starts_with("net: promote from dev to staging\n\nOne field"),
            "{text}"
        );
        assert_eq!(parse(&text), Some(record.clone()));
        assert_eq!(
            parse(&format!("{text}Reviewed-by: Ada\n\n")),
            Some(record.clone())
        );
        assert_eq!(parse(&text.replace('\n', "\r\n")), Some(record));
        assert_eq!(parse("fix: Purlin-Unit: net"), None);
        assert_eq!(parse(""), None);
    }

    proptest! {
        #[test]
        fn any_record_survives_and_no_message_panics(
            unit in "[a-z][a-z0-9-]{0,9}", base in proptest::option::of("[0-9a-f]{4}"), noise in ".{0,80}"
        ) {
            let record = Record {
                unit, from: "dev".into(), to: "prod".into(), tree: "t".into(), base,
                source_commit: "c".into(), plan: None, overridden: Vec::new(),
            };
            prop_assert_eq!(parse(&message(&record, &noise)), Some(record));
            let _unread = parse(&noise);
        }
    }
}
