//! Do the objects that a Go template writes fit the kinds they are of, as far as they are written out?

use std::ops::Range;

use purlin_diag::Diagnostic;
use purlin_schema::{Additional, Kind, Schema};
use serde_json::{Value as Json, json};

use crate::compose::{Context, Typed};
use crate::outline::{Entry, Line, Part, Value};
use crate::reach::{self, Reach, Step, follow};
use crate::{Report, fit, flow};

/// What a document of a template is.
pub(crate) struct Object {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    /// The name of the composed resource, when it is written out, and its bytes.
    pub(crate) name: Option<(String, Range<usize>)>,
    /// The bytes of the fields apiVersion and kind.
    places: (Range<usize>, Range<usize>),
}

/// A document, the template it is in, and where that stands.
pub(crate) struct Place<'t> {
    pub(crate) part: &'t Part,
    pub(crate) text: &'t str,
    pub(crate) at: &'t str,
}

/// What a document is, when its apiVersion and kind are written out, once.
pub(crate) fn object(place: &Place<'_>) -> Option<Object> {
    let Place { part, text, .. } = *place;
    if part.uncertain || part.named {
        return None;
    }
    let top = |name: &str| {
        let mut found = entries(part).filter(|entry| {
            entry.column == 0
                && entry.dashes.is_empty()
                && entry.key.as_ref().is_some_and(|(key, _)| key == name)
        });
        let first = found.next()?;
        let Value::Written(bytes) = &first.value else {
            return None;
        };
        let word = scalar(text, bytes)?.as_str()?.to_owned();
        found.next().is_none().then(|| (word, bytes.clone()))
    };
    let (api_version, first) = top("apiVersion")?;
    let (kind, second) = top("kind")?;
    Some(Object {
        api_version,
        kind,
        name: name(part, text),
        places: (first, second),
    })
}

/// Tells misspelt names of the fields that make an object.
pub(crate) fn identity(place: &Place<'_>, report: &mut Report<'_>) {
    if place.part.uncertain || place.part.named {
        return;
    }
    let top: Vec<&(String, Range<usize>)> = entries(place.part)
        .filter(|entry| entry.column == 0 && entry.dashes.is_empty())
        .filter_map(|entry| entry.key.as_ref())
        .collect();
    let keys: Vec<&str> = top.iter().map(|(key, _)| key.as_str()).collect();
    for (key, field) in fit::misspelt(&keys, false) {
        let Some((_, bytes)) = top.iter().find(|(known, _)| known == key) else {
            continue;
        };
        let message = format!("`{key}` is no field of objects");
        let finding = Diagnostic::error("check/unknown-field", message);
        let finding = finding.help(format!("did you mean `{field}`?"));
        report.part(place.at, (bytes.start, bytes.end), finding);
    }
}

fn entries(part: &Part) -> impl Iterator<Item = &Entry> {
    part.lines.iter().filter_map(|line| match line {
        Line::Entry(entry) => Some(entry),
        Line::Hole { .. } => None,
    })
}

/// The name that a document gives its resource: an annotation, or the function that writes it.
fn name(part: &Part, text: &str) -> Option<(String, Range<usize>)> {
    const ANNOTATION: &str = "gotemplating.fn.crossplane.io/composition-resource-name";
    const FUNCTION: &str = "setResourceNameAnnotation";
    let mut found = part.lines.iter().filter_map(|line| match line {
        Line::Entry(entry) => {
            let (key, _) = entry.key.as_ref()?;
            if key != ANNOTATION {
                return None;
            }
            Some(match &entry.value {
                Value::Written(bytes) => scalar(text, bytes)
                    .and_then(|name| Some((name.as_str()?.to_owned(), bytes.clone()))),
                _ => None,
            })
        }
        Line::Hole { at, .. } => {
            let (_, rest) = text.get(at.clone())?.split_once(FUNCTION)?;
            let rest = rest.trim_start();
            let start = at.end
                - (text
                    .get(at.clone())?
                    .rsplit(FUNCTION)
                    .next()?
                    .trim_start()
                    .len());
            let quoted = rest
                .chars()
                .next()
                .filter(|c| matches!(c, '"' | '`'))
                .and_then(|quote| rest.get(1..)?.split_once(quote))
                .filter(|(name, _)| !name.contains('\\'));
            Some(quoted.map(|(name, _)| (name.to_owned(), start + 1..start + 1 + name.len())))
        }
    });
    let first = found.next()??;
    // Two names are those of two branches.
    found.next().is_none().then_some(first)
}

