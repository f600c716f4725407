//! Do the examples of the manual page do what the page says?

#[test]
fn the_examples_of_the_page_do_what_it_says() {
    let function = function_patch_and_transform::hosted().function;
    purlin_testkit::check_manual("patch-and-transform.md", &*function);
}
