//! What does a message say, once captured texts are filled in?

use purlin_template::{Library, Limits, Map, Members, Template, Text, Value};

use crate::matching::Groups;

/// What a message may cost: a control plane keeps it in every object it is about.
fn limits() -> Limits {
    Limits {
        output: 32 << 10,
        made: 1 << 20,
        steps: 100_000,
        ..Limits::default()
    }
}

/// Fills captured texts in: the message is a Go template over them, with the functions Go has of itself. Without any
/// captured text it stays as it is, whatever it looks like.
///
/// # Errors
/// What of the template cannot be read or run.
pub(crate) fn fill(text: &str, captured: &Groups) -> Result<String, String> {
    if captured.is_empty() {
        return Ok(text.to_owned());
    }
    let template =
        Template::parse("message", text, &Library::builtin()).map_err(|e| e.to_string())?;
    let entries = captured
        .iter()
        .map(|(name, text)| (Text::from(name.as_bytes()), Value::text(text)));
    let data = Value::Map(Map::of(Members::Texts, entries.collect()));
    let filled = template
        .execute(&data, &limits())
        .map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&filled).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let captured = [("id", "i-1"), ("region", "eu"), ("none", "")];
        let captured = captured.map(|(name, text)| (name.to_owned(), text.to_owned()));
        fill(text, &captured.into())
    }

    #[test]
    fn captured_texts_are_filled_in() {
        for (text, expected) in [
            ("id {{ .id }} at {{.region}}", "id i-1 at eu"),
            ("[{{ .none }}][{{ .other }}]", "[][<no value>]"),
            ("{{ . }}", "map[id:i-1 none: region:eu]"),
            ("a {{- .id -}} b", "ai-1b"),
            ("{{/* nothing */}}x", "x"),
            ("{{ printf \"%s }} %q\" .id .region }}", "i-1 }} \"eu\""),
            ("{{ .id | printf \"<%v>\" }}", "<i-1>"),
            ("{{ if .none }}some{{ else }}{{ len .id }}{{ end }}", "3"),
            (
                "{{ range $k, $v := . }}{{ $k }}={{ $v }};{{ end }}",
                "id=i-1;none=;region=eu;",
            ),
            ("<{{ .id }}>", "<i-1>"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_run_is_a_failure() {
        for text in [
            "{{ .Error }",
            "{{ }}",
            "{{ nope }}",
            "{{ upper .id }}",
            "{{ index .id 9 }}",
        ] {
            assert!(filled(text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_captured_texts_nothing_is_a_template() {
        assert_eq!(fill("{{ .id ", &Groups::new()).as_deref(), Ok("{{ .id "));
    }
}
