//! What is found without running?

use serde_json::json;

#[test]
fn a_check_finds_all_mistakes_without_running() {
    let input = purlin_object::Object::from_json(json!({
        "ttl": "5x",
        "celHealthCheckCustomization": {"a_v1_B": "object.x ==", "a_v1_C": "object.ready", "a_v1_D": "object.ready == true"},
    })).expect("an object");
    let function = function_auto_ready::hosted().function;
    let found = function.check(&input);
    let paths: Vec<&str> = found.iter().filter_map(|one| one.path.as_deref()).collect();
    assert_eq!(
        paths,
        [
            "ttl",
            "celHealthCheckCustomization[\"a_v1_B\"]",
            "celHealthCheckCustomization[\"a_v1_C\"]",
        ]
    );
}
