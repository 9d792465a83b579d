//! The phases of a run: their names, groups and order, and sets of them.
//!
//! A phase is a value, not a string: the macros turn the methods of a `#[phases]` block into a [`PhaseMask`] constant.

#[macro_use]
mod table;

mod mask;
mod outside;
mod phases;

pub use mask::PhaseMask;
pub use outside::{NoPhaseOutside, first_text};
pub use phases::{At, Group, Phase, at};
