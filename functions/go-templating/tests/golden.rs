//! Does the function answer recorded requests as the program it stands in for did?
#![allow(missing_docs, reason = "a test")]

#[test]
fn recorded_requests_are_answered_alike() {
    // Cases with flags were recorded with another configuration.
    purlin_testkit::check_recorded(
        "go-templating",
        &*function_go_templating::hosted().function,
        |case| !case["flags"].is_null(),
    );
}
