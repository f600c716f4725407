//! The functions in this binary. Every verb that runs functions takes them from here.

use purlin_function::Functions;

/// All of them; requests without an input go to none until somebody says to which.
pub(crate) fn functions() -> Functions {
    Functions::new([
        function_patch_and_transform::hosted(),
        function_auto_ready::hosted(),
        function_blueprint::hosted(),
        function_environment_configs::hosted(),
        function_extra_resources::hosted(),
        function_sequencer::hosted(),
        function_blueprint::hosted(),
    ])
}
