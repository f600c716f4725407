use serde_json::{Value as Json, json};

use super::{Path, ReadError};
use crate::{Object, Value, ValueRef};

fn object(json: Json) -> Object {
    Object::from_json(json).expect("an object")
}

#[test]
fn a_wrong_path_says_where() {
    for (text, message) in [
        (".metadata.name", "unexpected `.` at position 0"),
        ("metadata.name.", "unexpected `.` at position 13"),
        ("metadata..name", "unexpected `.` at position 9"),
        ("spec.containers.[0].name", "unexpected `[` at position 16"),
        ("metadata.]name", "unexpected `]` at position 9"),
        ("spec[bracketed[name]]", "unexpected `[` at position 14"),
        ("spec[name", "the `[` at position 4 is never closed"),
        ("spec[]", "unexpected `]` at position 5"),
        ("a]b", "unexpected `]` at position 1"),
    ] {
        let error = Path::parse(text).expect_err(text).to_string();
        assert!(error.ends_with(message), "{text}: {error}");
    }
}

#[test]
fn a_path_prints_as_it_parses() {
    for (text, printed) in [
        ("data[.config.yml]", "data[.config.yml]"),
        ("metadata.labels['app.hash']", "metadata.labels[app.hash]"),
        ("nested[0][1].name", "nested[0][1].name"),
        ("x[-3]", "x.-3"),
        ("x[4294967296]", "x.4294967296"),
        ("x[007]", "x[7]"),
        ("x[\"0\"]", "x.0"),
        ("a[b]c", "a.b.c"),
        ("a.0", "a.0"),
        ("a[*].b", "a[*].b"),
        ("", ""),
    ] {
        assert_eq!(Path::parse(text).expect(text).to_string(), printed);
    }
}

#[test]
fn a_path_is_not_deeper_than_an_object() {
    assert!(Path::parse(&"a.".repeat(100_000)).is_err());
    assert!(Path::parse(&"[0]".repeat(100_000)).is_err());
    assert!(Path::parse(&vec!["a"; 128].join(".")).is_ok());
}

fn read(path: &str, json: Json) -> Result<Json, ReadError> {
    let object = object(json);
    let path = Path::parse(path).expect("a path");
    path.get(object.as_ref()).map(ValueRef::to_json)
}

#[test]
fn missing_is_told_from_wrong() {
    let missing = |path: &str, json: Json| {
        let error = read(path, json).expect_err(path);
        assert!(error.is_not_found(), "{error}");
        error.to_string()
    };
    assert!(missing("metadata.labels.a", json!({})).starts_with("metadata:"));
    assert!(missing("metadata.name", json!({"metadata": {}})).starts_with("metadata.name:"));
    assert!(missing("a[1].b", json!({"a": [{}]})).starts_with("a[1]:"));
    assert!(missing("a.b", json!({"a": null})).starts_with("a:"));
    assert!(missing("a[*].b", json!({"a": null})).starts_with("a:"));
    let wrong = |path: &str, json: Json| {
        let error = read(path, json).expect_err(path);
        assert!(!error.is_not_found(), "{error}");
    };
    wrong("a[1]", json!({"a": {}}));
    wrong("a[1]", json!({"a": null}));
    wrong("a[no].b", json!({"a": []}));
    wrong("a[*].b", json!({"a": []}));
    wrong("a.b", json!({"a": "text"}));
    assert_eq!(read("a", json!({"a": null})), Ok(Json::Null));
}

fn written(path: &str, json: Json, value: Json) -> Result<Json, String> {
    let mut object = object(json);
    let path = Path::parse(path).expect("a path");
    path.set(&mut object, Value::from_json(value))
        .map_err(|error| error.to_string())?;
    Ok(object.to_json())
}

#[test]
fn writing_makes_what_is_missing() {
    for (path, before, after) in [
        (
            "spec.list[0].name",
            json!({}),
            json!({"spec": {"list": [{"name": "c"}]}}),
        ),
        (
            "data[2]",
            json!({"data": ["a"]}),
            json!({"data": ["a", null, "c"]}),
        ),
        ("data[0][0]", json!({}), json!({"data": [["c"]]})),
        ("a[0].b", json!({"a": [null]}), json!({"a": [{"b": "c"}]})),
        ("a[0][1]", json!({"a": [[1]]}), json!({"a": [[1, "c"]]})),
        ("a", json!({"a": {"b": 1}}), json!({"a": "c"})),
        ("", json!({"a": 1}), json!({"a": 1})),
    ] {
        assert_eq!(written(path, before, json!("c")), Ok(after));
    }
}

