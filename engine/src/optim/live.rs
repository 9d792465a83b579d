//! An optimizer with its parameters: parameters in groups, their settings, and the state of the updates so far.
//!
//! An update reads nothing from the device. The engine itself allocates nothing in an update: lists of tensors are
//! kept, and lists that change from step to step (gradients) keep their memory. libtorch allocates the state of a
//! parameter at its first gradient and, with clipping by norm, the norms.

use crate::base::Scalar;
use crate::native::{self, NativeError, PendingCopies, Scaling, TensorList};
use crate::optim::algorithm::{Algorithm, SlotShape, StepInputs};
use crate::optim::error::OptimError;
use crate::optim::groups::{Assigned, assign};
use crate::optim::minimizer::Minimizer;
use crate::optim::one_vector::check_one_vector;
use crate::optim::optimizer::Optimizer;
use crate::optim::rate::DeviceRate;
use crate::optim::settings::Settings;
use std::collections::BTreeSet;
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

/// An optimizer with its parameters and state.
///
/// ```
/// use engine::optim::Optim;
/// use engine::prelude::*;
///
/// let store = nn::VarStore::new(Device::Cpu);
/// let net = nn::linear(store.root(), 1, 1, Default::default());
/// let mut parameters: Vec<(String, Tensor)> = store.variables().into_iter().collect();
/// parameters.sort_by(|a, b| a.0.cmp(&b.0));
/// let mut optim = Optim::new("opt", &AdamW::new(0.1), parameters)?;
///
/// let x = Tensor::linspace(-1.0, 1.0, 16, (Kind::Float, Device::Cpu)).unsqueeze(1);
/// let loss = || (x.apply(&net) - &x * 3.0).square().mean(Kind::Float);
/// let before = f64::try_from(loss())?;
/// for _ in 0..50 {
///     optim.zero_grad()?;
///     loss().backward();
///     optim.step()?;
/// }
/// assert!(f64::try_from(loss())? < 0.5 * before);
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Debug)]
pub struct Optim {
    pub(super) name: String,
    // the models whose parameters it has
    models: Vec<String>,
    pub(super) recipe: &'static str,
    pub(super) algorithm: Box<dyn Algorithm>,
    // in the place of the algorithm; out while it computes the loss
    pub(super) minimizer: Option<Box<dyn Minimizer>>,
    pub(super) groups: Vec<Group>,
    // the parameters of all groups once more, for what spans them
    parameters: TensorList,
    // their names, in the same order
    parameter_names: Vec<String>,
    // the names of those that other ranks update, whose state is there
    pub(super) elsewhere: BTreeSet<String>,
    // who may still be copying its state
    reading: Option<Arc<dyn PendingCopies>>,
}

/// Parameters that share their settings.
#[derive(Debug)]
pub struct Group {
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) buckets: Vec<Bucket>,
    // its learning rate on the device, where updates are recorded
    pub(super) rate: Option<DeviceRate>,
}

/// The parameters of a group that lie on one device and have one kind: what one kernel takes.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) device: Device,
    pub(super) names: Vec<String>,
    pub(super) parameters: TensorList,
    // one list per slot of the algorithm
    pub(super) state: Vec<TensorList>,
}

impl Optim {
    /// Assigns the parameters to the groups of the recipe. `name` is for messages: the field's name in a trainer.
    ///
    /// Parameters that are frozen now may be included: without a gradient they are not updated and have no state.
    ///
    /// # Errors
    /// When a value of the recipe is invalid, a group pattern matches nothing, or a parameter can't be optimized.
    pub fn new(name: &str, recipe: &dyn Optimizer, parameters: Vec<(String, Tensor)>) -> Result<Self, OptimError> {
        recipe.check()?;
        check_parameters(name, &parameters)?;
        let (algorithm, minimizer) = (recipe.algorithm(), recipe.minimizer());
        if minimizer.is_some() {
            check_one_vector(name, recipe, &parameters)?;
        }
        let native = |source| OptimError::Native { optimizer: name.into(), doing: "its set-up".into(), source };
        let mut groups = Vec::new();
        for assigned in assign(&recipe.settings(), recipe.groups(), &parameters)? {
            groups.push(Group::new(assigned, &parameters, algorithm.slots().len()).map_err(native)?);
        }
        let list = TensorList::new(parameters.iter().map(|(_, tensor)| tensor)).map_err(native)?;
        let parameter_names = parameters.into_iter().map(|(name, _)| name).collect();
        let (recipe, models) = (recipe.name(), Vec::new());
        Ok(Optim {
            name: name.into(),
            models,
            recipe,
            algorithm,
            minimizer,
            groups,
            parameters: list,
            parameter_names,
            elsewhere: BTreeSet::new(),
            reading: None,
        })
    }

