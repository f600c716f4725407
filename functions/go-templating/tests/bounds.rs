//! Does a hostile template get an answer?
#![allow(missing_docs, reason = "a test")]

use purlin_function::protojson::request_from_json;
use purlin_function::{Function as _, Severity};
use serde_json::json;

fn answer(template: &str) -> (bool, String) {
    let request = request_from_json(json!({
        "input": {"source": "Inline", "inline": {"template": template}},
        "observed": {"composite": {"resource": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}}}},
    }))
    .expect("a request");
    let response = function_go_templating::GoTemplating::default().run(&request);
    let fatal = response
        .results
        .iter()
        .any(|r| r.severity() == Severity::Fatal);
    let messages: Vec<String> = response.results.into_iter().map(|r| r.message).collect();
    (fatal, messages.join("\n"))
}

/// Aliases of aliases: ten times as many values a line.
fn bomb() -> String {
    let mut text = String::from("kind: K\na0: &a0 [x]\n");
    for line in 1..12 {
        let before = vec![format!("*a{}", line - 1); 10].join(", ");
        text = format!("{text}a{line}: &a{line} [{before}]\n");
    }
    text
}

#[test]
fn templates_that_run_away_are_stopped() {
    let nested = format!("{}1{}", "(".repeat(90), ")".repeat(90));
    for template in [
        "{{ define \"f\" }}{{ include \"f\" . }}{{ end }}{{ include \"f\" . }}".to_owned(),
        "{{ define \"f\" }}{{ if true }}{{ range 1 }}{{ with 1 }}{{ (include \"f\" . | upper) | quote }}{{ end }}{{ end \
         }}{{ end }}{{ end }}{{ include \"f\" . }}"
            .to_owned(),
        format!("{{{{ define \"f\" }}}}{{{{ {nested} }}}}{{{{ template \"f\" . }}}}{{{{ end }}}}{{{{ template \"f\" . }}}}"),
        "{{ range 100000000 }}{{ end }}".to_owned(),
        "{{ fromYaml (repeat 100000 \"[\") }}".to_owned(),
        bomb(),
        // Deep values at the end of the stack.
        "{{ define \"f\" }}{{ $d := . }}{{ range 200 }}{{ $d = dict \"x\" (list $d) }}{{ end }}{{ $_ := print $d (toJson $d) \
         (deepEqual $d (deepCopy $d)) }}{{ include \"f\" . }}{{ end }}{{ include \"f\" dict }}"
            .to_owned(),
        "{{ $d := dict }}{{ range 5000 }}{{ $d = dict \"x\" (list $d) }}{{ end }}{{ $_ := print $d (toJson $d) }}{{ toYaml $d }}"
            .to_owned(),
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toYaml $d }}".to_owned(),
    ] {
        let (fatal, message) = answer(&template);
        assert!(fatal, "{template}: {message}");
        assert!(message.len() < 5_000, "{message}");
    }
}

#[test]
fn a_message_names_the_template_of_a_list() {
    let request = request_from_json(json!({
        "input": {"source": "Inline", "inline": {"templates": ["a: b", "c: d\ne: {{ fail \"no\" }}"]}},
    }))
    .expect("a request");
    let response = function_go_templating::GoTemplating::default().run(&request);
    let message = response.results.first().map(|r| r.message.as_str());
    assert_eq!(
        message,
        Some(
            "cannot execute template: template: manifests:4:6: executing \"manifests\" at <fail>: error calling fail: no \
             (line 2 of inline.templates[1])"
        )
    );
}
