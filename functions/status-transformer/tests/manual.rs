//! Do the examples of the manual page do what the page says?

#[test]
fn the_examples_of_the_page_do_what_it_says() {
    let function = function_status_transformer::hosted().function;
    purlin_testkit::check_manual("status-transformer.md", &*function);
}
