//! Does the function answer recorded requests as the program it stands in for did?
#![allow(missing_docs, reason = "a test")]

use function_go_templating::{GoTemplating, Options};
use purlin_function::Function as _;

#[test]
fn recorded_requests_are_answered_alike() {
    // Cases with flags were recorded with another configuration.
    purlin_testkit::check_recorded(
        "go-templating",
        &*function_go_templating::hosted().function,
        |case| !case["flags"].is_null(),
    );
}

#[test]
fn flags_count_as_they_do_upstream() {
    for case in purlin_testkit::cases("fn/go-templating.jsonl") {
        let flag = |name: &str| {
            let flags = case["flags"].as_array()?;
            let at = flags.iter().position(|flag| flag == name)?;
            flags.get(at + 1)?.as_str().map(str::to_owned)
        };
        if case["flags"].is_null() {
            continue;
        }
        let options = flag("--default-options").unwrap_or_default();
        let function = GoTemplating::new(Options {
            default_options: options
                .split(',')
                .filter(|o| !o.is_empty())
                .map(str::to_owned)
                .collect(),
            ttl: flag("--ttl").and_then(|ttl| purlin_function::parse_duration(&ttl)),
            ..Options::default()
        });
        let request = purlin_function::protojson::request_from_json(case["request"].clone())
            .expect("a request");
        let response = function.run(&request);
        assert_eq!(
            purlin_testkit::difference(&response, &case["expect"]),
            None,
            "{}",
            case["name"]
        );
        let ttl = response
            .meta
            .and_then(|meta| meta.ttl)
            .map(|ttl| format!("{}s", ttl.seconds));
        assert_eq!(
            ttl.as_deref(),
            case["expect"]["ttl"].as_str(),
            "{}",
            case["name"]
        );
    }
}
