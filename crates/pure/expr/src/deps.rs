//! What does an expression read?
//!
//! Variables of comprehensions are no reads; their ranges are. Names of types are reads like any other until the caller
//! says that nothing is bound to them.

use std::fmt;

use crate::ast::{Kind, Node};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// `.name` or `["name"]`
    Field(String),
    /// `[3]`
    Index(i64),
    /// An index that is only known when the expression runs.
    Any,
}

/// A variable that is read, and how far its path is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// The variable.
    pub root: String,
    /// The path below it, as far as it is written out.
    pub path: Vec<Step>,
    /// Whether the expression itself says what to do when it is missing (`has`, `.?`, `[?…]`).
    pub optional: bool,
    /// Where the path stands in the source: first byte and one past the last.
    pub span: (usize, usize),
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)?;
        self.path.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) if is_plain(name) => write!(f, ".{name}"),
            Self::Field(name) => write!(f, "[{name:?}]"),
            Self::Index(at) => write!(f, "[{at}]"),
            Self::Any => f.write_str("[…]"),
        }
    }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Everything `node` reads, in the order of the source.
pub(crate) fn reads(node: &Node) -> Vec<Read> {
    let mut reads = Vec::new();
    walk(node, &mut reads);
    reads.sort_by_key(|read| read.span);
    reads
}

fn walk(node: &Node, reads: &mut Vec<Read>) {
    if let Some((root, path, optional, rest)) = chain(node) {
        if let Kind::Root(root) = &root.kind {
            reads.push(Read {
                root: root.to_string(),
                path,
                optional,
                span: (node.span.start as usize, node.span.end as usize),
            });
        }
        // Indexes that are computed read things of their own.
        for index in rest {
            walk(index, reads);
        }
        if !matches!(root.kind, Kind::Root(_) | Kind::Local(_)) {
            walk(root, reads);
        }
        return;
    }
    node.children(&mut |child| walk(child, reads));
}

type Chain<'a> = (&'a Node, Vec<Step>, bool, Vec<&'a Node>);

/// A path of selections and indexes taken apart: what it starts from, its steps, and the computed indexes.
pub(crate) fn chain(node: &Node) -> Option<Chain<'_>> {
    let mut at = node;
    let mut steps = Vec::new();
    let mut optional = false;
    let mut computed = Vec::new();
    loop {
        match &at.kind {
            Kind::Select(operand, field) => {
                steps.push(Step::Field(field.to_string()));
                at = operand;
            }
            Kind::Has(operand, field) | Kind::OptSelect(operand, field) => {
                optional = true;
                steps.push(Step::Field(field.to_string()));
                at = operand;
            }
            Kind::Index(pair) | Kind::OptIndex(pair) => {
                optional |= matches!(at.kind, Kind::OptIndex(_));
                let [operand, index] = pair.as_ref();
                steps.push(match &index.kind {
                    Kind::String(key) => Step::Field(key.to_string()),
                    Kind::Int(at) => Step::Index(*at),
                    _ => {
                        computed.push(index);
                        Step::Any
                    }
                });
                at = operand;
            }
            Kind::Root(_) | Kind::Local(_) => break,
            _ if std::ptr::eq(at, node) => return None,
            _ => break,
        }
    }
    steps.reverse();
    Some((at, steps, optional, computed))
}
