//! Does the function answer recorded requests as the program it stands in for did?
#![allow(missing_docs, reason = "a test")]

#[test]
fn recorded_requests_are_answered_alike() {
    purlin_testkit::check_recorded(
        "status-transformer",
        &*function_status_transformer::hosted().function,
        |_| false,
    );
}
