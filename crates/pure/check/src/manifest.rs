//! Which mistakes of YAML are worth telling? Those of manifests: other YAML is none of our business.

use purlin_diag::Diagnostics;

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// It has manifests.
    Manifests,
    /// It will have, once another program has filled it in.
    Template,
    /// Something else.
    Other,
}

/// Whether a text may hold a manifest at all. Cheap, and right when it says no.
pub fn may_hold_manifests(text: &str) -> bool {
    // One of the two words may be misspelt, where the other begins a line.
    let begins = |field: &str| text.starts_with(field.trim_start()) || text.contains(field);
    match (text.contains("apiVersion"), text.contains("kind")) {
        (true, true) => true,
        (true, false) => begins("\napiVersion: "),
        (false, true) => begins("\nkind: ") && begins("\nmetadata:"),
        (false, false) => false,
    }
}

/// Whether a text is one that ytt fills in: its instructions stand in comments, so that it reads as YAML without being
/// what is meant.
pub fn is_ytt(text: &str) -> bool {
    text.contains("#@")
        && text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("#@") || line.contains(" #@ ")
        })
}

/// Leaves the findings of [`purlin_yaml::load`] that are about manifests, and says what the text is.
pub fn of_manifests(text: &str, found: Diagnostics) -> (Text, Diagnostics) {
    if !may_hold_manifests(text) {
        return (Text::Other, Diagnostics::new());
    }
    if is_ytt(text) {
        return (Text::Template, Diagnostics::new());
    }
    if found.is_empty() {
        return (Text::Manifests, found);
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut template = false;
    let kept = found
        .into_iter()
        .filter(|finding| {
            let line = finding
                .place
                .as_ref()
                .map_or(0, |place| place.line as usize);
            let part = part(&lines, line);
            let Some(kind) = kind(part) else { return false };
            let near = lines.get(line.saturating_sub(2)..line.min(lines.len()));
            let filled_in = near.into_iter().flatten().any(|line| is_filled_in(line))
                || !is_ours(kind) && part.iter().any(|line| is_filled_in(line));
            template |= filled_in;
            !filled_in
        })
        .collect::<Diagnostics>();
    let what = if template && kept.is_empty() {
        Text::Template
    } else {
        Text::Manifests
    };
    (what, kept)
}

/// The lines of the document that a line, counted from 1, is in.
fn part<'l, 't>(lines: &'l [&'t str], line: usize) -> &'l [&'t str] {
    let at = line.saturating_sub(1).min(lines.len());
    let separates = |line: &&str| line.starts_with("---");
    let start = lines[..at]
        .iter()
        .rposition(separates)
        .map_or(0, |start| start + 1);
    let end = lines[at..].iter().skip(1).position(separates);
    let end = end.map_or(lines.len(), |end| at + 1 + end);
    lines.get(start..end).unwrap_or_default()
}

/// The kind of a manifest; `None` when the lines are none: what stands further in is an object in another text.
fn kind<'t>(lines: &[&'t str]) -> Option<&'t str> {
    /// Spaces before a field that was to stand at the top.
    const SLIPPED: usize = 3;
    let field = |name: &str| {
        lines.iter().find_map(|line| {
            let indent = line.len() - line.trim_start_matches(' ').len();
            let line = line.trim_start_matches(['{', ' ', '"', '-']);
            let rest = line.strip_prefix(name)?.trim_start_matches('"');
            let rest = rest.trim_start().strip_prefix(':')?;
            (indent <= SLIPPED).then(|| rest.trim().trim_matches(['"', '\'', ',']))
        })
    };
    let inside = |name: &str| lines.iter().any(|line| line.contains(name));
    // JSON has both anywhere.
    if inside("\"apiVersion\"") && inside("\"kind\"") {
        return Some(field("kind").unwrap_or_default());
    }
    field("apiVersion")?;
    field("kind")
}

/// Whether a kind is one that people write without other programs.
fn is_ours(kind: &str) -> bool {
    matches!(
        kind,
        "Composition" | "CompositionRevision" | "CompositeResourceDefinition"
    )
}

/// Whether a line is one of Helm, Jinja and the like: a placeholder where YAML has a value, not in a text.
fn is_filled_in(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ");
    if line.starts_with("{{") || line.starts_with("{%") {
        return true;
    }
    let value = line
        .split_once(": ")
        .map_or("", |(_, value)| value.trim_start());
    value.starts_with("{{") || value.starts_with("{%") || value.contains("[${")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, what: Text, left: usize) {
        let (_, found) = purlin_yaml::load("a.yaml", text);
        let (is, kept) = of_manifests(text, found);
        assert_eq!((is, kept.len()), (what, left), "{text}: {kept:?}");
    }

    #[test]
    fn mistakes_of_manifests_are_told_and_others_are_not() {
        check(
            "apiVersion: v1\nkind: A\nspec:\n\ta: 1\n",
            Text::Manifests,
            1,
        );
        check("site: [x\n", Text::Other, 0);
        check("apiVersion: v1\nkind: A\n---\na: {\n", Text::Manifests, 0);
        check(
            "a: {\n---\napiVersion: v1\nkind: A\na: 1\na: 2\n",
            Text::Manifests,
            1,
        );
        check("apiVersion: v1\nkind: A\na: 1\na: 2\n", Text::Manifests, 1);
        check("apiVersion: v1\n  kind: A\na: 1\n", Text::Manifests, 1);
        let object_in_text =
            "cases:\n  one:\n    object:\n      apiVersion: v1\n      kind: A\na: 1\na: 2\n";
        check(object_in_text, Text::Manifests, 0);
    }

    #[test]
    fn templates_are_no_flood() {
        let helm = "apiVersion: v1\nkind: A\nmetadata:\n  name: {{ .Values.name }}\n  {{- if .x }}\n  a: 1\n  {{- end }}\n";
        check(helm, Text::Template, 0);
        let composition =
            "apiVersion: v1\nkind: Composition\nspec:\n  a: |\n    {{ x }}\n  b: 1\n  b: 2\n";
        check(composition, Text::Manifests, 1);
        let ytt = "#@ load(\"@ytt:data\", \"data\")\n---\napiVersion: v1\nkind: A\na: 1\na: 2\n";
        check(ytt, Text::Template, 0);
        let after = "apiVersion: v1\nkind: A\nmetadata:\n  name: #@ data.values.name\na: 1\na: 2\n";
        check(after, Text::Template, 0);
        let filled_by_shell = "apiVersion: v1\nkind: A\na: [${SUBNETS}]\n";
        check(filled_by_shell, Text::Template, 0);
    }
}
