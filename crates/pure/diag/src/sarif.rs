//! Findings as SARIF 2.1.0, which code hosts show beside the code.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::github::with_help;
use crate::{Diagnostic, Diagnostics, Severity};

/// A whole log, of one run of one tool.
pub fn to_sarif(found: &Diagnostics, tool: &str, version: &str) -> Value {
    let mut rules: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in found {
        let severity = rules.entry(finding.code.0).or_insert(finding.severity);
        *severity = finding.severity.min(*severity);
    }
    let listed: Vec<Value> = rules
        .iter()
        .map(|(code, severity)| {
            let name: String = code
                .split(['/', '-'])
                .map(|word| {
                    let mut letters = word.chars();
                    let first = letters.next().map(|c| c.to_ascii_uppercase());
                    first.into_iter().chain(letters).collect::<String>()
                })
                .collect();
            json!({
                "id": code,
                "name": name,
                "shortDescription": {"text": code.replace(['/', '-'], " ")},
                "defaultConfiguration": {"level": severity.as_str()},
            })
        })
        .collect();
    let index: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let results: Vec<Value> = found.iter().map(|one| result(one, &index)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": tool, "version": version, "rules": listed}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Diagnostic, index: &BTreeMap<&str, usize>) -> Value {
    let mut result = json!({
        "ruleId": finding.code.0,
        "ruleIndex": index.get(finding.code.0),
        "level": finding.severity.as_str(),
        "message": {"text": with_help(finding)},
    });
    if let Some(place) = &finding.place {
        let mut region =
            json!({"startLine": place.line.max(1), "startColumn": place.column.max(1)});
        if place.length > 0 {
            region["endColumn"] = place.column.max(1).saturating_add(place.length).into();
        }
        result["locations"] = json!([{"physicalLocation": {
            "artifactLocation": {"uri": uri(&place.file)},
            "region": region,
        }}]);
    }
    result
}

/// A path as a reference of a URI.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.extend(char::from_digit(digit.into(), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    #[test]
    fn a_result_names_its_rule_and_its_place() {
        let mut found = Diagnostics::from(
            Diagnostic::warning("check/a-b", "wrong")
                .at(Place::new("./a b/ü.yaml", 2, 3).with_length(4))
                .help("right"),
        );
        found.push(Diagnostic::error("check/a-b", "no place"));
        let log = to_sarif(&found, "purlin", "1");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["name"], "CheckAB");
        assert_eq!(
            run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"],
            "error"
        );
        let result = &run["results"][0];
        assert_eq!(result["ruleIndex"], 0);
        assert_eq!(result["message"]["text"], "wrong; right");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%BC.yaml");
        assert_eq!(place["region"]["endColumn"], 7);
        assert!(run["results"][1].get("locations").is_none());
    }

    /// What the schema of SARIF 2.1.0 requires of what is written here.
    #[test]
    fn a_log_has_the_form_of_its_schema() {
        let mut found = Diagnostics::from(
            Diagnostic::note("yaml/a", "no column").at(Place::new("a.yaml", 0, 0)),
        );
        found.push(Diagnostic::warning("b/c", "w").at(Place::new("/b.yaml", 7, 1)));
        for found in [Diagnostics::new(), found] {
            let log = to_sarif(&found, "purlin", "1");
            assert_eq!(log["version"], "2.1.0");
            let run = &log["runs"][0];
            assert!(run["tool"]["driver"]["name"].is_string());
            assert!(
                ["utf16CodeUnits", "unicodeCodePoints"]
                    .contains(&run["columnKind"].as_str().unwrap())
            );
            let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
            let levels = ["none", "note", "warning", "error"];
            let mut ids = Vec::new();
            for rule in rules {
                ids.push(rule["id"].as_str().unwrap());
                assert!(rule["shortDescription"]["text"].is_string());
                assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
            }
            for result in run["results"].as_array().unwrap() {
                assert!(result["message"]["text"].is_string());
                assert!(levels.contains(&result["level"].as_str().unwrap()));
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(ids[index], result["ruleId"]);
                let place = &result["locations"][0]["physicalLocation"];
                assert!(
                    !place["artifactLocation"]["uri"]
                        .as_str()
                        .unwrap()
                        .contains(' ')
                );
                let region = &place["region"];
                assert!(
                    region["startLine"].as_u64() >= Some(1)
                        && region["startColumn"].as_u64() >= Some(1)
                );
            }
        }
    }
}
