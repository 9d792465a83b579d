//! Which saved state belongs to which part of the program.
//!
//! A part with its own key, such as a field, finds its state by this key. `custom_hooks` is a list to which people add
//! hooks, from which they remove hooks, and which they reorder, and a hook may occur twice in it: there a state goes
//! to the hook with the same settings. With any key, a part whose `resets_state` settings have changed starts with its
//! initial state.

use crate::base::{Saved, State, StateError, StateMap, StateValue};
use crate::metric::Metric;
use crate::record::SinkPlace;
use std::collections::BTreeMap;

/// What a state is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// The component's name, for one of several in a list; empty for a part that has its key to itself.
    pub(super) name: String,
    /// All settings of such a component, as a file writes them.
    pub(super) settings: String,
    /// The settings that the state depends on, each with its value.
    pub(super) of: BTreeMap<String, String>,
}

impl Identity {
    /// Of a part that has its key to itself.
    pub(super) fn of(part: &dyn State) -> Identity {
        let of = part.belongs_to().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Identity { of, ..Identity::default() }
    }

    /// Of a metric that the file names: another type of metric may give a value of the same name.
    pub(super) fn of_metric(metric: &dyn Metric) -> Identity {
        let printed = format!("{metric:?}");
        let name = printed.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        Identity { of: BTreeMap::from([("metric".to_owned(), name.to_owned())]), ..Identity::default() }
    }

    /// What the state depends on and has changed: `` `monitor` was "val/loss" and is "val/iou" now ``.
    pub(super) fn changes_since(&self, saved: &Identity) -> Option<String> {
        let changed = self.of.iter().filter_map(|(name, now)| Some((name, saved.of.get(name)?, now)));
        let texts = changed.filter(|(_, was, now)| was != now);
        let texts: Vec<String> = texts.map(|(name, was, now)| format!("`{name}` was {was} and is now {now}")).collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    }
}

/// For each part of a list, by its key now, the key under which its state was saved. Keys without a name are not among
/// them.
pub(super) fn sources(
    saved: &BTreeMap<String, Identity>,
    now: &BTreeMap<String, Identity>,
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let listed = |all: &BTreeMap<String, Identity>, name: &str| -> Vec<(String, Identity)> {
        let mut keys: Vec<_> = all.iter().filter(|(_, of)| of.name == name).collect();
        // `Ema`, `Ema.1`, … `Ema.10`: the order of the list
        keys.sort_by_key(|(key, _)| (key.len(), key.as_str()));
        keys.into_iter().map(|(key, of)| (key.clone(), of.clone())).collect()
    };
    let mut names: Vec<&str> = now.values().map(|of| of.name.as_str()).filter(|name| !name.is_empty()).collect();
    names.dedup();
    for name in names {
        if found.keys().any(|key: &String| now[key].name == name) {
            continue;
        }
        let (mut saved, mut now) = (listed(saved, name), listed(now, name));
        pair(&mut saved, &mut now, &mut found, |saved, now| saved.settings == now.settings);
        // the settings have changed: what the state is of tells more than the place
        pair(&mut saved, &mut now, &mut found, |saved, now| !now.of.is_empty() && saved.of == now.of);
        if saved.len() == now.len() {
            pair(&mut saved, &mut now, &mut found, |_, _| true);
        }
    }
    found
}

/// What the state of each sink is of, under the key that it has in a checkpoint's list of all parts.
pub(super) fn sink_identities(places: &[SinkPlace]) -> BTreeMap<String, Identity> {
    let of = |place: &SinkPlace| Identity {
        // apart from hooks: a sink may have the name of one
        name: place.chosen.as_ref().map_or_else(String::new, |name| format!("sink {name}")),
        settings: place.settings.clone(),
        of: place.belongs_to.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    };
    let all = places.iter().map(|place| (format!("sinks.{}", place.key), of(place)));
    all.filter(|(_, of)| *of != Identity::default()).collect()
}

