//! The whole examples of docs/manual/errors.md: each is told with its code, on the line with the mark.

use super::functions;
use purlin_testkit::root;

const MARK: &str = "# <-";

const HEAD: &str = "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: shop}\nspec:\n  compositeTypeRef: {apiVersion: acme.example/v1, kind: XShop}\n  mode: Pipeline\n  pipeline:\n";

const BOX: &str = "  - step: boxes\n    functionRef: {name: function-patch-and-transform}\n    input:\n      apiVersion: pt.fn.crossplane.io/v1beta1\n      kind: Resources\n      resources:\n      - name: box\n        base: {apiVersion: cloud.example/v1, kind: Box, spec: {forProvider: {region: north}}}\n        patches:\n";

const BLUEPRINT: &str = "  - step: blueprint\n    functionRef: {name: function-blueprint}\n    input:\n      apiVersion: blueprint.fn.purlin.dev/v1alpha1\n      kind: Blueprint\n";

/// The file that an example is a part of.
fn file(place: &str, text: &str) -> String {
    let indented = |spaces: usize| -> String {
        let indent = " ".repeat(spaces);
        let lines: Vec<String> = text.lines().map(|line| format!("{indent}{line}")).collect();
        format!("{}\n", lines.join("\n"))
    };
    match place {
        "patches" => format!("{HEAD}{BOX}{}", indented(8)),
        "steps" => format!("{HEAD}{}", indented(2)),
        "blueprint" => format!("{HEAD}{BLUEPRINT}{}", indented(6)),
        _ => text.to_owned(),
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests read the manual")]
fn the_examples_of_the_error_index_are_told_on_their_lines() {
    let page = std::fs::read_to_string(root().join("docs/manual/errors.md")).unwrap();
    let mut platform = String::new();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for block in page.split("\n```yaml ").skip(1) {
        let (head, rest) = block.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        let Some((code, place)) = head.split_once(' ') else {
            text.clone_into(&mut platform);
            continue;
        };
        seen += 1;
        let example = file(place, text);
        let line = example
            .lines()
            .position(|line| line.contains(MARK))
            .unwrap()
            + 1;
        let files = [
            ("platform.yaml", platform.as_str()),
            ("example.yaml", &example),
        ];
        let found = crate::check(files, &functions()).found;
        let right = |finding: &purlin_diag::Diagnostic| {
            let place = finding.place.as_ref();
            finding.code.0 == code
                && place.is_some_and(|place| {
                    place.line as usize == line && &*place.file == "example.yaml"
                })
        };
        if !found.iter().any(right) {
            wrong.push(format!("{code}, line {line}: {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 50, "{seen}");
}
