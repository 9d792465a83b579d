//! What an experiment says of a hook that a program has by its type.

use crate::base::Priority;
use crate::hook::{Hook, HookConfig as _, HookField};

/// What the file says of a `#[hook]` field, or of a hook in a [`HookSet`](crate::hook::HookSet).
#[derive(Clone, Debug)]
pub enum HookSetting<F: HookField> {
    /// Nothing, and the field is an `Option`.
    Absent,
    /// `Off`. The hook is built with its defaults where it has them, and never called.
    Off(Option<<F::Hook as Hook>::Config>),
    /// Its settings.
    On(<F::Hook as Hook>::Config),
}

impl<F: HookField> HookSetting<F> {
    /// `level:` of the file.
    pub fn level(&self) -> Option<Priority> {
        match self {
            HookSetting::On(config) => config.level(),
            _ => None,
        }
    }
}
