//! Do the examples of the manual page do what the page says?

#[test]
fn the_examples_of_the_page_do_what_it_says() {
    let functions = [
        function_patch_and_transform::hosted(),
        function_auto_ready::hosted(),
    ];
    let function = function_pipeline::hosted(functions).function;
    purlin_testkit::check_manual("pipeline.md", &*function);
}
