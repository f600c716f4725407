//! What do the comprehensions give?

use std::cmp::Ordering;

use crate::ast::{Each, Gather, Node};
use crate::eval::{Got, Machine};
use crate::key::Key;
use crate::list::{List, ListItems};
use crate::map::Map;
use crate::ops;
use crate::outcome::{FaultKind, Raise, Stop};
use crate::raise::{fault, stop, types};
use crate::value::Val;

/// What one iteration binds: the element or key, or the index or key and the element or value.
type Item<'a> = (Val<'a>, Option<Val<'a>>);

/// What a comprehension goes over, one at a time.
struct Range<'a> {
    items: Items<'a>,
    at: i64,
    two: bool,
}

enum Items<'a> {
    List(ListItems<'a>),
    Map(std::vec::IntoIter<(Key<'a>, Val<'a>)>),
}

impl<'a> Iterator for Range<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        match &mut self.items {
            Items::List(items) => {
                let item = items.next()?;
                if !self.two {
                    return Some((item, None));
                }
                let at = self.at;
                self.at += 1;
                Some((Val::Int(at), Some(item)))
            }
            Items::Map(entries) => {
                let (key, value) = entries.next()?;
                Some((key.to_val(), self.two.then_some(value)))
            }
        }
    }
}

impl<'a> Machine<'a, '_> {
    pub(crate) fn each(&mut self, node: &'a Node, each: &'a Each) -> Got<'a> {
        let range = self.operand(&each.range)?;
        let mut items = self.range(each, &range)?;
        match each.gather {
            Gather::All => self.quantify(node, each, items, false),
            Gather::Exists => self.quantify(node, each, items, true),
            Gather::ExistsOne => {
                let mut count = 0_usize;
                while let Some(item) = self.next(node, &mut items)? {
                    count += usize::from(self.test(each, &each.body, item)?);
                }
                Ok(Val::Bool(count == 1))
            }
            Gather::Filter => {
                let mut kept = Vec::new();
                while let Some(item) = self.next(node, &mut items)? {
                    let first = item.0.clone();
                    if self.test(each, &each.body, item)? {
                        kept.push(first);
                    }
                }
                self.made(node, kept.len())?;
                Ok(Val::List(List::owned(kept)))
            }
            Gather::List => {
                let mut list = Vec::new();
                while let Some(item) = self.next(node, &mut items)? {
                    list.extend(self.body(each, item)?);
                }
                self.made(node, list.len())?;
                Ok(Val::List(List::owned(list)))
            }
            Gather::TransformMap | Gather::TransformMapEntry => {
                self.transform_map(node, each, items)
            }
            Gather::SortBy => self.sort_by(node, each, items),
        }
    }

    fn made(&mut self, node: &Node, count: usize) -> Result<(), Stop> {
        self.meter
            .values(count)
            .map_err(|raise| stop(node.span, raise))
    }

    #[expect(clippy::unused_self, reason = "reads like the other steps")]
    fn range(&self, each: &Each, range: &Val<'a>) -> Result<Range<'a>, Stop> {
        let items = match range {
            Val::List(list) => Items::List(list.walk()),
            Val::Map(map) if each.gather != Gather::SortBy => {
                Items::Map(map.entries().unwrap_or_default().into_iter())
            }
            other => {
                return Err(types(
                    each.range.span,
                    format!(
                        "only lists and maps have elements, not {}",
                        other.type_name()
                    ),
                ));
            }
        };
        Ok(Range {
            items,
            at: 0,
            two: each.names.len() == 2,
        })
    }

    /// The next iteration; each of them is a step.
    fn next(&mut self, node: &Node, items: &mut Range<'a>) -> Result<Option<Item<'a>>, Stop> {
        let item = items.next();
        if item.is_some() {
            self.meter
                .spend(1)
                .map_err(|raise| stop(node.span, raise))?;
        }
        Ok(item)
    }

    fn within(&mut self, (first, second): Item<'a>, body: &'a Node) -> Got<'a> {
        let before = self.locals.len();
        self.locals.push(first);
        self.locals.extend(second);
        let result = self.eval(body);
        self.locals.truncate(before);
        result
    }

    fn test(&mut self, each: &'a Each, condition: &'a Node, item: Item<'a>) -> Result<bool, Stop> {
        match self.within(item, condition)? {
            Val::Bool(b) => Ok(b),
            other => Err(types(
                condition.span,
                format!(
                    "the condition about `{}` is bool, not {}",
                    each.names.join(", "),
                    other.type_name()
                ),
            )),
        }
    }

    /// The body's value, unless the filter leaves the element out.
    fn body(&mut self, each: &'a Each, item: Item<'a>) -> Result<Option<Val<'a>>, Stop> {
        if let Some(only) = &each.only
            && !self.test(each, only, item.clone())?
        {
            return Ok(None);
        }
        self.within(item, &each.body).map(Some)
    }

    /// `all` and `exists` absorb failures as `&&` and `||` do.
    fn quantify(
        &mut self,
        node: &Node,
        each: &'a Each,
        mut items: Range<'a>,
        decisive: bool,
    ) -> Got<'a> {
        let mut failed = None;
        while let Some(item) = self.next(node, &mut items)? {
            match self.test(each, &each.body, item) {
                Ok(b) if b == decisive => return Ok(Val::Bool(decisive)),
                Ok(_) => {}
                Err(Stop::Fault(fault)) if fault.kind.is_absorbed() => {
                    failed.get_or_insert(Stop::Fault(fault));
                }
                Err(stop) => return Err(stop),
            }
        }
        failed.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn transform_map(&mut self, node: &'a Node, each: &'a Each, mut items: Range<'a>) -> Got<'a> {
        let mut entries: Vec<(Key<'a>, Val<'a>)> = Vec::new();
        while let Some(item) = self.next(node, &mut items)? {
            let key = Key::from_val(&item.0);
            let Some(value) = self.body(each, item)? else {
                continue;
            };
            match (each.gather, value, key) {
                (Gather::TransformMapEntry, Val::Map(map), _) => {
                    entries.extend(map.entries().unwrap_or_default());
                }
                (Gather::TransformMapEntry, other, _) => {
                    return Err(types(
                        each.body.span,
                        format!(
                            "the body gives a map of one entry, not {}",
                            other.type_name()
                        ),
                    ));
                }
                (_, value, Some(key)) => entries.push((key, value)),
                (_, _, None) => {}
            }
        }
        self.made(node, entries.len() * 2)?;
        let count = entries.len();
        let map = Map::owned(entries);
        if map.len() != Some(count) {
            return Err(fault(
                node.span,
                FaultKind::Argument,
                "a key occurs twice in the result".to_owned(),
            ));
        }
        Ok(Val::Map(map))
    }

    fn sort_by(&mut self, node: &'a Node, each: &'a Each, mut items: Range<'a>) -> Got<'a> {
        let mut keyed = Vec::new();
        while let Some(item) = self.next(node, &mut items)? {
            let first = item.0.clone();
            keyed.push((self.within(item, &each.body)?, first));
        }
        self.made(node, keyed.len() * 2)?;
        let sorted = sort(keyed, |a, b| ops::compare(&mut self.meter, &a.0, &b.0))
            .map_err(|raise| stop(node.span, raise))?;
        Ok(Val::List(List::owned(
            sorted.into_iter().map(|(_, item)| item).collect(),
        )))
    }
}

/// A stable sort whose comparison may fail.
pub(crate) fn sort<T>(
    mut items: Vec<T>,
    mut order: impl FnMut(&T, &T) -> Result<Option<Ordering>, Raise>,
) -> Result<Vec<T>, Raise> {
    let mut failed = None;
    items.sort_by(|a, b| {
        if failed.is_some() {
            return Ordering::Equal;
        }
        match order(a, b) {
            Ok(order) => order.unwrap_or(Ordering::Equal),
            Err(raise) => {
                failed = Some(raise);
                Ordering::Equal
            }
        }
    });
    failed.map_or(Ok(items), Err)
}
