//! Which keys the experiments of a trainer can have, as far as it is known when a program is compiled: what `experiment!`
//! compares a file with. What only names in the file decide, such as the keys of a component that it chooses, is not known.

use crate::config::Keyed as _;
use crate::hook::{ConstText, HookSet};
use crate::hooks::DefaultHooks;
use crate::trainer::experiment::nearest::Nearest;
use crate::trainer::experiment::of_main::Outline;
use crate::trainer::experiment::sections::KEYS;
use crate::trainer::experiment::settings::{TrainSettings, ValSettings};
use crate::trainer::parts::AnyPart;

/// A line for each key that is unknown.
pub type Unknown = Option<ConstText>;

/// The keys that are unknown, each in a line with its place; `None` when all are known. `found` are the keys of a file:
/// what each is in, `loaders`; the key; its place. The function stands for the trainer.
pub const fn unknown_keys<T: Outline, F: Fn() -> T>(_: &F, found: &[(&str, &str, &str)]) -> Unknown {
    if !T::IS_WHOLE {
        return None;
    }
    let (mut text, mut any, mut index) = (ConstText::new(), false, 0);
    while index < found.len() {
        let (under, key, place) = found[index];
        let known = known_in::<T>(under);
        if under.is_empty() && is_same(key, "schedule") && part_at::<T>("schedule").is_none() {
            text = if any { text.with("\n") } else { text };
            any = true;
            text =
                text.with(place).with(": `schedule` needs a field of the trainer: `#[scheduler] schedule: Schedules`");
        } else if !known.has::<T>(key) {
            if any {
                text = text.with("\n");
            }
            any = true;
            text = text.with(place).with(": unknown field `").with(key).with("`");
            if !under.is_empty() {
                text = text.with(" in `").with(under).with("`");
            }
            text = match known.meant::<T>(key) {
                Some(meant) => text.with(", did you mean `").with(meant).with("`?"),
                None => known.listed::<T>(text),
            };
        }
        index += 1;
    }
    if any { Some(text) } else { None }
}

/// What can stand somewhere.
#[derive(Clone, Copy)]
enum Known {
    /// The sections.
    Sections,
    /// The fields of the trainer that have their settings below this key.
    Below(&'static str),
    /// These.
    Keys(&'static [&'static str]),
    /// It is not known.
    Anything,
}

/// What can stand in a struct of the experiment.
const fn known_in<T: Outline>(under: &str) -> Known {
    if under.is_empty() {
        return Known::Sections;
    }
    if let Some(part) = part_at::<T>(under) {
        return match part.keys {
            Some(keys) => Known::Keys(keys),
            None => Known::Anything,
        };
    }
    if let Some(keys) = dataset_keys::<T>(under) {
        return Known::Keys(keys);
    }
    let mut group = 0;
    while group < GROUPS.len() {
        if is_same(under, GROUPS[group]) {
            return Known::Below(GROUPS[group]);
        }
        group += 1;
    }
    if is_same(under, "train") {
        return Known::Keys(TrainSettings::KEYS);
    }
    if is_same(under, "val") {
        return Known::Keys(ValSettings::KEYS);
    }
    match hook_keys(under, DefaultHooks::KEYS) {
        Known::Anything => hook_keys(under, <T::Bundle as HookSet>::KEYS),
        known => known,
    }
}

/// The sections whose fields are those of the trainer.
const GROUPS: [&str; 5] = ["loaders", "hooks", "trainer", "model", "optimizer"];

