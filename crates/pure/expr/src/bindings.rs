//! Which value does a variable have?

use std::borrow::Cow;
use std::collections::BTreeMap;

use purlin_object::ValueRef;
use serde_json::Value as Json;

use crate::outcome::{Fault, Outcome, Pending};
use crate::value::Val;

/// What a variable is bound to.
#[derive(Debug, Clone)]
pub enum Binding<'a> {
    /// A value.
    Val(Val<'a>),
    /// A value that was made without something that is not there yet ([`crate::Evaluation::missed`]): so is everything
    /// that reads it.
    Without(Val<'a>, Pending),
    /// The variable's own expression waits: so does everything that reads it.
    Pending(Pending),
    /// The variable's own expression failed.
    Fault(Fault),
}

/// The variables of an evaluation.
#[derive(Debug, Clone, Default)]
pub struct Bindings<'a> {
    by_name: BTreeMap<Cow<'a, str>, Binding<'a>>,
    outer: Option<&'a Bindings<'a>>,
}

impl<'a> Bindings<'a> {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// No variables but those of `outer`, which new ones hide.
    pub fn inside(outer: &'a Bindings<'a>) -> Self {
        Self {
            by_name: BTreeMap::new(),
            outer: Some(outer),
        }
    }

    /// Binds `name`; a later binding of the same name wins.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, binding: Binding<'a>) {
        self.by_name.insert(name.into(), binding);
    }

    /// Binds `name` to a value.
    pub fn val(&mut self, name: impl Into<Cow<'a, str>>, value: Val<'a>) {
        self.set(name, Binding::Val(value));
    }

    /// Binds `name` to data that other things wait for, and that is known not to come.
    pub fn off(&mut self, name: &'a str) {
        self.val(name, Val::off(name));
    }

    /// Binds `name` to JSON.
    pub fn json(&mut self, name: impl Into<Cow<'a, str>>, value: &'a Json) {
        self.val(name, Val::from_json(value));
    }

    /// Binds `name` to data of an object.
    pub fn data(&mut self, name: impl Into<Cow<'a, str>>, value: ValueRef<'a>) {
        self.val(name, Val::from_data(value));
    }

    /// Binds `name` to data that other things wait for: a path that is missing in it is pending.
    pub fn tracked(&mut self, name: &'a str, value: ValueRef<'a>) {
        self.val(name, Val::tracked(value, name));
    }

    /// Binds `name` to data that is not there at all yet.
    pub fn absent(&mut self, name: &'a str) {
        self.val(name, Val::absent(name));
    }

    /// Binds `name` to what another expression gave.
    pub fn outcome(&mut self, name: impl Into<Cow<'a, str>>, outcome: Outcome<'a>) {
        self.set(
            name,
            match outcome {
                Outcome::Ok(value) => Binding::Val(value),
                Outcome::Pending(pending) => Binding::Pending(pending),
                Outcome::Fault(fault) => Binding::Fault(fault),
            },
        );
    }

    /// The binding of `name`.
    pub fn get(&self, name: &str) -> Option<&Binding<'a>> {
        self.by_name
            .get(name)
            .or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }

    /// All names.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_name.keys().map(AsRef::as_ref).collect();
        names.extend(self.outer.map(Bindings::names).unwrap_or_default());
        names
    }
}
