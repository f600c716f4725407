//! What a reader of the crate relies on: values, places and every mistake at once.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Limits, load, load_with};

fn values(text: &str) -> Vec<Value> {
    let (documents, found) = load("t.yaml", text);
    assert!(found.is_empty(), "{found:?}");
    documents.into_iter().map(|d| d.value).collect()
}

fn mistakes(text: &str) -> Vec<String> {
    let (_, found) = load("t.yaml", text);
    found
        .iter()
        .map(|d| {
            let place = d.place.as_ref().map(|p| format!("{}:{}", p.line, p.column));
            format!("{} {}", place.unwrap_or_default(), d.code)
        })
        .collect()
}

#[test]
fn documents_without_content_are_left_out() {
    assert_eq!(
        values("# c\n---\na: 1\n---\n---\n# only a comment\n---\nnull\n...\n---\n- b\n"),
        [json!({"a": 1}), json!(["b"])]
    );
    assert_eq!(values(""), Vec::<Value>::new());
    assert_eq!(
        values("\u{feff}a: 1\r\nb: 2\r\n"),
        [json!({"a": 1, "b": 2})]
    );
}

#[test]
fn json_is_read_with_tabs_escapes_and_long_keys() {
    let key = "k".repeat(5000);
    assert_eq!(
        values(&format!(
            "{{\n\t\"{key}\":\t\"\\u00e9\\/\\ud83d\\ude00\",\n\t\"b\":[1,2.50,null]\n}}\n"
        )),
        [json!({key: "é/😀", "b": [1, 2.5, null]})]
    );
}

#[test]
fn aliases_and_merges_expand() {
    assert_eq!(
        values(
            "a: &x {p: 1, q: 2}\nb: *x\nc:\n  <<: *x\n  q: 3\nd:\n  q: 3\n  <<: *x\ne:\n  <<: [{p: 1}, {p: 2, r: 3}]\n1: t\nyes: u\n"
        ),
        [json!({
            "a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 2}, "c": {"p": 1, "q": 3}, "d": {"p": 1, "q": 2},
            "e": {"p": 1, "r": 3}, "1": "t", "true": "u",
        })]
    );
}

#[test]
fn every_mistake_of_every_document_is_reported() {
    assert_eq!(
        mistakes(
            "a: 1\na: 2\nb: {c: 1, c: 2}\nd: *no\n{e: f}: g\nh: .inf\n---\nx: [1, 2\n---\ny: \"open\n---\nz: 1\nz: 2\n"
        ),
        [
            "2:1 yaml/duplicate-key",
            "3:11 yaml/duplicate-key",
            "4:4 yaml/unknown-anchor",
            "5:1 yaml/key-not-text",
            "6:4 yaml/not-finite",
            "8:4 yaml/unclosed-list",
            "11:1 yaml/unclosed-quote",
            "13:1 yaml/duplicate-key",
        ]
    );
}

#[test]
fn a_template_left_unquoted_is_explained() {
    assert_eq!(mistakes("a: {{ x }}\n"), ["1:5 yaml/key-not-text"]);
}

#[test]
fn tabs_and_indentation_are_explained() {
    assert_eq!(
        mistakes("a:\n\tb: 1\n\tc: 2\nd:\n \te: 1\n"),
        ["2:1 yaml/tab", "3:1 yaml/tab", "5:2 yaml/tab"]
    );
    assert_eq!(
        mistakes("a:\n  b: 1\n   c: 2\n"),
        ["3:5 yaml/unexpected-colon"]
    );
    assert_eq!(mistakes("a:\n  b: 1\n c: 2\n"), ["3:2 yaml/indentation"]);
    assert_eq!(mistakes("a: b: c\n"), ["1:5 yaml/unexpected-colon"]);
    assert_eq!(mistakes("a: 1\nb\nc: 1\n"), ["2:1 yaml/missing-colon"]);
}

#[test]
fn lines_of_quoted_texts_need_not_be_indented() {
    let text =
        "a:\n  b: \"one\n  two\nthree\"\n  c: [x, z]\nd:\n- e: 'f\n  g'\n  h: 1\n---\ni: 1\n";
    assert_eq!(
        values(text),
        [
            json!({"a": {"b": "one two three", "c": ["x", "z"]}, "d": [{"e": "f g", "h": 1}]}),
            json!({"i": 1})
        ]
    );
    let (documents, _) = load("t.yaml", text);
    let place = |document: usize, path: &str| {
        let place = documents[document].places.value(path).unwrap();
        (place.line, place.column)
    };
    assert_eq!(place(0, "a.c[1]"), (5, 10));
    assert_eq!(place(0, "d[0].h"), (9, 6));
    assert_eq!(place(1, "i"), (11, 4));
    let at = documents[0].places.within("a.b", 8).unwrap();
    assert_eq!((at.line, at.column), (4, 1));
    let at = documents[0].places.within("d[0].e", 2).unwrap();
    assert_eq!((at.line, at.column), (8, 3));
    let duplicate = "a: \"x\ny\"\nb: 1\nb: 2\n";
    assert_eq!(mistakes(duplicate), ["4:1 yaml/duplicate-key"]);
}

