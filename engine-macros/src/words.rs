//! Words that both crates need, read from the engine's own sources, so that nothing is written twice.

#[macro_use]
#[path = "../../engine/src/hooks/table.rs"]
mod hooks;
#[macro_use]
#[path = "../../engine/src/phase/table.rs"]
mod phases;
#[path = "../../engine/src/run/context/asks_nothing.rs"]
mod asks_nothing;
#[path = "../../engine/src/base/words.rs"]
mod base;

pub(crate) use asks_nothing::ASKS_NOTHING;
pub(crate) use base::{EXPRESSIONS, LEVELS, OPERATORS};

/// Whether a word of experiment files means something of its own there, so that no component can have it as its name.
pub(crate) fn is_reserved(name: &str) -> bool {
    OPERATORS.contains(&name)
        || EXPRESSIONS.iter().any(|(word, _)| *word == name)
        || ["Default", "Env", "Off", "None", "Some", "Experiment"].contains(&name)
}

macro_rules! keys_of_hooks {
    ($(#[$doc:meta])* pub struct $set:ident, settings $settings:ident {
        $( $(#[$hook_doc:meta])* $key:ident: $hook:ty, )*
    }) => {
        /// The hooks that every program has, by their keys below `hooks`.
        pub(crate) const ENGINE_HOOKS: &[&str] = &[$( stringify!($key), )*];
    };
}
engine_hooks!(keys_of_hooks);

macro_rules! names_of_phases {
    ($( $(#[$doc:meta])* $variant:ident, $name:ident, $group:ident; )*) => {
        /// Every phase, in the order in which a run goes through them.
        pub(crate) const PHASES: &[&str] = &[$( stringify!($name), )*];
    };
}
each_phase!(names_of_phases);
