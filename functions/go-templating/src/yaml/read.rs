//! Text to values, for two readers of YAML that type scalars differently.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Tag};

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

fn read_strictly(text: &str, dialect: Dialect) -> Result<Vec<Node>, Wrong> {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: false,
        simple_key_max_lookahead: 1 << 16,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let first = (1..)
        .zip(text.lines())
        .find(|(_, line)| !line.trim().is_empty());
    if let Some((line, _)) =
        first.filter(|(_, line)| line.trim_start_matches(' ').starts_with('\t'))
    {
        let message = "found character that cannot start any token".to_owned();
        return Err(Wrong::Other(line, message));
    }
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
const MERGE: &str = "\u{0}<<";

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

/// Refuses the escapes that libyaml does not know: halves of a pair, which only JSON has, and a slash.
fn escapes(quoted: &str) -> Result<(), String> {
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            continue;
        }
        match chars.next() {
            Some('/') => return Err("found unknown escape character".to_owned()),
            Some('u') => {
                let digits: String = chars.clone().take(4).collect();
                if u32::from_str_radix(&digits, 16).is_ok_and(|c| char::from_u32(c).is_none()) {
                    return Err("found invalid Unicode character escape code".to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    dialect: Dialect,
) -> Result<Node, String> {
    // `!` alone is no tag at all.
    let tag = tag.filter(|tag| !(matches!(tag.parts(), ("!", "") | ("", "!")) && text.is_empty()));
    let wanted = tag.and_then(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:"));
    let wanted = wanted.as_deref();
    if wanted == Some("binary") {
        return match purlin_template::decode_base64(text.as_bytes()) {
            (bytes, None) => Ok(Node::Text(String::from_utf8_lossy(&bytes).into_owned())),
            _ => Err("!!binary value contains invalid base64 data".to_owned()),
        };
    }
    let is_text = match wanted {
        Some("str") => true,
        Some("timestamp") => dialect == Dialect::Kubernetes,
        Some(_) => false,
        None => style != ScalarStyle::Plain || tag.is_some(),
    };
    if is_text {
        return Ok(Node::Text(text.to_owned()));
    }
    if text == "<<" && wanted.is_none() {
        return Ok(Node::Text(MERGE.to_owned()));
    }
    let node = match dialect {
        Dialect::Kubernetes => kubernetes(text)?,
        Dialect::V3 => version_3(text),
    };
    let node = match (wanted, node) {
        #[expect(clippy::cast_precision_loss, reason = "what the tag asks for")]
        (Some("float"), Node::Int(value)) => Node::Float(value as f64),
        (_, node) => node,
    };
    let fits = match wanted {
        Some("int") => matches!(node, Node::Int(_)),
        Some("float") => matches!(node, Node::Float(_)),
        Some("bool") => matches!(node, Node::Bool(_)),
        Some("null") => matches!(node, Node::Null),
        Some("timestamp") => matches!(node, Node::Time(_)),
        Some("seq" | "map") => false,
        _ => true,
    };
    if !fits {
        let tag = wanted.unwrap_or_default();
        return Err(format!("cannot decode `{text}` as a !!{tag}"));
    }
    Ok(node)
}

fn kubernetes(text: &str) -> Result<Node, String> {
    let Some(value) = purlin_yaml::plain_value(text) else {
        // A number that no double holds is text; what is no number at all is written as `.inf` or `.nan`.
        if text.bytes().any(|b| b.is_ascii_digit()) {
            return Ok(Node::Text(text.to_owned()));
        }
        return Err(format!("`{text}` is a number that JSON cannot hold"));
    };
    Ok(match value {
        serde_json::Value::Bool(value) => Node::Bool(value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(value) => Node::Int(value),
            None => Node::Float(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Node::Text(text),
        // A plain scalar is never a list or a map.
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
            Node::Null
        }
    })
}

/// The types yaml.v3 finds in plain text.
pub(super) fn version_3(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Null,
        "true" | "True" | "TRUE" => return Node::Bool(true),
        "false" | "False" | "FALSE" => return Node::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Node::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Node::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Node::Float(f64::NEG_INFINITY),
        // Booleans of YAML 1.1 are text.
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "n" | "N" | "no" | "No" | "NO"
        | "off" | "Off" | "OFF" => return Node::Text(text.to_owned()),
        _ => {}
    }
    if let Some(time) = timestamp(text) {
        return Node::Time(time);
    }
    kubernetes(text).unwrap_or_else(|_| Node::Text(text.to_owned()))
}

/// A date, or a date and a time.
fn timestamp(text: &str) -> Option<i128> {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    if year != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, "00:00:00Z"),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = (time.get(..zone)?.trim_end(), time.get(zone..)?);
    if zone.is_empty() && !text.contains(' ') {
        return None;
    }
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| {
        !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit())
    };
    if parts.next().is_some() || ![month, day, hour, minute, second].into_iter().all(digits) {
        return None;
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let zone = if zone.is_empty() { "Z" } else { zone };
    let plain = format!(
        "{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}{point}{fraction}{zone}"
    );
    purlin_template::parse_time("2006-01-02T15:04:05Z07:00", &plain)
}
