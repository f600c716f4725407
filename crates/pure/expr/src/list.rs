//! How is a list read, wherever its elements are kept?

use std::rc::Rc;

use purlin_object::{ListIter, ListRef};
use serde_json::Value as Json;

use crate::shape::Shape;
use crate::value::{Origin, Val};

/// A list of an expression.
#[derive(Debug, Clone)]
pub enum List<'a> {
    /// Made by the expression.
    Owned(Rc<Vec<Val<'a>>>),
    /// JSON.
    Json(&'a [Json]),
    /// JSON seen through the schema of the list.
    Shaped(&'a [Json], &'a Shape),
    /// Data of an object, and the variable it came from if that is waited for.
    Data(ListRef<'a>, Option<&'a str>),
    /// Data of an object whose numbers are all floating, as protobuf has them.
    Wire(ListRef<'a>),
}

impl<'a> List<'a> {
    pub(crate) fn owned(items: Vec<Val<'a>>) -> Self {
        Self::Owned(Rc::new(items))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Owned(items) => items.len(),
            Self::Json(items) | Self::Shaped(items, _) => items.len(),
            Self::Data(list, _) | Self::Wire(list) => list.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<Val<'a>> {
        match self {
            Self::Owned(items) => items.get(at).cloned(),
            Self::Json(items) => items.get(at).map(Val::from_json),
            Self::Shaped(items, shape) => items.get(at).map(|item| shape.item().view(item)),
            Self::Data(list, origin) => list.get(at).map(|item| Val::from_origin(item, *origin)),
            Self::Wire(list) => list.get(at).map(Val::from_wire),
        }
    }

    /// The elements one at a time, made when they are asked for.
    pub(crate) fn walk(&self) -> ListItems<'a> {
        match self {
            Self::Owned(items) => ListItems::Owned(Rc::clone(items), 0),
            Self::Json(items) => ListItems::Json(items.iter()),
            Self::Shaped(items, shape) => ListItems::Shaped(items.iter(), shape),
            Self::Data(list, origin) => ListItems::Data(list.iter(), *origin),
            Self::Wire(list) => ListItems::Wire(list.iter()),
        }
    }

    pub(crate) fn items(&self) -> Vec<Val<'a>> {
        match self {
            Self::Owned(items) => items.as_ref().clone(),
            Self::Json(items) => items.iter().map(Val::from_json).collect(),
            Self::Shaped(items, shape) => {
                items.iter().map(|item| shape.item().view(item)).collect()
            }
            Self::Data(list, origin) => list
                .iter()
                .map(|item| Val::from_origin(item, *origin))
                .collect(),
            Self::Wire(list) => list.iter().map(Val::from_wire).collect(),
        }
    }

    pub(crate) fn origin(&self) -> Origin<'a> {
        match self {
            Self::Data(_, origin) => *origin,
            Self::Owned(_) | Self::Json(_) | Self::Shaped(..) | Self::Wire(_) => None,
        }
    }

    /// The schema the list is seen through.
    pub(crate) fn shape(&self) -> Option<&'a Shape> {
        match self {
            Self::Shaped(_, shape) => Some(shape),
            Self::Owned(_) | Self::Json(_) | Self::Data(..) | Self::Wire(_) => None,
        }
    }
}

/// The elements of a list that are still to come.
pub(crate) enum ListItems<'a> {
    Owned(Rc<Vec<Val<'a>>>, usize),
    Json(std::slice::Iter<'a, Json>),
    Shaped(std::slice::Iter<'a, Json>, &'a Shape),
    Data(ListIter<'a>, Origin<'a>),
    Wire(ListIter<'a>),
}

impl<'a> Iterator for ListItems<'a> {
    type Item = Val<'a>;

    fn next(&mut self) -> Option<Val<'a>> {
        match self {
            Self::Owned(items, at) => {
                let item = items.get(*at).cloned();
                *at += 1;
                item
            }
            Self::Json(items) => items.next().map(Val::from_json),
            Self::Shaped(items, shape) => items.next().map(|item| shape.item().view(item)),
            Self::Data(items, origin) => items.next().map(|item| Val::from_origin(item, *origin)),
            Self::Wire(items) => items.next().map(Val::from_wire),
        }
    }
}
