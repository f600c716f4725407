//! Text to values, for two readers of YAML that type scalars differently.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle};

use super::scalar::{escapes, scalar};

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Kubernetes' tools: YAML 1.1 (`yes` is true), repeated keys are accepted, the last counts.
    Kubernetes,
    /// yaml.v3: `yes` is text, dates are times, repeated keys are a mistake.
    V3,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Nanoseconds since 1970.
    Time(i128),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Values of one text, with aliases expanded.
const MAX_NODES: usize = 1_000_000;
/// How deep lists and maps may nest.
const MAX_DEPTH: usize = 100;

/// How many lines of quoted texts may stand further left than the parser takes them.
const MAX_SHIFTED: usize = 256;

/// What is wrong with a text, and in which line of it, from 1.
enum Wrong {
    /// A line inside of a quoted text stands too far to the left.
    Shifted(usize),
    Other(usize, String),
}

impl From<(usize, String)> for Wrong {
    fn from((line, message): (usize, String)) -> Self {
        Self::Other(line, message)
    }
}

/// Reads all documents of a text. The mistake says the line of the text, from 1.
///
/// libyaml takes further lines of a quoted text wherever they stand, and what is rendered into quotes has such lines. The
/// parser wants them further right than what is around them; so they are moved, which changes nothing else.
pub(crate) fn read(text: &str, dialect: Dialect) -> Result<Vec<Node>, (usize, String)> {
    let mut moved = std::borrow::Cow::Borrowed(text);
    for _ in 0..MAX_SHIFTED {
        match read_strictly(&moved, dialect) {
            Ok(documents) => return Ok(documents),
            Err(Wrong::Other(line, message)) => return Err((line, message)),
            Err(Wrong::Shifted(line)) => {
                let shift = " ".repeat(2 * MAX_DEPTH);
                let lines = (1..).zip(moved.split_inclusive('\n'));
                let lines = lines.map(|(number, text)| {
                    let shift = if number == line { shift.as_str() } else { "" };
                    format!("{shift}{text}")
                });
                moved = lines.collect::<String>().into();
            }
        }
    }
    Err((
        1,
        format!("more than {MAX_SHIFTED} lines of quoted texts stand too far to the left"),
    ))
}

/// Whether the first line that is not empty begins with a tab, which the parser would take.
fn starts_with_a_tab(text: &str) -> Result<(), Wrong> {
    let first = (1..)
        .zip(text.lines())
        .find(|(_, line)| !line.trim().is_empty());
    if let Some((line, _)) =
        first.filter(|(_, line)| line.trim_start_matches(' ').starts_with('\t'))
    {
        let message = "found character that cannot start any token".to_owned();
        return Err(Wrong::Other(line, message));
    }
    Ok(())
}

fn read_strictly(text: &str, dialect: Dialect) -> Result<Vec<Node>, Wrong> {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: false,
        simple_key_max_lookahead: 1 << 16,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    starts_with_a_tab(text)?;
    let source = text;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder {
        dialect,
        frames: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        nodes: 0,
    };
    let mut documents = Vec::new();
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| match error.kind() {
            ErrorKind::InvalidQuotedScalarIndent => Wrong::Shifted(error.marker().line()),
            _ => Wrong::Other(error.marker().line(), error.info()),
        })?;
        let line = span.start.line();
        let fail = |message: String| (line, message);
        match event {
            Event::DocumentStart(..) => {
                builder.anchors.clear();
                builder.root = None;
            }
            Event::DocumentEnd => documents.push(builder.root.take().unwrap_or(Node::Null)),
            Event::Scalar(text, style, anchor, tag) => {
                if style == ScalarStyle::DoubleQuoted {
                    escapes(span.slice(source).unwrap_or_default()).map_err(fail)?;
                }
                let node = scalar(&text, style, tag.as_deref(), dialect).map_err(fail)?;
                builder.add(node, anchor).map_err(fail)?;
            }
            Event::Alias(id) => {
                let Some(node) = builder.anchors.get(&id).cloned() else {
                    return Err(
                        fail("an alias stands inside the anchor it names".to_owned()).into(),
                    );
                };
                builder.nodes += size(&node);
                builder.add(node, 0).map_err(fail)?;
            }
            Event::SequenceStart(_, anchor, _) => builder.open(anchor, false).map_err(fail)?,
            Event::MappingStart(_, anchor, _) => builder.open(anchor, true).map_err(fail)?,
            Event::SequenceEnd | Event::MappingEnd => builder.close().map_err(fail)?,
            _ => {}
        }
    }
    Ok(documents)
}

