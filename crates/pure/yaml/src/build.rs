//! Events of the parser to values and places.

use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle, Span, Tag};
use purlin_diag::{Diagnostic, Diagnostics};
use serde_json::Value;

use crate::limits::Limits;
use crate::load::Document;
use crate::map::{MapContent, Node};
use crate::padding::Padding;
use crate::path::push_field;
use crate::place::{Branch, Children, PlaceMap, Source, Spot};
use crate::scalar::{Plain, plain};

/// What an event led to.
pub(crate) enum Outcome {
    /// The document goes on, or ended without a value.
    More,
    /// The document ended and has a value.
    Document(Document),
    /// The rest of the document is to be skipped.
    Abandon,
    /// Nothing more may be read.
    Stop,
}

/// A list or map that is not closed yet.
struct Frame {
    anchor: usize,
    at: Spot,
    size: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>, Vec<Branch>),
    Map(MapContent),
}

pub(crate) struct Builder<'l> {
    source: Arc<Source>,
    limits: &'l Limits,
    padding: Padding,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    /// The document has a mistake that leaves no value to give.
    broken: bool,
}

impl<'l> Builder<'l> {
    pub(crate) fn new(source: Arc<Source>, limits: &'l Limits, padding: Padding) -> Self {
        Self {
            source,
            limits,
            padding,
            frames: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            nodes: 0,
            broken: false,
        }
    }

    /// Forgets the document that was being built.
    pub(crate) fn abandon(&mut self) {
        self.frames.clear();
        self.anchors.clear();
        self.root = None;
        self.broken = false;
    }

