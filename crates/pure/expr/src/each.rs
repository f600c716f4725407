//! What do the comprehensions give?

use std::cmp::Ordering;

use crate::ast::{Each, Gather, Node};
use crate::eval::{Got, Machine};
use crate::key::Key;
use crate::list::List;
use crate::map::Map;
use crate::ops;
use crate::outcome::{FaultKind, Raise, Stop};
use crate::raise::{fault, stop, types};
use crate::value::Val;

impl<'a> Machine<'a, '_> {
    pub(crate) fn each(&mut self, node: &'a Node, each: &'a Each) -> Got<'a> {
        let range = self.operand(&each.range)?;
        let items = self.items(node, each, &range)?;
        match each.gather {
            Gather::All => self.quantify(each, items, false),
            Gather::Exists => self.quantify(each, items, true),
            Gather::ExistsOne => {
                let mut count = 0_usize;
                for item in items {
                    count += usize::from(self.test(each, &each.body, item)?);
                }
                Ok(Val::Bool(count == 1))
            }
            Gather::Filter => {
                let mut kept = Vec::new();
                for item in items {
                    let first = item[0].clone();
                    if self.test(each, &each.body, item)? {
                        kept.push(first);
                    }
                }
                self.made(node, kept.len())?;
                Ok(Val::List(List::owned(kept)))
            }
            Gather::List => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
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

    /// The locals of each iteration: one or two values.
    fn items(
        &mut self,
        node: &Node,
        each: &Each,
        range: &Val<'a>,
    ) -> Result<Vec<Vec<Val<'a>>>, Stop> {
        let two = each.names.len() == 2;
        let items: Vec<Vec<Val<'a>>> = match range {
            Val::List(list) => {
                let items = list.items().into_iter();
                if two {
                    items
                        .enumerate()
                        .map(|(at, item)| {
                            vec![Val::Int(i64::try_from(at).unwrap_or(i64::MAX)), item]
                        })
                        .collect()
                } else {
                    items.map(|item| vec![item]).collect()
                }
            }
            Val::Map(map) if each.gather != Gather::SortBy => {
                let entries = map.entries().unwrap_or_default().into_iter();
                entries
                    .map(|(key, value)| {
                        if two {
                            vec![key.to_val(), value]
                        } else {
                            vec![key.to_val()]
                        }
                    })
                    .collect()
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
        self.meter
            .spend(items.len() as u64)
            .map_err(|raise| stop(node.span, raise))?;
        Ok(items)
    }

    fn within(&mut self, item: Vec<Val<'a>>, body: &'a Node) -> Got<'a> {
        let before = self.locals.len();
        self.locals.extend(item);
        let result = self.eval(body);
        self.locals.truncate(before);
        result
    }

    fn test(
        &mut self,
        each: &'a Each,
        condition: &'a Node,
        item: Vec<Val<'a>>,
    ) -> Result<bool, Stop> {
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
    fn body(&mut self, each: &'a Each, item: Vec<Val<'a>>) -> Result<Option<Val<'a>>, Stop> {
        if let Some(only) = &each.only
            && !self.test(each, only, item.clone())?
        {
            return Ok(None);
        }
        self.within(item, &each.body).map(Some)
    }

    /// `all` and `exists` absorb failures as `&&` and `||` do.
    fn quantify(&mut self, each: &'a Each, items: Vec<Vec<Val<'a>>>, decisive: bool) -> Got<'a> {
        let mut failed = None;
        for item in items {
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

    fn transform_map(
        &mut self,
        node: &'a Node,
        each: &'a Each,
        items: Vec<Vec<Val<'a>>>,
    ) -> Got<'a> {
        let mut entries: Vec<(Key<'a>, Val<'a>)> = Vec::with_capacity(items.len());
        for item in items {
            let key = Key::from_val(&item[0]);
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

    fn sort_by(&mut self, node: &'a Node, each: &'a Each, items: Vec<Vec<Val<'a>>>) -> Got<'a> {
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            let first = item[0].clone();
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
