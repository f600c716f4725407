//! Does the function answer recorded requests as the program it stands in for did?
#![allow(missing_docs, reason = "a test")]

#[test]
fn recorded_requests_are_answered_alike() {
    purlin_testkit::check_recorded(
        "environment-configs",
        &*function_environment_configs::hosted().function,
        |_| false,
    );
}
