//! Saving and restoring the state of an optimizer.
//!
//! The layout is by name, never by position: `groups.<group>.<setting>` holds the value and the initial value,
//! `parameters.<parameter>.<slot>` a tensor. A parameter that had no gradient yet has an empty entry.

use crate::base::state::{State, StateError, StateMap, StateValue};
use crate::base::suggest::did_you_mean;
use crate::native::TensorList;
use crate::optim::algorithm::{Slot, SlotShape};
use crate::optim::groups::GroupName;
use crate::optim::live::{Bucket, Group, Optim};
use crate::optim::saved_whole::{load_whole, saved_whole};
use crate::optim::schedule::TrainingProgress;
use crate::optim::settings::Settings;
use crate::optim::update::Updates;
use std::collections::BTreeSet;
use tch::{Kind, Tensor};

/// The saved tensors share memory with the running optimizer: copy them to keep them beyond the next update. Loading
/// copies the tensors to the device of each parameter. When the initial value of a setting differs from the saved one,
/// it was changed in the experiment file; then the file's value is used, not the checkpoint's.
impl State for Optim {
    fn save_state(&self) -> StateMap {
        let mut groups = StateMap::new();
        let mut parameters = StateMap::new();
        for group in &self.groups {
            let mut settings = StateMap::new();
            for setting in group.settings.iter() {
                settings.put(setting.name, &(setting.value, setting.initial));
            }
            groups.put(&group.name, &settings);
            for bucket in &group.buckets {
                for (index, name) in bucket.names.iter().enumerate() {
                    parameters.put(name, &bucket.save(index, self.algorithm.slots()));
                }
            }
        }
        let mut state = StateMap::new();
        state.put("optimizer", &self.recipe.to_owned());
        state.put("groups", &groups);
        state.put("parameters", &parameters);
        if let Some(minimizer) = &self.minimizer {
            state.put("minimizer", &saved_whole(&**minimizer, self.layout()));
        }
        state
    }

    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        let saved_by: String = state.take("optimizer")?;
        if saved_by != self.recipe {
            let why = format!(
                "it was saved by `{saved_by}`, and the experiment now names `{}`; undo the change, or begin a new run with `--fresh`",
                self.recipe
            );
            return Err(StateError::Unfit { name: "optimizer".into(), why });
        }
        let mut saved_groups = state.take_map("groups")?;
        let mut saved_parameters = state.take_map("parameters")?;
        // everything is read before anything is changed
        let mut loaded = Vec::new();
        for group in &self.groups {
            let saved = saved_groups.take_map(&group.name).map_err(|error| error.at("groups"))?;
            let settings = load_settings(&group.settings, saved).map_err(|e| e.at(&group.name).at("groups"))?;
            let mut states = Vec::new();
            for bucket in &group.buckets {
                let state = bucket.load(&mut saved_parameters, self.algorithm.slots(), &self.elsewhere);
                states.push(state.map_err(|error| error.at("parameters"))?);
            }
            loaded.push((settings, states));
        }
        if let Some(unknown) = saved_parameters.0.keys().next() {
            return Err(self.unknown_parameter(unknown));
        }
        let (layout, first) = (self.layout(), self.parameters().get(0).ok().flatten());
        if let Some(minimizer) = &mut self.minimizer {
            let loaded = load_whole(&mut **minimizer, state.take_map("minimizer")?, layout, first);
            loaded.map_err(|error| error.at("minimizer"))?;
        }
        for (group, (settings, states)) in self.groups.iter_mut().zip(loaded) {
            group.settings = settings;
            for (bucket, state) in group.buckets.iter_mut().zip(states) {
                bucket.state = state;
            }
        }
        Ok(())
    }
}

/// What a schedule has set is not the file's: a run that goes on without that schedule starts from the file's value again.
impl Updates {
    /// The settings that a schedule is in force for: optimizer, group, setting.
    pub(crate) fn scheduled(&self, progress: &TrainingProgress) -> Vec<[String; 3]> {
        let mut found = Vec::new();
        for optimizer in self.optimizers() {
            for group in &optimizer.groups {
                let name = GroupName { optimizer: &optimizer.name, group: &group.name };
                let in_force = |named: &str| {
                    let setting = group.settings.find(named)?;
                    self.schedules.has_begun(named, name, setting.initial, progress).then_some(setting.name)
                };
                let all = self.schedules.names().filter_map(in_force);
                found.extend(all.map(|setting| [&optimizer.name, &group.name, setting].map(str::to_owned)));
            }
        }
        found
    }

    /// Puts settings that schedules had set to what the file says; those that have a schedule now are set by it before
    /// the next update.
    pub(crate) fn unset_scheduled(&mut self, scheduled: &[[String; 3]]) {
        for optimizer in self.optimizers_mut() {
            for group in &mut optimizer.groups {
                let (optimizer, group) = (&optimizer.name, (&group.name, &mut group.settings));
                let own = scheduled.iter().filter(|[of, in_group, _]| of == optimizer && in_group == group.0);
                for [_, _, setting] in own {
                    group.1.reset(setting);
                }
            }
        }
    }
}