#[test]
fn a_quote_that_is_forgotten_is_told_where_the_next_line_begins() {
    assert_eq!(
        mistakes("a: \"x\nb: 1\nc: \"y\"\n"),
        ["2:1 yaml/unclosed-quote"]
    );
    assert_eq!(mistakes("a: 'x\nb: 1\n"), ["2:1 yaml/unclosed-quote"]);
}

#[test]
fn limits_hold() {
    let check = |text: &str, limits: Limits, code: &str| {
        let (_, found) = load_with("t", text, &limits);
        assert_eq!(found.iter().map(|d| d.code.0).collect::<Vec<_>>(), [code]);
    };
    let small = Limits::default;
    check(
        "a: 1",
        Limits {
            bytes: 3,
            ..small()
        },
        "yaml/too-large",
    );
    check(
        "a: {b: {c: 1}}",
        Limits {
            depth: 2,
            ..small()
        },
        "yaml/too-deep",
    );
    check(
        "a:\n  b:\n    c: 1",
        Limits {
            depth: 2,
            ..small()
        },
        "yaml/too-deep",
    );
    check(
        "a\n---\nb\n---\nc",
        Limits {
            documents: 2,
            ..small()
        },
        "yaml/too-many-documents",
    );
    check(
        "[1, 2, 3]",
        Limits {
            nodes: 3,
            ..small()
        },
        "yaml/too-many-values",
    );
    let bomb = (1..40).fold("a0: &a0 [x, x]\n".to_owned(), |text, i| {
        let before = i - 1;
        format!("{text}a{i}: &a{i} [*a{before}, *a{before}, *a{before}]\n")
    });
    check(&bomb, small(), "yaml/too-many-values");
    check("a: &a [*a]", small(), "yaml/alias-loop");
    check(&"[".repeat(100_000), small(), "yaml/too-deep");
    check(&"- ".repeat(100_000), small(), "yaml/too-deep");
}

#[test]
fn keys_and_values_have_places() {
    let text = "---\nkind: XR\nspec:\n  list:\n  - name: é\n    tags: {a.b/c: \"x\"}\n";
    let (documents, _) = load("t.yaml", text);
    let places = &documents[0].places;
    let value = |path: &str| places.value(path).map(|p| (p.line, p.column, p.length));
    let key = |path: &str| places.key(path).map(|p| (p.line, p.column, p.length));
    assert_eq!(value("kind"), Some((2, 7, 2)));
    assert_eq!(key("kind"), Some((2, 1, 4)));
    assert_eq!(key("spec.list[0].name"), Some((5, 5, 4)));
    assert_eq!(value("spec.list[0].name"), Some((5, 11, 1)));
    assert_eq!(value("spec.list[0].tags[a.b/c]"), Some((6, 19, 3)));
    assert_eq!(value("spec.list[0].tags"), Some((6, 11, 12)));
    assert_eq!(value("spec.nothing"), None);
    assert_eq!(
        places.nearest("spec.list[0].size.x").to_string(),
        "t.yaml:5:5"
    );
    assert_eq!(places.nearest("spec.gone").to_string(), "t.yaml:3:1");
    let inner = places.under("spec.list[0]").expect("it exists");
    assert_eq!(inner.value("name"), places.value("spec.list[0].name"));
}

/// Every character of a decoded text, unless it came from an escape or a fold, stands where the map says.
fn check_offsets(text: &str, expect: &[(&str, &str)]) {
    let (documents, found) = load("t.yaml", text);
    assert!(found.is_empty(), "{found:?}");
    let value = documents[0].value["a"].as_str().expect("a text").to_owned();
    for (needle, place) in expect {
        let offset = value
            .find(needle)
            .unwrap_or_else(|| panic!("{needle} in {value:?}"));
        let found = documents[0].places.within("a", offset).expect("a place");
        assert_eq!(
            format!("{}:{}", found.line, found.column),
            *place,
            "{needle} in {value:?}"
        );
    }
}