/// The scalar, list or map that is written there.
fn scalar(text: &str, bytes: &Range<usize>) -> Option<Json> {
    let (mut documents, found) = purlin_yaml::load("", &format!("v: {}", text.get(bytes.clone())?));
    if !found.is_empty() || documents.len() != 1 {
        return None;
    }
    documents.pop()?.value.get_mut("v").map(Json::take)
}

/// Checks the kind of an object, and gives what is known of it.
pub(crate) fn typed(
    context: &Context<'_>,
    object: &Object,
    place: &Place<'_>,
    report: &mut Report<'_>,
) -> Typed {
    let manifest = json!({"apiVersion": object.api_version, "kind": object.kind});
    let typed = context.typed(&manifest).unwrap_or_default();
    let mut inside = Report::new(report.places);
    context.check_kind(&manifest, &typed, "", &mut inside);
    for finding in inside.found {
        let (version, kind) = &object.places;
        let bytes = if finding.path.as_deref() == Some("apiVersion") {
            version
        } else {
            kind
        };
        report.part(place.at, (bytes.start, bytes.end), finding);
    }
    typed
}

/// A field, list element or whole object one is in.
struct Node {
    /// The column its name or dash stands in; `None` for the whole object.
    column: Option<usize>,
    dash: bool,
    steps: Vec<Step>,
    /// Whether its schema is known.
    known: bool,
    /// Whether parts of it may not be written out.
    open: bool,
    keys: Vec<String>,
    /// The bytes that name it.
    bytes: Range<usize>,
}

/// Checks the lines of an object against the schema of its kind. `filled` says whether others may fill fields of it.
pub(crate) fn check(
    object: &Object,
    place: &Place<'_>,
    typed: &Typed,
    filled: bool,
    report: &mut Report<'_>,
) {
    let Some(schema) = typed.schema.as_deref() else {
        return;
    };
    let mut walk = Walk {
        place,
        schema,
        kind: &typed.kind,
        filled,
        nodes: vec![Node {
            column: None,
            dash: false,
            steps: Vec::new(),
            known: true,
            open: false,
            keys: Vec::new(),
            bytes: object.places.1.clone(),
        }],
        report,
    };
    for line in &place.part.lines {
        match line {
            Line::Hole { column: None, .. } => {
                walk.nodes.iter_mut().for_each(|node| node.open = true);
            }
            Line::Hole {
                column: Some(hole), ..
            } => {
                walk.leave_until(|node| node.column.is_none_or(|column| column < *hole));
                if let Some(node) = walk.nodes.last_mut() {
                    node.open = true;
                }
            }
            Line::Entry(entry) => walk.entry(entry),
        }
    }
    while let Some(node) = walk.nodes.pop() {
        walk.leave(&node);
    }
}

struct Walk<'w, 'p> {
    place: &'w Place<'w>,
    schema: &'w Schema,
    kind: &'w str,
    filled: bool,
    nodes: Vec<Node>,
    report: &'w mut Report<'p>,
}

impl Walk<'_, '_> {
    fn entry(&mut self, entry: &Entry) {
        for dash in &entry.dashes {
            // The items of a list may stand where its name does.
            self.leave_until(|node| {
                node.column
                    .is_none_or(|column| column < *dash || column == *dash && !node.dash)
            });
            let bytes = self.nodes.last().map(|node| node.bytes.clone());
            self.enter(Step::Any, *dash, true, bytes.unwrap_or_default());
        }
        if !entry.keyed {
            self.value(&entry.value, None);
            return;
        }
        self.leave_until(|node| node.column.is_none_or(|column| column < entry.column));
        let Some((name, bytes)) = &entry.key else {
            if let Some(node) = self.nodes.last_mut() {
                node.open = true;
            }
            self.enter_unknown(entry.column);
            return;
        };
        if let Some(node) = self.nodes.last_mut() {
            node.keys.push(name.clone());
        }
        self.enter(
            Step::Field(name.clone()),
            entry.column,
            false,
            bytes.clone(),
        );
        self.value(&entry.value, Some(bytes));
    }