    /// Names the models whose parameters it has, for hooks that need this.
    #[must_use]
    pub fn of_models<'a>(mut self, models: impl IntoIterator<Item = &'a str>) -> Self {
        self.models = models.into_iter().map(str::to_owned).collect();
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has parameters of a model; true for every model when [`Optim::of_models`] was not called.
    pub fn updates_model(&self, name: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|model| model == name)
    }

    /// Updates every parameter that has a gradient. Other parameters and their state do not change.
    ///
    /// # Errors
    /// When libtorch fails: a sparse gradient, a parameter that was moved to another device, not enough memory.
    pub fn step(&mut self) -> Result<(), OptimError> {
        self.step_scaled(Scaling::default())
    }

    /// Like [`Optim::step`], for scaled gradients, or when only the device knows whether to make the update. The
    /// tensors may be on any device.
    ///
    /// # Errors
    /// As [`Optim::step`].
    pub fn step_scaled(&mut self, scaling: Scaling<'_>) -> Result<(), OptimError> {
        self.update(scaling, false)
    }

    /// An update; `by_device_rate`: with the learning rates of the groups that are on the device.
    pub(super) fn update(&mut self, scaling: Scaling<'_>, by_device_rate: bool) -> Result<(), OptimError> {
        self.wait_for_copies()?;
        for group in &mut self.groups {
            for bucket in &mut group.buckets {
                let settings = &group.settings;
                let rate = group.rate.as_ref().filter(|_| by_device_rate).map(DeviceRate::tensor);
                let updated = Nearby::of(scaling, bucket.device).and_then(|near| {
                    let (grad_scale, found_inf) = (near.grad_scale.as_ref(), near.found_inf.as_ref());
                    let inputs = StepInputs {
                        settings,
                        grad_scale: grad_scale.or(scaling.grad_scale),
                        found_inf: found_inf.or(scaling.found_inf),
                        rate: rate.or(scaling.rate),
                    };
                    self.algorithm.step(&bucket.parameters, &mut bucket.state, &inputs)
                });
                if let Err(source) = updated {
                    let doing = match source.item.and_then(|item| bucket.names.get(item)) {
                        Some(parameter) => format!("the update of `{parameter}`"),
                        None => format!("the update of group `{}`", group.name),
                    };
                    return Err(OptimError::Native { optimizer: self.name.clone(), doing, source });
                }
            }
        }
        Ok(())
    }

    /// The state is being copied: the next update comes after that on the device. The host does not wait.
    pub(crate) fn set_pending_copies(&mut self, reading: Arc<dyn PendingCopies>) {
        self.reading = Some(reading);
    }

    /// What is computed from now on may change the state.
    pub(super) fn wait_for_copies(&mut self) -> Result<(), OptimError> {
        let held = self.reading.take().map_or(Ok(()), |reading| reading.block_stream());
        held.map_err(|source| self.failed("waiting for the copy of its state", source))
    }

    /// Clears all gradients; the next backward writes them instead of adding to them.
    ///
    /// # Errors
    /// Errors of libtorch; none is known.
    pub fn zero_grad(&mut self) -> Result<(), OptimError> {
        native::zero_grad(&self.parameters).map_err(|source| self.failed("clearing the gradients", source))
    }

    /// Multiplies all gradients by a factor, for example to average accumulated gradients.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// // the mean gradient of four batches
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &Sgd::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// for slope in [1.0, 2.0, 3.0, 6.0] {
    ///     (&weight * slope).backward(); // adds
    /// }
    /// optim.scale_grads(1.0 / 4.0)?;
    /// assert_eq!(optim.grad_norm()?.read()?, 3.0);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a gradient is sparse.
    pub fn scale_grads(&mut self, factor: f64) -> Result<(), OptimError> {
        native::scale_grads_(&self.parameters, factor).map_err(|source| self.failed("scaling the gradients", source))
    }

    /// The 2-norm of all gradients as one vector, on the device.
    ///
    /// # Errors
    /// When a gradient is sparse.
    pub fn grad_norm(&self) -> Result<Scalar, OptimError> {
        let norm = native::grad_norm([&self.parameters]);
        norm.map(Scalar::Lazy).map_err(|source| self.failed("measuring the gradients", source))
    }

    /// The groups, in the order of the recipe's rules, the default group last.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The groups, to change their settings.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let parameters = vec![("weight".to_owned(), Tensor::from(1.0f32).set_requires_grad(true))];
    /// let mut optim = Optim::new("opt", &Sgd::new(0.1), parameters)?;
    /// for group in optim.groups_mut() {
    ///     let lr = group.settings().get("lr").unwrap();
    ///     group.settings_mut().set("lr", 0.5 * lr)?; // holds from the next update on
    /// }
    /// assert_eq!(optim.groups()[0].settings().get("lr"), Some(0.05));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub fn groups_mut(&mut self) -> &mut [Group] {
        &mut self.groups
    }

    /// The groups, to change their settings, beside the name.
    pub(super) fn name_and_groups_mut(&mut self) -> (&str, &mut [Group]) {
        (&self.name, &mut self.groups)
    }

    /// All parameters, in the order in which they were given.
    pub fn parameters(&self) -> &TensorList {
        &self.parameters
    }

    /// The names of [`Optim::parameters`], in their order.
    pub fn parameter_names(&self) -> &[String] {
        &self.parameter_names
    }

    /// Says which parameters other ranks update; their state is not kept here.
    pub(super) fn set_elsewhere(&mut self, names: BTreeSet<String>) {
        self.elsewhere = names;
    }

    /// All parameters, each as a tensor of its own.
    pub(super) fn each_parameter(&self) -> Result<Vec<Tensor>, NativeError> {
        let each = (0..self.parameters.len()).map(|index| self.parameters.get(index));
        Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The bytes of the state that it has once every parameter had a gradient, without counts of steps: of this rank, and of
    /// all together.
    pub(crate) fn state_bytes(&self) -> Result<(u64, u64), NativeError> {
        let (mut own, mut all) = (0, 0);
        for (name, tensor) in self.parameter_names.iter().zip(self.each_parameter()?) {
            let bytes = self.bytes_of_state(&tensor);
            all += bytes;
            own += if self.elsewhere.contains(name) { 0 } else { bytes };
        }
        Ok((own, all))
    }

    /// The bytes of the state of a parameter, without counts of steps.
    pub(super) fn bytes_of_state(&self, parameter: &Tensor) -> u64 {
        let slots = self.algorithm.slots().iter().filter(|slot| slot.shape == SlotShape::LikeParameter).count();
        let tensors = self.minimizer.as_ref().map_or(slots as u64, |minimizer| minimizer.state_tensors());
        tensors.saturating_mul((parameter.numel() * parameter.kind().elt_size_in_bytes()) as u64)
    }

    fn failed(&self, doing: &str, source: NativeError) -> OptimError {
        OptimError::Native { optimizer: self.name.clone(), doing: doing.into(), source }
    }
}