#[test]
fn writing_does_not_change_the_kind_of_what_is_there() {
    for (path, before) in [
        ("data[0]", json!({"data": {}})),
        ("data.name", json!({"data": []})),
        ("a.b", json!({"a": null})),
        ("a.b", json!({"a": "text"})),
        ("data[1025]", json!({})),
        ("[0]", json!({})),
    ] {
        assert!(written(path, before, json!("c")).is_err(), "{path}");
    }
    assert!(written("data[1024]", json!({}), json!(1)).is_ok());
}

fn expanded(path: &str, json: Json) -> Result<Vec<String>, ReadError> {
    let object = object(json);
    let path = Path::parse(path).expect("a path");
    let paths = path.expand(object.as_ref())?;
    Ok(paths.iter().map(ToString::to_string).collect())
}

#[test]
fn wildcards_find_what_exists() {
    let found = expanded("a[*][*]", json!({"a": [[1, 2, 3], [4]]})).expect("expands");
    assert_eq!(found, ["a[0][0]", "a[0][1]", "a[0][2]", "a[1][0]"]);
    let found = expanded("a[*]", json!({"a": {"k": 1, "k.two": 2}})).expect("expands");
    assert_eq!(found, ["a.k", "a[k.two]"]);
    for path in ["b[*].c", "a[*].b", "a[9][*]", "x.y"] {
        let none = expanded(path, json!({"a": [{"c": 1}]})).expect("expands");
        assert!(none.is_empty(), "{path}");
    }
    let on_null = expanded("a[*].b", json!({"a": null})).expect_err("null");
    assert!(on_null.is_not_found());
    let on_text = expanded("a[*]", json!({"a": "text"})).expect_err("text");
    assert!(!on_text.is_not_found());
    let star = expanded("a[*]", json!({"a": {"*": 1}})).expect("a member named like the wildcard");
    assert_eq!(star, ["a[*]"]);
}

/// What the fuzz target `path` does, on its corpus.
#[test]
fn the_corpus_of_the_fuzz_target_does_no_harm() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/path");
    #[expect(clippy::disallowed_methods, reason = "a test may read its corpus")]
    let texts: Vec<_> = std::fs::read_dir(corpus)
        .expect("the corpus")
        .map(|file| std::fs::read(file.expect("a file").path()).expect("a readable file"))
        .collect();
    let mut seen = 0;
    for text in texts {
        let Ok(path) = Path::parse(&String::from_utf8_lossy(&text)) else {
            continue;
        };
        let mut object = object(json!({"spec": {"list": [null, {}]}}));
        drop(path.get(object.as_ref()));
        drop(path.expand(object.as_ref()));
        if path.set(&mut object, Value::Int(7)).is_ok() && !path.segments().is_empty() {
            assert_eq!(path.get(object.as_ref()), Ok(ValueRef::Int(7)));
        }
        seen += 1;
    }
    assert!(seen > 5, "the corpus has paths");
}

proptest::proptest! {
    #[test]
    fn printing_and_parsing_is_stable(text in "[a-c0-9.*\\[\\]'\"]{0,24}") {
        if let Ok(path) = Path::parse(&text) {
            let printed = path.to_string();
            if let Ok(again) = Path::parse(&printed) {
                proptest::prop_assert_eq!(again.to_string(), printed);
            }
        }
    }

    #[test]
    fn what_was_set_is_read(names in proptest::collection::vec("[a-z.]{1,5}|[0-9]{1,2}", 1..6)) {
        let path = Path::parse(&format!("root[{}]", names.join("]["))).expect("bracketed names are a path");
        let mut object = Object::new();
        path.set(&mut object, Value::Int(7)).expect("an empty object takes any path");
        proptest::prop_assert_eq!(path.get(object.as_ref()).map(ValueRef::to_json), Ok(serde_json::json!(7)));
    }
}
