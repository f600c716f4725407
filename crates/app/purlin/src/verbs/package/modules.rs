//! How do the modules of a folder get into its package? Written into the Compositions that use them: a function gets no files.

use purlin_composition::modules::Modules;
use purlin_diag::Diagnostics;
use purlin_package::split;
use purlin_yaml::Document;

/// Files by their names.
type Files = Vec<(String, String)>;

/// The files of a folder that has modules.
pub(super) struct Filled {
    /// The files as they are, line by line, without the modules.
    pub(super) bare: Files,
    /// The same, with the modules written into the Compositions that use them.
    pub(super) whole: Files,
    /// What is wrong with the modules, and which are used and not there.
    pub(super) found: Diagnostics,
}

/// Takes the modules out of files and writes them where they are used; nothing when there are none.
pub(super) fn fill(files: &Files) -> Option<Filled> {
    let may_have_some = |text: &str| text.contains("Module");
    if !files.iter().any(|(_, text)| may_have_some(text)) {
        return None;
    }
    let mut all = Vec::new();
    for (name, text) in files.iter().filter(|(_, text)| may_have_some(text)) {
        all.extend(purlin_yaml::load(name, text).0);
    }
    let (modules, _, mut found) = Modules::take(all);
    if modules.is_empty() && found.is_empty() {
        return None;
    }
    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let (mut left, mut filled) = (String::new(), String::new());
        for part in split(text) {
            // On its line, so that what is told of it names that.
            let before = usize::try_from(part.line).unwrap_or(1).saturating_sub(1);
            let alone = format!(
                "{}{}{}",
                "\n".repeat(before.saturating_sub(left.matches('\n').count())),
                if part.text.starts_with(char::is_whitespace) {
                    "---"
                } else {
                    ""
                },
                part.text
            );
            let padded = "\n".repeat(before) + part.text;
            match one(name, &padded) {
                Some(document) if Modules::is_module(&document.value) => continue,
                Some(mut composition) if composition.value["kind"] == "Composition" => {
                    let (any, missing) =
                        modules.fill(&mut composition.value, &mut composition.places);
                    found.extend(missing);
                    filled.push_str("---\n");
                    if any {
                        filled.push_str(&purlin_yaml::to_string(&composition.value));
                    } else {
                        filled.push_str(part.text);
                    }
                }
                _ => {
                    filled.push_str("---\n");
                    filled.push_str(part.text);
                }
            }
            left.push_str(&alone);
            if !filled.ends_with('\n') {
                filled.push('\n');
            }
        }
        bare.push((name.clone(), left));
        whole.push((name.clone(), filled));
    }
    Some(Filled { bare, whole, found })
}

/// The one document of a text.
fn one(name: &str, text: &str) -> Option<Document> {
    let mut documents = purlin_yaml::load(name, text).0;
    (documents.len() == 1).then(|| documents.remove(0))
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn modules_are_taken_out_and_every_line_stays_where_it_is() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let module = "apiVersion: blueprint.fn.purlin.dev/v1alpha1\nkind: Module\nmetadata: {name: m}\noutputs: {a: 1}\n";
        let xrd = "# first\nkind: XRD\n";
        let composition = "kind: Composition\nspec:\n  pipeline:\n  - input: {apiVersion: blueprint.fn.purlin.dev/v1alpha1, kind: Blueprint, use: [{name: m}]}\n";
        let files = vec![
            file("a.yaml", &format!("{xrd}---\n{module}---\n{composition}")),
            file("b.yaml", xrd),
        ];
        let filled = fill(&files).unwrap();
        assert!(filled.found.is_empty(), "{:?}", filled.found);
        let lines: Vec<&str> = filled.bare[0].1.lines().collect();
        assert_eq!(lines.first(), Some(&"# first"));
        let before: Vec<&str> = files[0].1.lines().collect();
        let at = before.iter().position(|line| *line == "kind: Composition");
        assert_eq!(
            lines.iter().position(|line| *line == "kind: Composition"),
            at
        );
        assert!(!filled.bare[0].1.contains("Module"));
        assert!(filled.whole[0].1.contains("outputs") && !filled.whole[0].1.contains("Module"));
        assert_eq!(filled.bare[1].1, xrd);
        assert!(fill(&vec![file("b.yaml", xrd)]).is_none());
    }
}