struct Frame {
    anchor: usize,
    is_map: bool,
    /// Elements, or keys and values in turn.
    items: Vec<Node>,
}

struct Builder {
    dialect: Dialect,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
}

impl Builder {
    fn open(&mut self, anchor: usize, is_map: bool) -> Result<(), String> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(format!(
                "lists and maps are nested more than {MAX_DEPTH} deep"
            ));
        }
        self.frames.push(Frame {
            anchor,
            is_map,
            items: Vec::new(),
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let node = if frame.is_map {
            map(frame.items, self.dialect)?
        } else {
            Node::List(frame.items.into_iter().map(unmerge).collect())
        };
        self.add(node, frame.anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} values"));
        }
        if anchor != 0 {
            self.nodes += size(&node);
            self.anchors.insert(anchor, node.clone());
        }
        match self.frames.last_mut() {
            Some(frame) => frame.items.push(node),
            None => self.root = Some(unmerge(node)),
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    match node {
        Node::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Node::Map(entries) => {
            1 + entries
                .iter()
                .map(|(key, value)| size(key) + size(value))
                .sum::<usize>()
        }
        _ => 1,
    }
}

/// What a plain `<<` is until it is known whether it is a key.
pub(super) const MERGE: &str = "\u{0}<<";

fn unmerge(node: Node) -> Node {
    match node {
        Node::Text(text) if text == MERGE => Node::Text("<<".to_owned()),
        node => node,
    }
}

fn map(items: Vec<Node>, dialect: Dialect) -> Result<Node, String> {
    let mut entries: Vec<(Node, Node)> = Vec::with_capacity(items.len() / 2);
    // Where a text key is; other keys are few.
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    let mut merged = Vec::new();
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        let value = unmerge(value);
        if key == Node::Text(MERGE.to_owned()) {
            if dialect == Dialect::Kubernetes {
                // What stands later counts, also when it is merged.
                for (key, value) in sources(value)?.into_iter().rev().flatten() {
                    put(&mut entries, &mut index, key, value);
                }
            } else {
                merged.extend(sources(value)?.into_iter().flatten());
            }
            continue;
        }
        let key = match (dialect, key) {
            (Dialect::Kubernetes, key) => Node::Text(key_text(&key)?),
            (Dialect::V3, Node::List(_) | Node::Map(_)) => {
                return Err("invalid map key: a key is no list and no map".to_owned());
            }
            (Dialect::V3, key) => key,
        };
        if put(&mut entries, &mut index, key.clone(), value) && dialect == Dialect::V3 {
            return Err(format!("mapping key {key:?} already defined"));
        }
    }
    for (key, value) in merged {
        if !holds(&entries, &index, &key) {
            put(&mut entries, &mut index, key, value);
        }
    }
    Ok(Node::Map(entries))
}

fn holds(entries: &[(Node, Node)], index: &BTreeMap<String, usize>, key: &Node) -> bool {
    match key {
        Node::Text(text) => index.contains_key(text),
        other => entries.iter().any(|(held, _)| held == other),
    }
}

/// Sets a key; says whether it was there.
fn put(
    entries: &mut Vec<(Node, Node)>,
    index: &mut BTreeMap<String, usize>,
    key: Node,
    value: Node,
) -> bool {
    let at = match &key {
        Node::Text(text) => index.get(text).copied(),
        other => entries.iter().position(|(held, _)| held == other),
    };
    if let Some((_, held)) = at.and_then(|at| entries.get_mut(at)) {
        *held = value;
        return true;
    }
    if let Node::Text(text) = &key {
        index.insert(text.clone(), entries.len());
    }
    entries.push((key, value));
    false
}

/// The maps a `<<` brings.
fn sources(value: Node) -> Result<Vec<Vec<(Node, Node)>>, String> {
    let maps = match value {
        Node::Map(entries) => return Ok(vec![entries]),
        Node::List(items) => items,
        _ => return Err("map merge requires map or sequence of maps as the value".to_owned()),
    };
    maps.into_iter()
        .map(|map| match map {
            Node::Map(entries) => Ok(entries),
            _ => Err("map merge requires map or sequence of maps as the value".to_owned()),
        })
        .collect()
}

/// A key as JSON has it.
fn key_text(key: &Node) -> Result<String, String> {
    Ok(match key {
        Node::Text(text) => text.clone(),
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Float(value) => value.to_string(),
        Node::Null | Node::Time(_) | Node::List(_) | Node::Map(_) => {
            return Err("a key must be text, a number or a boolean".to_owned());
        }
    })
}