/// The keys of hooks that are no fields of the trainer: of `logger`, when this is `hooks.logger`.
const fn hook_keys(under: &str, hooks: &[(&'static str, &'static [&'static str])]) -> Known {
    let mut index = 0;
    while index < hooks.len() {
        if is_below(under, "hooks", hooks[index].0) {
            return Known::Keys(hooks[index].1);
        }
        index += 1;
    }
    Known::Anything
}

impl Known {
    const fn has<T: Outline>(self, key: &str) -> bool {
        match self {
            Known::Anything => true,
            Known::Keys(keys) => is_one_of(key, keys),
            Known::Sections => {
                let mut index = 0;
                while index < KEYS.len() {
                    if is_same(key, KEYS[index].0) {
                        return true;
                    }
                    index += 1;
                }
                is_same(key, "base")
            }
            Known::Below(group) => {
                let mut index = 0;
                while index < T::PARTS.len() {
                    let info = T::PARTS[index].part.info;
                    if is_below(info.path, group, key) {
                        return true;
                    }
                    index += 1;
                }
                is_same(group, "hooks")
                    && (is_hook(key, DefaultHooks::KEYS) || is_hook(key, <T::Bundle as HookSet>::KEYS))
            }
        }
    }

    /// The key that was most likely meant.
    const fn meant<T: Outline>(self, key: &str) -> Option<&'static str> {
        let (mut nearest, mut index) = (Nearest::to(key), 0);
        match self {
            Known::Anything => {}
            Known::Keys(keys) => {
                while index < keys.len() {
                    nearest = nearest.or(keys[index]);
                    index += 1;
                }
            }
            Known::Sections => {
                while index < KEYS.len() {
                    nearest = nearest.or(KEYS[index].0);
                    index += 1;
                }
            }
            Known::Below(group) => {
                while index < T::PARTS.len() {
                    let info = T::PARTS[index].part.info;
                    if is_below(info.path, group, info.name) {
                        nearest = nearest.or(info.name);
                    }
                    index += 1;
                }
                let mut hook = 0;
                while is_same(group, "hooks") && hook < DefaultHooks::KEYS.len() {
                    nearest = nearest.or(DefaultHooks::KEYS[hook].0);
                    hook += 1;
                }
            }
        }
        nearest.found()
    }

    const fn listed<T: Outline>(self, text: ConstText) -> ConstText {
        match self {
            Known::Keys(keys) if !keys.is_empty() => text.with(", expected one of ").with_list(keys),
            // of the hooks there are too many
            Known::Below(group) if !is_same(group, "hooks") => {
                let (mut text, mut any, mut index) = (text, false, 0);
                while index < T::PARTS.len() {
                    let info = T::PARTS[index].part.info;
                    if is_below(info.path, group, info.name) {
                        let before = if any { "`, `" } else { ", expected one of `" };
                        text = text.with(before).with(info.name);
                        any = true;
                    }
                    index += 1;
                }
                if any { text.with("`") } else { text }
            }
            _ => text,
        }
    }
}

const fn is_hook(key: &str, hooks: &[(&'static str, &'static [&'static str])]) -> bool {
    let mut index = 0;
    while index < hooks.len() {
        if is_same(key, hooks[index].0) {
            return true;
        }
        index += 1;
    }
    false
}

/// The field whose settings are at a path.
const fn part_at<T: Outline>(path: &str) -> Option<&'static AnyPart> {
    let mut index = 0;
    while index < T::PARTS.len() {
        if is_same(path, T::PARTS[index].part.info.path) {
            return Some(&T::PARTS[index].part);
        }
        index += 1;
    }
    None
}

/// The keys of the dataset of a loader, when this is `loaders.train.dataset`.
const fn dataset_keys<T: Outline>(under: &str) -> Option<&'static [&'static str]> {
    let mut index = 0;
    while index < T::PARTS.len() {
        let part = &T::PARTS[index].part;
        if is_below(under, part.info.path, "dataset") {
            return part.dataset_keys;
        }
        index += 1;
    }
    None
}

/// Whether a path is that of `key` in `group`.
const fn is_below(path: &str, group: &str, key: &str) -> bool {
    let (path, group, key) = (path.as_bytes(), group.as_bytes(), key.as_bytes());
    if path.len() != group.len() + 1 + key.len() {
        return false;
    }
    let (head, tail) = path.split_at(group.len());
    let ([b'.', rest @ ..], true) = (tail, are_same(head, group)) else { return false };
    are_same(rest, key)
}

const fn is_one_of(key: &str, keys: &[&str]) -> bool {
    let mut index = 0;
    while index < keys.len() {
        if is_same(key, keys[index]) {
            return true;
        }
        index += 1;
    }
    false
}

const fn is_same(one: &str, other: &str) -> bool {
    are_same(one.as_bytes(), other.as_bytes())
}

const fn are_same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    one.len() == other.len()
}