impl Group {
    fn new(assigned: Assigned, parameters: &[(String, Tensor)], slots: usize) -> Result<Self, NativeError> {
        // few devices and kinds, so a list is searched faster than a map
        let mut places: Vec<((Device, Kind), Vec<usize>)> = Vec::new();
        for index in assigned.members {
            let tensor = &parameters[index].1;
            let place = (tensor.device(), tensor.kind());
            match places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, members)) => members.push(index),
                None => places.push((place, vec![index])),
            }
        }
        let mut buckets = Vec::new();
        for ((device, _), members) in places {
            buckets.push(Bucket {
                device,
                names: members.iter().map(|index| parameters[*index].0.clone()).collect(),
                parameters: TensorList::new(members.iter().map(|index| &parameters[*index].1))?,
                state: (0..slots).map(|_| TensorList::undefined(members.len())).collect::<Result<_, _>>()?,
            });
        }
        Ok(Group { name: assigned.name, settings: assigned.settings, buckets, rate: None })
    }

    /// The pattern of its rule, or `default` for parameters without a rule; followed by `/no_decay` when
    /// `no_decay_on_bias_and_norm` has removed the weight decay.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The current settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The current settings, mutable.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Its parameters, one list per device and kind.
    pub(super) fn lists(&self) -> impl Iterator<Item = &TensorList> {
        self.buckets.iter().map(|bucket| &bucket.parameters)
    }

    /// The names of its parameters.
    pub fn parameter_names(&self) -> impl Iterator<Item = &str> {
        self.buckets.iter().flat_map(|bucket| bucket.names.iter().map(String::as_str))
    }
}

/// Copies of the tensors of a [`Scaling`] that lie on another device than the parameters; none where they lie there.
struct Nearby {
    grad_scale: Option<Tensor>,
    found_inf: Option<Tensor>,
}

impl Nearby {
    fn of(scaling: Scaling<'_>, device: Device) -> Result<Self, NativeError> {
        let near = |tensor: Option<&Tensor>| match tensor {
            Some(tensor) if tensor.device() != device => tensor
                .f_to_device(device)
                .map(Some)
                .map_err(|error| NativeError::argument(format!("a scale can't be brought to {device:?}: {error}"))),
            _ => Ok(None),
        };
        Ok(Nearby { grad_scale: near(scaling.grad_scale)?, found_inf: near(scaling.found_inf)? })
    }
}

fn check_parameters(optimizer: &str, parameters: &[(String, Tensor)]) -> Result<(), OptimError> {
    if parameters.is_empty() {
        return Err(OptimError::NoParameters { optimizer: optimizer.into() });
    }
    let mut seen = BTreeSet::new();
    for (name, tensor) in parameters {
        if !seen.insert(name) {
            return Err(OptimError::DuplicateParameter { optimizer: optimizer.into(), name: name.clone() });
        }
        let kind = tensor.kind();
        if !matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16) {
            return Err(OptimError::NotFloat { name: name.clone(), kind });
        }
    }
    Ok(())
}