impl Optim {
    fn unknown_parameter(&self, saved: &str) -> StateError {
        let hint = did_you_mean(saved, self.groups.iter().flat_map(Group::parameter_names))
            .map_or_else(String::new, |near| format!("; the nearest name is `{near}`"));
        let why = format!("optimizer `{}` has no parameter of that name{hint}", self.name);
        StateError::Unfit { name: format!("parameters.{saved}"), why }
    }
}

impl Bucket {
    /// The state that a parameter has so far, which is none before its first gradient.
    fn save(&self, index: usize, slots: &[Slot]) -> StateMap {
        let mut map = StateMap::new();
        for (slot, list) in slots.iter().zip(&self.state) {
            // the index is in range, so what may be missing is the entry alone
            if let Ok(Some(tensor)) = list.get(index) {
                map.0.insert(slot.name.into(), StateValue::Tensor(tensor));
            }
        }
        map
    }

    /// The saved states, but for those of parameters that other ranks update.
    fn load(
        &self,
        saved: &mut StateMap,
        slots: &[Slot],
        elsewhere: &BTreeSet<String>,
    ) -> Result<Vec<TensorList>, StateError> {
        let broken = |error: &dyn std::fmt::Display| StateError::Unfit { name: String::new(), why: error.to_string() };
        let mut lists = Vec::new();
        for _ in slots {
            lists.push(TensorList::undefined(self.names.len()).map_err(|error| broken(&error))?);
        }
        for (index, name) in self.names.iter().enumerate() {
            let mut map = saved.take_map(name)?;
            let parameter = self.parameters.get(index).map_err(|error| broken(&error).at(name))?;
            let is_here = !map.0.is_empty() && !elsewhere.contains(name);
            let Some(parameter) = parameter.filter(|_| is_here) else { continue };
            for (slot, list) in slots.iter().zip(&mut lists) {
                let Some(shape) = slot.shape.of(&parameter.size()) else { continue };
                if slot.shape == SlotShape::WhereUsed && !map.0.contains_key(slot.name) {
                    continue;
                }
                let tensor: Tensor = map.take(slot.name).map_err(|error| error.at(name))?;
                let fitted = fit(slot, shape, &tensor, &parameter)
                    .and_then(|tensor| list.set(index, Some(&tensor)).map_err(|error| error.to_string()));
                fitted.map_err(|why| broken(&why).at(slot.name).at(name))?;
            }
            if let Some(unknown) = map.0.keys().next() {
                return Err(broken(&"the optimizer has no such state").at(unknown).at(name));
            }
        }
        Ok(lists)
    }
}

/// A copy of a saved state in the layout and on the device that its parameter has.
fn fit(slot: &Slot, shape: Vec<i64>, saved: &Tensor, parameter: &Tensor) -> Result<Tensor, String> {
    let kind = match slot.shape {
        SlotShape::Count | SlotShape::Number => Kind::Float,
        _ => parameter.kind(),
    };
    if (saved.size(), saved.kind()) != (shape.clone(), kind) {
        let found = (saved.size(), saved.kind());
        return Err(format!("it has shape {:?} and kind {:?}, expected {shape:?} and {kind:?}", found.0, found.1));
    }
    // with the strides of the parameter, where it has its shape
    let fresh = match shape == parameter.size() {
        true => parameter.detach().f_zeros_like().and_then(|fresh| fresh.f_to_kind(kind)),
        false => Tensor::f_zeros(&shape, (kind, parameter.device())),
    };
    let copied = fresh.and_then(|mut fresh| fresh.f_copy_(saved).map(|_| fresh));
    copied.map_err(|error| error.to_string())
}

/// The saved values, except where the file now says something else.
fn load_settings(settings: &Settings, mut saved: StateMap) -> Result<Settings, StateError> {
    let mut loaded = settings.clone();
    for setting in settings.iter() {
        let (value, initial): (f64, f64) = saved.take(setting.name)?;
        let value = if initial == setting.initial { value } else { setting.initial };
        let set = loaded.set(setting.name, value);
        set.map_err(|error| StateError::Unfit { name: setting.name.into(), why: error.to_string() })?;
    }
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Epoch, Iter};
    use crate::optim::schedule::PlannedLength;
    use crate::optim::{AdamW, Schedules};
    use tch::Device;

    #[test]
    fn what_a_schedule_has_set_under_another_name_is_unset_too() {
        let weight = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let mut updates = Updates::default();
        updates.add(Optim::new("opt", &AdamW::new(0.1), vec![("w".to_owned(), weight)]).unwrap());
        let text = "[Constant(factor: 0.5, setting: \"momentum\")]";
        updates.schedules = crate::config::parse_text("x", text).unwrap().read::<Schedules>().unwrap();
        let planned = PlannedLength::epochs(1, 10);
        let progress = TrainingProgress { epoch: Epoch(0), iter: Iter(3), planned };
        updates.apply_schedules(&progress).unwrap();
        let beta = |updates: &Updates| updates.optimizers()[0].groups()[0].settings().get("beta1");
        assert_eq!(beta(&updates), Some(0.45));
        let scheduled = updates.scheduled(&progress);
        assert_eq!(scheduled, [["opt", "default", "beta1"]]);
        updates.unset_scheduled(&scheduled);
        assert_eq!(beta(&updates), Some(0.9));
    }
}
