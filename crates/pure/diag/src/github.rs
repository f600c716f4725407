//! Findings for GitHub Actions, which turns these commands into annotations beside the code.

use std::fmt::Write as _;

use crate::{Diagnostic, Diagnostics, Severity};

/// One command a finding.
pub fn render_github(found: &Diagnostics) -> String {
    let mut out = String::new();
    for finding in found {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = String::new();
        if let Some(place) = &finding.place {
            let file = place.file.strip_prefix("./").unwrap_or(&place.file);
            push(&mut properties, "file", file);
            push(&mut properties, "line", &place.line.to_string());
            push(&mut properties, "col", &place.column.to_string());
            if place.length > 0 {
                let end = place.column.saturating_add(place.length);
                push(&mut properties, "endColumn", &end.to_string());
            }
        }
        push(&mut properties, "title", finding.code.0);
        let message = data(&with_help(finding));
        writeln!(out, "::{command} {properties}::{message}").expect("a String takes any text");
    }
    out
}

fn push(properties: &mut String, name: &str, value: &str) {
    if !properties.is_empty() {
        properties.push(',');
    }
    properties.push_str(name);
    properties.push('=');
    let value = data(value).replace(':', "%3A").replace(',', "%2C");
    properties.push_str(&value);
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What is wrong and what to do, in one text.
pub(crate) fn with_help(finding: &Diagnostic) -> String {
    match &finding.help {
        Some(help) => format!("{}; {help}", finding.message),
        None => finding.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    #[test]
    fn what_means_something_in_a_command_is_escaped() {
        let found = Diagnostics::from(
            Diagnostic::error("a/b", "100%\nof: x,y")
                .at(Place::new("./a,b:c.yaml", 2, 3).with_length(4)),
        );
        assert_eq!(
            render_github(&found),
            "::error file=a%2Cb%3Ac.yaml,line=2,col=3,endColumn=7,title=a/b::100%25%0Aof: x,y\n"
        );
    }
}
