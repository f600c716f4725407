//! Does the function answer recorded requests as function-patch-and-transform 0.10.8 did?

#[test]
fn recorded_requests_are_answered_alike() {
    let function = function_patch_and_transform::hosted().function;
    purlin_testkit::check_recorded("patch-and-transform", &*function, |_| false);
}
