//! The functions in this binary. Every verb that runs functions takes them from here.

use purlin_function::Functions;

/// All of them; requests without an input go to none until somebody says to which.
pub(crate) fn functions() -> Functions {
    let mut all = vec![
        function_patch_and_transform::hosted(),
        function_auto_ready::hosted(),
        function_blueprint::hosted(),
        function_cel_filter::hosted(),
        function_environment_configs::hosted(),
        function_extra_resources::hosted(),
        function_go_templating::hosted_with(function_go_templating::Options {
            now: Some(std::sync::Arc::new(now)),
            ..Default::default()
        }),
        function_sequencer::hosted(),
        function_status_transformer::hosted(),
        function_tag_manager::hosted(),
    ];
    all.push(function_pipeline::hosted(all.clone()));
    Functions::new(all)
}

/// The clock of templates, in nanoseconds since 1970.
fn now() -> i128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        i128::try_from(since.as_nanos()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_two_functions_answer_to_the_same_name_or_input() {
        let functions = super::functions();
        let mut taken = BTreeSet::new();
        for hosted in functions.hosted() {
            assert!(taken.insert(hosted.name.to_owned()), "{hosted:?}");
            let input = format!("{} {}", hosted.api_version, hosted.kind);
            assert!(taken.insert(input), "{hosted:?}");
        }
    }
}
