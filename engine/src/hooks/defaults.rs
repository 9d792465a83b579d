//! The hooks that every program has, as slots.

use crate::hook_set;

engine_hooks!(hook_set);
