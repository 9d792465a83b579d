//! Builds the fields of a trainer, and with them what the run owns of each.

use crate::base::{Error, ErrorContext as _, Result, panics};
use crate::checkpoint::check_weights;
use crate::hook::{BuildHooks, Hook, HookField, HookSetting, SlotSetting};
use crate::model::{Model, ModelEntry};
use crate::optim::{Optim, Schedules};
use crate::random;
use crate::run::RunState;
use crate::trainer::BuildErrors;
use crate::trainer::fields::{LoaderField, OptimizerField, SchedulesField};
use tch::{Tensor, nn};

/// The run while its trainer is being built.
pub struct Builder<'a> {
    run: &'a mut RunState,
    slots: Vec<SlotSetting>,
    /// The loaders that are needed; others are not opened.
    loaders: Vec<&'static str>,
}

/// The weights of a model come from libtorch's own generator, and so does dropout.
#[expect(clippy::disallowed_methods, reason = "the one place that seeds it")]
fn seed_libtorch(seed: u64) {
    tch::manual_seed(seed as i64);
}

impl<'a> Builder<'a> {
    pub(crate) fn new(run: &'a mut RunState, loaders: Vec<&'static str>) -> Self {
        Builder { run, slots: Vec::new(), loaders }
    }

    /// What the file says of each hook field, in field order.
    pub(crate) fn into_slots(self) -> Vec<SlotSetting> {
        self.slots
    }

    /// A `#[model]` field. Its variables are made under the run's seed, on the run's device.
    ///
    /// # Errors
    /// What the model finds wrong with its settings.
    pub fn model<M: Model>(&mut self, name: &str, config: &M::Config) -> Result<M> {
        // a seed for each model: adding a second one does not change the first
        let seed = random::derive(self.run.seed, "model", self.run.models.iter().count() as u64, 0);
        seed_libtorch(seed);
        let store = nn::VarStore::new(self.run.device);
        let what = format!("building the model `{name}`");
        let model =
            panics::catch(&what, || M::build(&store.root(), config)).with_context(|| format!("{what} failed"))?;
        let mut entry = ModelEntry::new(name, store);
        entry.check_memory()?;
        self.run.numerics.convert(&mut entry)?;
        check_weights(name, entry.variables())?;
        self.run.models.push(entry);
        Ok(model)
    }

    /// An `#[optimizer]` field for the parameters of these models. With several models their names are put in front.
    ///
    /// # Errors
    /// When a group's pattern fits no parameter, or there is none to train. `path` leads to its settings.
    pub fn optimizer<O: OptimizerField>(
        &mut self,
        name: &str,
        path: &str,
        models: &[&str],
        config: O::Config,
    ) -> Result<O> {
        let field = O::from_config(config);
        let mut parameters: Vec<(String, Tensor)> = Vec::new();
        for model in models {
            for (variable, tensor) in self.run.models.get(model)?.parameters() {
                parameters.push((self.run.models.full_name(model, variable), tensor.shallow_clone()));
            }
        }
        let optim = Optim::new(name, field.optimizer(), parameters).map_err(|error| match error.field() {
            Some(field) => BuildErrors::at(format!("{path}.{field}"), error.to_string()),
            None => Error::new(error).context(format!("the optimizer `{name}` can't be built")),
        })?;
        self.run.updates.add(optim.of_models(models.iter().copied()));
        Ok(field)
    }

    /// The `#[scheduler]` field.
    pub fn schedules<F: SchedulesField>(&mut self, schedules: Schedules) -> F {
        let (field, schedules) = F::from_schedules(schedules);
        self.run.updates.schedules = schedules;
        field
    }

    /// A `#[loader]` field: opens its dataset, if the command at hand uses it.
    ///
    /// # Errors
    /// What the dataset finds wrong.
    pub fn loader<L: LoaderField>(&mut self, name: &'static str, config: Option<L::Config>) -> Result<L> {
        let Some(config) = config else {
            return L::absent().ok_or_else(|| Error::msg(format!("the loader `{name}` can't be left out")));
        };
        if !self.loaders.contains(&name) {
            return Ok(L::closed(name));
        }
        // its errors name it
        let mut loader =
            panics::catch(format!("opening the loader `{name}`"), || L::open(name, &config, self.run.seed))?;
        if let Some(source) = loader.source() {
            source.transfer_to(self.run.device);
        }
        Ok(loader)
    }

    /// A `#[hook]` field.
    ///
    /// # Errors
    /// When the file has switched off a hook that can't be left out.
    pub fn hook<F: HookField>(&mut self, name: &str, setting: HookSetting<F>) -> Result<F> {
        let level = setting.level();
        let (hook, off) = match setting {
            HookSetting::Absent => (None, true),
            HookSetting::Off(defaults) => (defaults.map(|config| F::Hook::build(&config)), true),
            HookSetting::On(config) => (Some(F::Hook::build(&config)), false),
        };
        self.slots.push(SlotSetting { level, off });
        F::from_hook(hook)
            .ok_or_else(|| Error::msg(format!("the hook `{name}` can't be off: it has settings without a default")))
    }
}

impl BuildHooks for Builder<'_> {
    fn build_hook<F: HookField>(&mut self, key: &'static str, setting: HookSetting<F>) -> Result<F> {
        self.hook(key, setting)
    }
}