#[test]
fn offsets_in_texts_lead_back_to_the_file() {
    check_offsets("a: one two three\n", &[("one", "1:4"), ("three", "1:12")]);
    check_offsets(
        "a: one two\n  three four\n",
        &[("two", "1:8"), ("three", "2:3"), ("four", "2:9")],
    );
    check_offsets(
        "a: 'it''s x'\n",
        &[("it", "1:5"), ("s", "1:9"), ("x", "1:11")],
    );
    check_offsets(
        "a: \"q\\\"w \\u00e9 x \\ud83d\\ude00 y\"\n",
        &[("w", "1:8"), ("é", "1:10"), ("x", "1:17"), ("y", "1:32")],
    );
    check_offsets(
        "a: \"one \\\n   two\n   three\"\n",
        &[("two", "2:4"), ("three", "3:4")],
    );
    check_offsets(
        "a: |\n  one\n    two\n\n  three\n",
        &[("one", "2:3"), ("two", "3:5"), ("three", "5:3")],
    );
    check_offsets(
        "a: >-\n  one\n  two\n\n  three\n",
        &[("one", "2:3"), ("two", "3:3"), ("three", "5:3")],
    );
    check_offsets(
        "k: v\na: |+ # why\n   x ${y}\n",
        &[("x", "3:4"), ("${y}", "3:6")],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_text_panics_or_hangs(text in "[a-c:\\-?&*!|>'\"\\[\\]{},#%@ \\n\\t~<.0]{0,60}") {
        let (documents, _) = load("t", &text);
        for document in documents {
            for offset in 0..20 {
                drop(document.places.within("a", offset));
                drop(document.places.within("[0]", offset));
            }
        }
    }

    #[test]
    fn offsets_never_leave_the_file(lead in "( |\\n  ){0,3}", body in "[a-c' \\\\\\n]{0,20}", offset in 0usize..30) {
        for text in [format!("a: \"{lead}{body}\"\n"), format!("a: '{body}'\n"), format!("a: |\n  {body}\n"), format!("a: >\n  {body}\n")] {
            let (documents, _) = load("t", &text);
            if let Some(document) = documents.first()
                && let Some(place) = document.places.within("a", offset)
            {
                prop_assert!(place.line as usize <= text.lines().count() + 1, "{place} {text:?}");
            }
        }
    }
}

/// What the fuzz target (fuzz/fuzz_targets/load.rs) asserts, on its whole corpus.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the corpus is a folder, and a test may read it"
)]
fn the_fuzz_corpus_is_read_within_the_limits() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/load");
    let limits = Limits {
        nodes: 20_000,
        ..Limits::default()
    };
    let mut seeds = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus is beside the crate") {
        let path = entry.expect("the corpus can be listed").path();
        let text = std::fs::read(&path).expect("a seed can be read");
        let text = String::from_utf8_lossy(&text);
        let (documents, _) = load_with("seed.yaml", &text, &limits);
        for document in documents {
            for path in ["", "a", "[0]", "a[0].b"] {
                let place = document.places.nearest(path);
                assert!(place.line as usize <= text.matches(['\n', '\r']).count() + 2);
                for offset in [0, 1, 7, text.len()] {
                    drop(document.places.within(path, offset));
                    drop(document.places.range(path, offset, offset + 3));
                }
            }
            let written = crate::to_string(&document.value);
            let (again, found) = load("written.yaml", &written);
            assert!(
                !found.has_errors(),
                "{}: {written}\n{found:?}",
                path.display()
            );
            assert_eq!(
                again[0].value,
                document.value,
                "{}: {written}",
                path.display()
            );
        }
        seeds += 1;
    }
    assert!(seeds > 15);
}

#[test]
fn a_field_of_another_document_is_found_there() {
    let one = |file: &str, text: &str| load(file, text).0.remove(0);
    let mut document = one("a.yaml", "spec:\n  list:\n  - x: 1\n    m: {}\n");
    let other = one("b.yaml", "kind: M\nof:\n  name: \"some text\"\n");
    document.places.graft("spec.list[0].m.far", &other.places);
    let shown =
        |place: purlin_diag::Place| format!("{}:{}:{}", place.file, place.line, place.column);
    let nearest = |places: &crate::PlaceMap, path: &str| shown(places.nearest(path));
    assert_eq!(nearest(&document.places, "spec.list[0].x"), "a.yaml:3:8");
    assert_eq!(
        nearest(&document.places, "spec.list[0].m.far.of.name"),
        "b.yaml:3:9"
    );
    assert_eq!(
        nearest(&document.places, "spec.list[0].m.far.of.none"),
        "b.yaml:2:1"
    );
    assert_eq!(
        nearest(&document.places, "spec.list[0].m.near"),
        "a.yaml:4:5"
    );
    let within = document.places.within("spec.list[0].m.far.of.name", 5);
    assert_eq!(shown(within.unwrap()), "b.yaml:3:15");
    // Also seen from inside, on either side.
    let inner = document.places.under("spec.list[0]").unwrap();
    assert_eq!(nearest(&inner, "m.far.kind"), "b.yaml:1:7");
    let inner = document.places.under("spec.list[0].m.far.of").unwrap();
    assert_eq!(nearest(&inner, "name"), "b.yaml:3:9");
}