/// The states of sinks under the keys that the sinks have now, without those that were of something else, which are told.
pub(super) fn sinks_as_now(
    mut saved: StateMap,
    identities: &BTreeMap<String, Identity>,
    places: &[SinkPlace],
) -> (StateMap, Vec<String>) {
    let now = sink_identities(places);
    let sources = sources(identities, &now);
    let (mut found, mut told) = (StateMap::new(), Vec::new());
    for place in places {
        let key = format!("sinks.{}", place.key);
        let source = match place.chosen {
            None => Some(key.as_str()),
            Some(_) => sources.get(&key).map(String::as_str),
        };
        let Some(held) = source.and_then(|source| saved.0.remove(source.strip_prefix("sinks.")?)) else { continue };
        let before = source.and_then(|source| identities.get(source));
        match before.and_then(|before| now.get(&key)?.changes_since(before)) {
            None => drop(found.0.insert(place.key.clone(), held)),
            Some(change) => told.push(format!("`{key}` starts anew: {change}")),
        }
    }
    (found, told)
}

/// Pairs each part with the first saved one that fits, and takes both out.
fn pair(
    saved: &mut Vec<(String, Identity)>,
    now: &mut Vec<(String, Identity)>,
    found: &mut BTreeMap<String, String>,
    fits: impl Fn(&Identity, &Identity) -> bool,
) {
    now.retain(|(key, now)| match saved.iter().position(|(_, saved)| fits(saved, now)) {
        Some(place) => {
            found.insert(key.clone(), saved.remove(place).0);
            false
        }
        None => true,
    });
}

impl Saved for Identity {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("name", &self.name);
        map.put("settings", &self.settings);
        map.put("of", &self.of);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Identity { name: map.take("name")?, settings: map.take("settings")?, of: map.take("of")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `E acc 3`: the component `E`, whose state is of `acc`, with the settings `acc 3`. Keys are those of a list.
    fn list(parts: &[&str]) -> BTreeMap<String, Identity> {
        let mut all = BTreeMap::new();
        for part in parts {
            let (name, settings) = part.split_once(' ').unwrap();
            let earlier = all.values().filter(|of: &&Identity| of.name == name).count();
            let key = if earlier == 0 { name.to_owned() } else { format!("{name}.{earlier}") };
            let of = settings.split_once(' ').map(|(monitor, _)| ("monitor".to_owned(), monitor.to_owned()));
            let identity =
                Identity { name: name.to_owned(), settings: settings.to_owned(), of: of.into_iter().collect() };
            all.insert(key, identity);
        }
        all
    }

    /// Which saved part each part gets its state of: `E acc 3 <- E acc 3`.
    fn told(saved: &[&str], now: &[&str]) -> Vec<String> {
        let (before, after) = (list(saved), list(now));
        let text = |of: &Identity| format!("{} {}", of.name, of.settings);
        let found = sources(&before, &after);
        found.iter().map(|(key, source)| format!("{} <- {}", text(&after[key]), text(&before[source]))).collect()
    }

    #[test]
    fn inserting_removing_and_reordering_hand_no_state_to_another_hook() {
        let both = ["E acc 3", "E loss 5"];
        assert_eq!(told(&both, &["E loss 5", "E acc 3"]), ["E loss 5 <- E loss 5", "E acc 3 <- E acc 3"]);
        assert_eq!(told(&both, &["E loss 5"]), ["E loss 5 <- E loss 5"]);
        assert_eq!(told(&both[1..], &both), ["E loss 5 <- E loss 5"]);
        assert_eq!(told(&["A x"], &["B x", "A x"]), ["A x <- A x"]);
    }

    #[test]
    fn a_hook_whose_settings_have_changed_keeps_its_state_where_it_is_clear_which_one_it_is() {
        assert_eq!(told(&["E acc 3"], &["E acc 8"]), ["E acc 8 <- E acc 3"]);
        assert_eq!(told(&["A x", "A y"], &["A y", "A z"]), ["A y <- A y", "A z <- A x"]);
        // by what the state is of
        assert_eq!(told(&["E acc 3", "E loss 5"], &["E loss 9"]), ["E loss 9 <- E loss 5"]);
        // one of two, and nothing tells which
        assert!(told(&["A x", "A y"], &["A z"]).is_empty());
    }

    #[test]
    fn equal_hooks_keep_their_order() {
        let (before, after) = (list(&["A x", "A x"]), list(&["A x", "A x"]));
        assert!(sources(&before, &after).iter().all(|(key, source)| key == source));
    }

    #[test]
    fn what_a_state_was_of_is_told_with_what_it_is_now() {
        let (before, after) = (list(&["E acc 3"]), list(&["E loss 3"]));
        let change = after["E"].changes_since(&before["E"]);
        assert_eq!(change.as_deref(), Some("`monitor` was acc and is now loss"));
        assert_eq!(after["E"].changes_since(&after["E"]), None);
    }
}
