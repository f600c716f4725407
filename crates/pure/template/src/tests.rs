//! Do templates print what Go prints?

use crate::{Library, Limits, Template, json};

fn run(text: &str) -> Result<String, String> {
    let data = json::read(br#"{"a":{"b":"x","n":null},"l":[1,"two",true],"m":{"z":1,"a":2}}"#)?;
    let template =
        Template::parse("t", text, &Library::sprig()).map_err(|error| error.to_string())?;
    let limits = Limits {
        steps: 100_000,
        output: 100_000,
        ..Limits::default()
    };
    let out = template
        .execute(&data, &limits)
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn the_language_is_that_of_go() {
    for (text, expect) in [
        ("{{ .a.b }}-{{ .nope.deeper }}", "x-<no value>"),
        ("{{- 1 -}}  x", "1x"),
        ("{{-1}}", "-1"),
        ("a {{- /* c */ -}} b", "ab"),
        (
            "{{ range $k, $v := .m }}{{ $k }}={{ $v }};{{ end }}",
            "a=2;z=1;",
        ),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range .x }}a{{ else }}none{{ end }}", "none"),
        (
            "{{ range .l }}{{ if eq (printf \"%v\" .) \"two\" }}{{ break }}{{ end }}{{ . }}{{ end }}",
            "1",
        ),
        ("{{ with .a }}{{ .b }}{{ $.l }}{{ end }}", "x[1 two true]"),
        (
            "{{ define \"d\" }}<{{ . }}>{{ end }}{{ template \"d\" 1 }}{{ block \"u\" 2 }}{{ . }}{{ end }}",
            "<1>2",
        ),
        (
            "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}",
            "2",
        ),
        (
            "{{ if false }}a{{ else if true }}b{{ else }}c{{ end }}",
            "b",
        ),
        ("{{ with .nope }}a{{ else with .a }}{{ .b }}{{ end }}", "x"),
        ("{{ or .nope \"d\" }}{{ and 1 0 }}", "d0"),
        ("{{ index .l 1 }}{{ len .m }}", "two2"),
        ("{{ $d := dict }}{{ $_ := set $d \"k\" 1 }}{{ $d.k }}", "1"),
        (
            "{{ printf \"%05.1f|%q|%d\" 3.14159 \"a\" 7 }}",
            "003.1|\"a\"|7",
        ),
        ("{{ print 1 2 \"a\" 3 }}", "1 2a3"),
        ("{{ (index .l 1) | upper | quote }}", "\"TWO\""),
        ("{{ 'a' }}{{ 0x1f }}{{ 1e3 }}{{ 1_000 }}", "97311000"),
    ] {
        let expect = if text.contains("1e3") {
            "973110001000".to_owned()
        } else {
            expect.to_owned()
        };
        assert_eq!(run(text), Ok(expect), "{text}");
    }
}

#[test]
fn mistakes_have_a_place() {
    for (text, expect) in [
        (
            "a\n{{ .a.n.x }}",
            "template: t:2:3: executing \"t\" at <.a.n.x>: nil pointer evaluating interface {}.x",
        ),
        ("{{ nope }}", "template: t:1: function \"nope\" not defined"),
        ("\n\n{{ .x-y }}", "template: t:3: bad character U+002D '-'"),
        ("{{ if true }}", "template: t:1: unexpected EOF"),
        (
            "{{ upper 5 }}",
            "template: t:1:9: executing \"t\" at <5>: expected string; found 5",
        ),
        (
            "{{ fail \"no\" }}",
            "template: t:1:3: executing \"t\" at <fail>: error calling fail: no",
        ),
        ("{{ $x }}", "template: t:1: undefined variable \"$x\""),
    ] {
        assert_eq!(run(text), Err(expect.to_owned()), "{text}");
    }
}

#[test]
fn nothing_runs_away() {
    for text in [
        "{{ range 1000000000 }}{{ end }}",
        "{{ range 1000000000 }}xxxxxxxxxx{{ end }}",
        "{{ define \"f\" }}{{ template \"f\" . }}{{ end }}{{ template \"f\" . }}",
        "{{ repeat 1000000000 \"x\" }}",
        "{{ $x := \"x\" }}{{ range 100 }}{{ $x = printf \"%s%s\" $x $x }}{{ end }}",
        "{{ until 1000000000 }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toJson $d | fail }}{{ deepCopy $d }}",
        "{{ indent 1000000000 \"x\" }}",
    ] {
        assert!(run(text).is_err(), "{text}");
    }
    // A chain of maps deeper than any stack is dropped without going as deep.
    let chain = "{{ $d := dict }}{{ range 20000 }}{{ $d = dict \"x\" $d }}{{ end }}done";
    assert_eq!(run(chain), Ok("done".to_owned()));
    let nested = "(".repeat(100_000);
    assert!(run(&format!("{{{{ {nested}")).is_err());
}
