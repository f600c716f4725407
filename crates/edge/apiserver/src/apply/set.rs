//! A set of paths into a value, kept as a tree; `fieldsV1` is its written form.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::path::Element;
use super::shape::Shape;

/// One step's part of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    member: bool,
    below: Set,
}

/// A set of paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Set {
    nodes: BTreeMap<Element, Node>,
}

impl Set {
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds the path; the empty path is in no set.
    pub(crate) fn insert(&mut self, path: &[Element]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let node = self.nodes.entry(first.clone()).or_default();
        if rest.is_empty() {
            node.member = true;
        } else {
            node.below.insert(rest);
        }
    }

    /// A set of the given field paths.
    pub(crate) fn of(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<Element> = path.iter().map(|f| Element::field(f)).collect();
            set.insert(&path);
        }
        set
    }

    pub(crate) fn has(&self, element: &Element) -> bool {
        self.nodes.get(element).is_some_and(|n| n.member)
    }

    /// The part below a step.
    pub(crate) fn below(&self, element: &Element) -> Option<&Self> {
        self.nodes
            .get(element)
            .map(|n| &n.below)
            .filter(|s| !s.is_empty())
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut out = self.clone();
        for (element, node) in &other.nodes {
            let mine = out.nodes.entry(element.clone()).or_default();
            mine.member |= node.member;
            mine.below = mine.below.union(&node.below);
        }
        out
    }

    fn combine(
        &self,
        other: &Self,
        member: fn(bool, bool) -> bool,
        below: fn(&Self, &Self) -> Self,
    ) -> Self {
        let nothing = Node::default();
        let nodes = self.nodes.iter().map(|(element, node)| {
            let theirs = other.nodes.get(element).unwrap_or(&nothing);
            let node = Node {
                member: member(node.member, theirs.member),
                below: below(&node.below, &theirs.below),
            };
            (element.clone(), node)
        });
        Self {
            nodes: nodes
                .filter(|(_, n)| n.member || !n.below.is_empty())
                .collect(),
        }
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a && b, Self::intersection)
    }

    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a && !b, Self::difference)
    }

    /// Removes each of the other's paths with everything below it.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let kept = self.nodes.iter().filter_map(|(element, node)| {
            let node = match other.nodes.get(element) {
                Some(theirs) if theirs.member => return None,
                Some(theirs) => Node {
                    member: node.member,
                    below: node.below.without(&theirs.below),
                },
                None => node.clone(),
            };
            (node.member || !node.below.is_empty()).then(|| (element.clone(), node))
        });
        Self {
            nodes: kept.collect(),
        }
    }

    /// Adds every declared field that has something below it.
    pub(crate) fn with_named_fields(&self, shape: Option<&Arc<Shape>>) -> Self {
        let nodes = self.nodes.iter().map(|(element, node)| {
            let declared = match (shape.map(|s| &**s), element) {
                (Some(Shape::Map(map)), Element::Field(name)) => map.fields.contains_key(name),
                _ => false,
            };
            let child = shape.and_then(|s| s.child(element));
            let node = Node {
                member: node.member || (declared && !node.below.is_empty()),
                below: node.below.with_named_fields(child),
            };
            (element.clone(), node)
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// The set as it stands under a schema whose atomic maps and lists have no parts of their own.
    pub(crate) fn reconciled(&self, shape: Option<&Arc<Shape>>) -> Self {
        let nodes = self.nodes.iter().map(|(element, node)| {
            let child = shape.and_then(|s| s.child(element));
            let atomic = match child.map(|s| &**s) {
                Some(Shape::Map(map)) => map.atomic,
                Some(Shape::List(list)) => list.identity == super::shape::Identity::Atomic,
                Some(Shape::Deduced { atomic }) => *atomic,
                Some(Shape::Scalar(_)) | None => false,
            };
            let node = if atomic && !node.below.is_empty() {
                Node {
                    member: true,
                    below: Self::default(),
                }
            } else {
                Node {
                    member: node.member,
                    below: node.below.reconciled(child),
                }
            };
            (element.clone(), node)
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// Every path, in order.
    pub(crate) fn paths(&self) -> Vec<Vec<Element>> {
        let mut out = Vec::new();
        self.walk(&mut Vec::new(), &mut out);
        out
    }

    fn walk(&self, prefix: &mut Vec<Element>, out: &mut Vec<Vec<Element>>) {
        for (element, node) in &self.nodes {
            prefix.push(element.clone());
            if node.member {
                out.push(prefix.clone());
            }
            node.below.walk(prefix, out);
            prefix.pop();
        }
    }

    /// Reads `fieldsV1`.
    pub(crate) fn parse(fields: &Value) -> Option<Self> {
        let mut set = Self::default();
        for (key, value) in fields.as_object()? {
            if key == "." {
                continue;
            }
            let element = Element::parse(key)?;
            let children = value.as_object()?;
            let node = Node {
                member: children.is_empty() || children.contains_key("."),
                below: Self::parse(value)?,
            };
            set.nodes.insert(element, node);
        }
        Some(set)
    }

    /// Writes `fieldsV1`.
    pub(crate) fn render(&self) -> Value {
        let fields = self.nodes.iter().map(|(element, node)| {
            let mut value = node.below.render();
            if node.member
                && !node.below.is_empty()
                && let Some(map) = value.as_object_mut()
            {
                map.insert(".".into(), Value::Object(Map::new()));
            }
            (element.render(), value)
        });
        Value::Object(fields.collect())
    }
}