    pub(crate) fn event(
        &mut self,
        event: Event<'_>,
        span: &Span,
        found: &mut Diagnostics,
    ) -> Outcome {
        let spot = self.padding.back(Spot::of(span));
        match event {
            Event::DocumentStart(..) => self.abandon(),
            Event::DocumentEnd => return self.finish(),
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), spot, found);
                return self.add(node, anchor, found);
            }
            Event::Alias(id) => return self.alias(id, spot, found),
            Event::UnresolvedAlias(name) => {
                self.broken = true;
                found.push(
                    self.error(
                        "yaml/unknown-anchor",
                        spot,
                        format!("there is no anchor `&{name}` before this alias"),
                    )
                    .help("define the anchor earlier in the same document, or quote the text"),
                );
                return self.add(Node::null(spot), 0, found);
            }
            Event::SequenceStart(_, anchor, _) => {
                let content = Content::List(Vec::new(), Vec::new());
                return self.open(anchor, spot, content, found);
            }
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Map(MapContent::default());
                return self.open(anchor, spot, content, found);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(spot, found),
            _ => {}
        }
        Outcome::More
    }

    fn open(
        &mut self,
        anchor: usize,
        at: Spot,
        content: Content,
        found: &mut Diagnostics,
    ) -> Outcome {
        if self.frames.len() >= self.limits.depth {
            let message = format!(
                "lists and maps are nested more than {} deep",
                self.limits.depth
            );
            found.push(self.error("yaml/too-deep", at, message));
            return Outcome::Abandon;
        }
        self.frames.push(Frame {
            anchor,
            at,
            size: 1,
            content,
        });
        Outcome::More
    }

    fn close(&mut self, end: Spot, found: &mut Diagnostics) -> Outcome {
        let Some(frame) = self.frames.pop() else {
            return Outcome::More;
        };
        let mut at = frame.at;
        at.end = end.end.max(at.start);
        // Nothing is underlined for a value that spans lines.
        if end.line == at.line {
            at.length = end
                .column
                .saturating_add(end.length)
                .saturating_sub(at.column);
        }
        let (value, children) = match frame.content {
            Content::List(values, branches) => (Value::Array(values), Children::List(branches)),
            Content::Map(map) => (Value::Object(map.values), Children::Map(map.branches)),
        };
        let branch = Branch {
            key: None,
            value: at,
            children,
        };
        let node = Node {
            value,
            branch,
            size: frame.size,
        };
        self.add(node, frame.anchor, found)
    }

    fn finish(&mut self) -> Outcome {
        let root = self.root.take();
        self.anchors.clear();
        match root {
            Some(node) if !self.broken && !node.value.is_null() => Outcome::Document(Document {
                value: node.value,
                places: PlaceMap {
                    source: self.source.clone(),
                    root: Arc::new(node.branch),
                    grafts: Vec::new(),
                },
            }),
            _ => Outcome::More,
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one event of the parser"
    )]
    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        spot: Spot,
        found: &mut Diagnostics,
    ) -> Node {
        let wanted = tag.and_then(Tag::core_suffix);
        if let Some(tag) = tag
            && wanted.is_none()
            && tag.original() != "!"
        {
            let message = format!("the tag `{}` means nothing here", tag.original());
            let mut warning = self
                .error("yaml/unknown-tag", spot, message)
                .help("the value is read as text; take the tag away");
            warning.severity = purlin_diag::Severity::Warning;
            found.push(warning);
        }
        let as_text = wanted == Some("str")
            || (wanted.is_none() && (style != ScalarStyle::Plain || tag.is_some()));
        let value = if as_text {
            Value::String(text.to_owned())
        } else {
            match plain(text) {
                Plain::Value(value) => value,
                Plain::NotFinite => {
                    self.broken = true;
                    let message = format!("`{text}` is a number that JSON cannot hold");
                    found.push(
                        self.error("yaml/not-finite", spot, message)
                            .help("quote it if it is text"),
                    );
                    Value::Null
                }
            }
        };
        if let Some(wanted) = wanted
            && !fits_tag(wanted, &value)
        {
            self.broken = true;
            let message = format!("`{text}` is not what its tag `!!{wanted}` says");
            found.push(self.error("yaml/wrong-tag", spot, message));
        }
        Node {
            value,
            branch: Branch {
                key: None,
                value: spot,
                children: Children::Scalar(text.into(), style),
            },
            size: 1,
        }
    }

    fn alias(&mut self, id: usize, spot: Spot, found: &mut Diagnostics) -> Outcome {
        let Some(target) = self.anchors.get(&id) else {
            self.broken = true;
            let message = "this alias stands inside the anchor it names";
            found.push(self.error("yaml/alias-loop", spot, message));
            return self.add(Node::null(spot), 0, found);
        };
        if self.nodes.saturating_add(target.size) > self.limits.nodes {
            return self.too_many(spot, found);
        }
        // Fields below an alias keep the places of the anchor, where they are written.
        let mut node = target.clone();
        node.branch.value = spot;
        self.nodes += node.size;
        self.place(node, found);
        Outcome::More
    }

    /// Counts a node, keeps it when it has an anchor, and puts it where it belongs.
    fn add(&mut self, node: Node, anchor: usize, found: &mut Diagnostics) -> Outcome {
        let copies = if anchor == 0 { 0 } else { node.size };
        self.nodes = self.nodes.saturating_add(1).saturating_add(copies);
        if self.nodes > self.limits.nodes {
            return self.too_many(node.branch.value, found);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.place(node, found);
        Outcome::More
    }

    fn too_many(&self, spot: Spot, found: &mut Diagnostics) -> Outcome {
        let message = format!(
            "the text holds more than {} values once its aliases are expanded",
            self.limits.nodes
        );
        found.push(self.error("yaml/too-many-values", spot, message));
        Outcome::Stop
    }

    fn place(&mut self, node: Node, found: &mut Diagnostics) {
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return;
        };
        let problem = match &mut frame.content {
            Content::List(values, branches) => {
                frame.size += node.size;
                values.push(node.value);
                branches.push(node.branch);
                None
            }
            Content::Map(map) => match map.key.take() {
                None => map.take_key(&node),
                Some(key) => {
                    frame.size += node.size;
                    map.take_value(key, node)
                }
            },
        };
        if let Some(problem) = problem {
            self.broken = true;
            let mut diagnostic = self
                .error(problem.code, problem.spot, problem.message)
                .help(problem.help);
            if let Some(name) = problem.field {
                diagnostic = diagnostic.path(self.path_to(&name));
            }
            found.push(diagnostic);
        }
    }

    /// The path of a field of the map on top.
    fn path_to(&self, name: &str) -> String {
        let mut path = String::new();
        let inner = self.frames.len().saturating_sub(1);
        for frame in self.frames.iter().take(inner) {
            match &frame.content {
                Content::List(values, _) => {
                    path.push('[');
                    path.push_str(&values.len().to_string());
                    path.push(']');
                }
                Content::Map(map) => {
                    if let Some(name) = map.key.as_ref().and_then(|key| key.name.as_deref()) {
                        push_field(&mut path, name);
                    }
                }
            }
        }
        push_field(&mut path, name);
        path
    }

    fn error(&self, code: &'static str, spot: Spot, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(self.source.place(spot))
    }
}

fn fits_tag(wanted: &str, value: &Value) -> bool {
    match wanted {
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        "bool" => value.is_boolean(),
        "null" => value.is_null(),
        "seq" | "map" => false,
        _ => true,
    }
}
