//! Which lines of a text changed.

use similar::TextDiff;

/// A unified diff with three lines of context, or nothing when the texts are equal. An absent side is an empty text.
pub fn unified(old_name: &str, old: &str, new_name: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(old_name, new_name)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn a_change_is_shown_with_its_surroundings() {
        assert_eq!(
            unified("a/x", "one\ntwo\n", "b/x", "one\nthree\n"),
            "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n"
        );
        assert_eq!(unified("a", "x", "b", "x"), "");
    }
}