    fn enter_unknown(&mut self, column: usize) {
        self.nodes.push(Node {
            column: Some(column),
            dash: false,
            steps: Vec::new(),
            known: false,
            open: true,
            keys: Vec::new(),
            bytes: 0..0,
        });
    }

    fn enter(&mut self, step: Step, column: usize, dash: bool, bytes: Range<usize>) {
        let parent = self.nodes.last();
        let parent_known = parent.is_some_and(|node| node.known);
        let mut steps = parent.map(|node| node.steps.clone()).unwrap_or_default();
        steps.push(step);
        let mut known = parent_known && matches!(follow(self.schema, &steps), Reach::Field(_));
        if parent_known && let Some(finding) = reach::complain(self.schema, &steps, self.kind) {
            known = false;
            // A list where there is none is told by its name, once.
            self.part(&bytes, finding);
        }
        self.nodes.push(Node {
            column: Some(column),
            dash,
            steps,
            known,
            open: false,
            keys: Vec::new(),
            bytes,
        });
    }

    fn leave_until(&mut self, stays: impl Fn(&Node) -> bool) {
        while self.nodes.last().is_some_and(|node| !stays(node)) {
            if let Some(node) = self.nodes.pop() {
                self.leave(&node);
            }
        }
    }

    /// Tells what an object lacks, when it is written out as a whole.
    fn leave(&mut self, node: &Node) {
        if !node.known || node.open || node.keys.is_empty() || self.filled {
            return;
        }
        if node.steps.first() == Some(&Step::Field("status".to_owned())) {
            return;
        }
        let Reach::Field(schema) = follow(self.schema, &node.steps) else {
            return;
        };
        for name in &schema.required {
            let defaulted = schema
                .properties
                .get(name)
                .is_some_and(|field| field.default.is_some());
            if defaulted || node.keys.contains(name) {
                continue;
            }
            let mut steps = node.steps.clone();
            steps.push(Step::Field(name.clone()));
            let message = format!("{}: Required value", reach::show(&steps));
            self.part(
                &node.bytes,
                Diagnostic::error("check/missing-field", message),
            );
        }
    }

    /// Checks the value of the innermost node.
    fn value(&mut self, value: &Value, key: Option<&Range<usize>>) {
        let Some(node) = self.nodes.last_mut() else {
            return;
        };
        match value {
            Value::Below => return,
            Value::Hole => {
                node.open = true;
                return;
            }
            Value::Written(_) | Value::Text(_) | Value::Block(_) => {}
        }
        // A flow map or an empty one says all there is.
        node.open = true;
        if !node.known {
            return;
        }
        let Reach::Field(schema) = follow(self.schema, &node.steps) else {
            return;
        };
        let shown = reach::show(&node.steps);
        match value {
            Value::Written(bytes) => {
                let Some(written) = scalar(self.place.text, bytes).filter(|value| !value.is_null())
                else {
                    return;
                };
                for error in purlin_schema::validate_part(&written, None, schema, &shown) {
                    let (_, finding) = fit::words(&error, self.schema, "");
                    self.part(bytes, finding);
                }
            }
            Value::Text(bytes) | Value::Block(bytes) => {
                let wanted = flow::of(schema).filter(|kind| *kind != Kind::String);
                let open = schema.preserve_unknown
                    || matches!(schema.additional, Some(Additional::Flag(true)));
                let Some(wanted) = wanted.filter(|_| !open) else {
                    return;
                };
                let message = format!(
                    "`{shown}` of {} is {}, and this is always a string",
                    self.kind,
                    flow::word(wanted)
                );
                let help = match value {
                    Value::Text(_) => "take the quotes, or `quote`, away",
                    _ => "write it as YAML",
                };
                let finding = Diagnostic::error("check/wrong-type", message).help(help);
                self.part(key.unwrap_or(bytes), finding);
            }
            Value::Below | Value::Hole => {}
        }
    }

    fn part(&mut self, bytes: &Range<usize>, finding: Diagnostic) {
        self.report
            .part(self.place.at, (bytes.start, bytes.end), finding);
    }
}
