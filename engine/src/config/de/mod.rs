//! From tree to types: a serde `Deserializer` that finds every mistake and keeps its place.
//!
//! serde stops at the first error, and typetag turns errors into texts. So a mistake is recorded with its span at the
//! innermost value, and only a mark travels up. A value that failed is read again with the wrong parts last, then
//! without them, until nothing new is found: the result is thrown away, the mistakes are kept.
//!
//! Beyond what the `ron` crate reads: a component by name (`Ema(..)` or a bare `Ema` for a `typetag` trait), a missing
//! `Some`, whole floats for integers (`1e6`), a struct under the name of its type without `Config`, an enum's variant
//! in quotes, `[..]` for a tuple, `Env("NAME")` where a text is wanted, and texts without quotes from the command line.
//! Unknown fields are refused, also where serde would ignore them.

mod access;
mod error;
mod place;
mod report;
mod retry;
mod stand_in;
mod text;
mod value;

use super::diagnostic::Diagnostic;
use super::errors::Diagnostics;
use super::sources::Sources;
use super::tree::{Kind, Node};
use error::{Error, Result};
use retry::Retry;
use serde::de::{DeserializeOwned, DeserializeSeed};
use std::cell::Cell;
use std::marker::PhantomData;

pub(super) use place::{Place, Segment, join};
pub(crate) use report::unknown;
pub(super) use report::{BRACKETS, missing_field, noun};
pub(super) use stand_in::StandIn;

/// How deep components may hold each other: typetag takes a lot of stack for each.
const MAX_COMPONENTS: usize = 32;

/// Reads a value from its tree. Mistakes go to `diagnostics`, and then there is no value.
pub fn from_node<T: DeserializeOwned>(node: &Node, sources: &Sources, diagnostics: &Diagnostics) -> Option<T> {
    read_at(node, sources, diagnostics, &Place::root(""))
}

/// The value that an empty struct gives: the defaults of a type of which every field has one.
pub fn defaults_of<T: DeserializeOwned>() -> Option<T> {
    from_node(&Node::new(Kind::Struct(Vec::new())), &Sources::new(), &Diagnostics::new())
}

/// As [`from_node`] for a value at a path within the experiment, `loaders.train`, which messages tell.
pub fn from_node_at<T: DeserializeOwned>(
    node: &Node,
    path: &str,
    sources: &Sources,
    diagnostics: &Diagnostics,
) -> Option<T> {
    read_at(node, sources, diagnostics, &Place::root(path))
}

/// As [`from_node`] for a value at a place within the experiment.
pub(super) fn read_at<T: DeserializeOwned>(
    node: &Node,
    sources: &Sources,
    diagnostics: &Diagnostics,
    place: &Place<'_>,
) -> Option<T> {
    let cx = Cx { sources, found: Diagnostics::new(), retry: Retry::default(), components: Cell::new(0) };
    let de = De { node, body: false, cx: &cx, place };
    let value = de.read(PhantomData::<T>).ok();
    if cx.found.is_empty() && value.is_some() {
        return value;
    }
    let mut known = 0;
    while !cx.found.is_full() && cx.retry.again(node, cx.found.len() > known) {
        known = cx.found.len();
        // the value is of no use, what is recorded on the way is
        let _ = de.read(PhantomData::<T>);
    }
    cx.found.move_into(diagnostics);
    None
}

/// What all values of one reading share.
struct Cx<'a> {
    sources: &'a Sources,
    found: Diagnostics,
    retry: Retry<'a>,
    /// How many components hold the value that is being read.
    components: Cell<usize>,
}

/// One value that is being read.
struct De<'a, 'p> {
    node: &'a Node,
    /// The name was already read, as the tag of a component or the variant of an enum.
    body: bool,
    cx: &'p Cx<'a>,
    place: &'p Place<'p>,
}

impl Clone for De<'_, '_> {
    fn clone(&self) -> Self {
        *self
    }
}

impl Copy for De<'_, '_> {}

impl<'a, 'p> De<'a, 'p> {
    /// The name, unless it was already read.
    fn name(self) -> Option<&'a str> {
        if self.body { None } else { self.node.name() }
    }

    /// The same value without its name.
    fn without_name(self) -> De<'a, 'p> {
        De { body: true, ..self }
    }

    /// Reads the whole value; an error on its way out is given this value's place.
    fn read<S: DeserializeSeed<'a>>(self, seed: S) -> Result<S::Value> {
        let value = if self.is_lost() { Err(Error::Recorded) } else { self.located(seed.deserialize(self)) };
        if value.is_err() {
            self.cx.retry.failed(self.node);
        }
        value
    }

    /// Whether it is a reference that leads nowhere, which was told.
    fn is_lost(self) -> bool {
        self.cx.sources.links().is_lost(self.node.span)
    }

    /// Reads a value within this one.
    fn read_child<S: DeserializeSeed<'a>>(self, node: &'a Node, segment: Segment<'_>, seed: S) -> Result<S::Value> {
        let place = Place { parent: Some(self.place), segment };
        De { node, body: false, cx: self.cx, place: &place }.read(seed)
    }

    /// Reads what a component's name stands before.
    fn component<T>(self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        let outer = self.cx.components.get();
        if outer >= MAX_COMPONENTS {
            let message = format!("components are nested more than {MAX_COMPONENTS} levels deep");
            return Err(self.record(Diagnostic::new(self.node.head(), message)));
        }
        self.cx.components.set(outer + 1);
        let value = read();
        self.cx.components.set(outer);
        value
    }

    /// Hands on a value that a wrapper holds: a newtype, `Some(..)`.
    fn inside<T>(self, node: &'a Node, read: impl FnOnce(De<'a, '_>) -> Result<T>) -> Result<T> {
        let child = De { node, body: false, cx: self.cx, place: self.place };
        let value = if child.is_lost() { Err(Error::Recorded) } else { child.located(read(child)) };
        if value.is_err() {
            self.cx.retry.failed(node);
        }
        value
    }

    fn located<T>(self, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.locate(error, self.node.span))
    }
}
