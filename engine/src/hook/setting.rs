//! The settings in an experiment of a hook of known type.

use crate::base::Priority;
use crate::config::Keyed;
use crate::hook::{Hook, HookConfig as _, HookField};

/// The setting in the file of a `#[hook]` field, or of a hook in a [`HookSet`](crate::hook::HookSet).
#[derive(Clone, Debug)]
pub enum HookSetting<F: HookField> {
    /// The file does not name it, and the field is an `Option`.
    Absent,
    /// `Off`. The hook is built with its defaults if it has them, and never called.
    Off(Option<<F::Hook as Hook>::Config>),
    /// Its settings.
    On(<F::Hook as Hook>::Config),
}

impl<F: HookField> Keyed for HookSetting<F>
where
    <F::Hook as Hook>::Config: Keyed,
{
    const KEYS: &'static [&'static str] = <F::Hook as Hook>::Config::KEYS;
    const ARE_KNOWN: bool = F::IS_WHOLE;
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
