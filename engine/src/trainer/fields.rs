//! What the fields of a trainer can be, and the settings that each has in the file.

use crate::base::Result;
use crate::base::checked::{ConfigValue as _, Plain};
use crate::data::{
    Batch, BatchOf, BatchSource, Collate, Dataset, Loader, LoaderConfig, RecordStream, StreamLoader, StreamLoaderConfig,
};
use crate::metric::{Metric, MetricComponent};
use crate::optim::{Optimizer, OptimizerConfig, Schedules};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A `#[optimizer]` field: a concrete optimizer, fixed in code, or `Box<dyn Optimizer>`, chosen by the file.
///
/// The field holds what was chosen; what became of it, with its parameters and state, is `cx.optimizer("opt")`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be an `#[optimizer]` field",
    label = "not an optimizer",
    note = "use `Box<dyn Optimizer>` to let the file choose, or a struct under `#[component(optimizer)]`"
)]
pub trait OptimizerField: Sized {
    /// Its settings.
    type Config: Debug + Serialize + DeserializeOwned + 'static;
    /// The optimizer with these settings.
    fn from_config(config: Self::Config) -> Self;
    /// The optimizer that these settings are, to look at before there is anything to optimize.
    fn recipe(config: &Self::Config) -> &dyn Optimizer;
    /// The optimizer.
    fn optimizer(&self) -> &dyn Optimizer;
}

#[diagnostic::do_not_recommend]
impl<O: OptimizerConfig + Serialize + DeserializeOwned + 'static> OptimizerField for O {
    type Config = O;
    fn from_config(config: O) -> O {
        config
    }
    fn recipe(config: &O) -> &dyn Optimizer {
        config
    }
    fn optimizer(&self) -> &dyn Optimizer {
        self
    }
}

impl OptimizerField for Box<dyn Optimizer> {
    type Config = Box<dyn OptimizerConfig>;
    fn from_config(config: Self::Config) -> Self {
        config
    }
    fn recipe(config: &Self::Config) -> &dyn Optimizer {
        config.as_ref()
    }
    fn optimizer(&self) -> &dyn Optimizer {
        self.as_ref()
    }
}

/// A `#[scheduler]` field: [`Schedules`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a `#[scheduler]` field",
    label = "expected `Schedules`",
    note = "use `Schedules`: the list under `schedule:` in the file"
)]
pub trait SchedulesField: Sized {
    /// The schedules themselves, which the run takes over; the field keeps a marker.
    fn from_schedules(schedules: Schedules) -> (Self, Schedules);
}

impl SchedulesField for Schedules {
    fn from_schedules(schedules: Schedules) -> (Self, Schedules) {
        (Schedules::default(), schedules)
    }
}

/// A `#[loader(…)]` field: [`Loader`] of a dataset.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a `#[loader]` field",
    label = "expected `Loader<YourDataset>`",
    note = "the field's type is `Loader<D>` with a dataset `D`, or `Option<Loader<D>>` for one that an experiment may leave out"
)]
pub trait LoaderField: Sized {
    /// What it hands over.
    type Batch: Batch;
    /// Its settings.
    type Config: Debug + Serialize + DeserializeOwned + 'static;
    /// The settings of its dataset.
    fn dataset(config: &Self::Config) -> &impl Serialize;
    /// Whether a pass of the loader with these settings never ends.
    fn is_endless(config: &Self::Config) -> bool;
    /// Opens the dataset.
    ///
    /// # Errors
    /// What the dataset finds wrong.
    fn open(name: &str, config: &Self::Config, seed: u64) -> Result<Self>;
    /// The loader when the command at hand has no use for it.
    fn closed(name: &str) -> Self;
    /// The field of an experiment that leaves the loader out; `None`: it can't.
    fn absent() -> Option<Self> {
        None
    }
    /// Whether an experiment may leave the loader out.
    const OPTIONAL: bool = false;
    /// The loader, as the loops see it, when it is there.
    fn source(&mut self) -> Option<&mut dyn BatchSource<Self::Batch>>;
}

impl<D: Dataset> LoaderField for Loader<D> {
    type Batch = BatchOf<D>;
    type Config = LoaderConfig<Plain<D::Config>>;
    fn dataset(config: &Self::Config) -> &impl Serialize {
        &config.dataset
    }
    fn is_endless(config: &Self::Config) -> bool {
        config.chosen_sampler().endless()
    }
    fn open(name: &str, config: &Self::Config, seed: u64) -> Result<Self> {
        Loader::open(name, &config.map(|dataset| dataset.0.copied()), seed)
    }
    fn closed(name: &str) -> Self {
        Loader::closed(name)
    }
    fn source(&mut self) -> Option<&mut dyn BatchSource<BatchOf<D>>> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: RecordStream> LoaderField for StreamLoader<S> {
    type Batch = <S::Item as Collate>::Batch;
    type Config = StreamLoaderConfig<Plain<S::Config>>;
    fn dataset(config: &Self::Config) -> &impl Serialize {
        &config.dataset
    }
    fn is_endless(config: &Self::Config) -> bool {
        config.samples.is_none()
    }
    fn open(name: &str, config: &Self::Config, seed: u64) -> Result<Self> {
        StreamLoader::open(name, &config.map(|dataset| dataset.0.copied()), seed)
    }
    fn closed(name: &str) -> Self {
        StreamLoader::closed(name)
    }
    fn source(&mut self) -> Option<&mut dyn BatchSource<Self::Batch>> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl<L: LoaderField + BatchSource<<L as LoaderField>::Batch> + 'static> LoaderField for Option<L> {
    type Batch = L::Batch;
    type Config = L::Config;
    fn dataset(config: &Self::Config) -> &impl Serialize {
        L::dataset(config)
    }
    fn is_endless(config: &Self::Config) -> bool {
        L::is_endless(config)
    }
    fn open(name: &str, config: &Self::Config, seed: u64) -> Result<Self> {
        L::open(name, config, seed).map(Some)
    }
    fn closed(name: &str) -> Self {
        Some(L::closed(name))
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    const OPTIONAL: bool = true;
    fn source(&mut self) -> Option<&mut dyn BatchSource<L::Batch>> {
        self.as_mut().map(|loader| loader as _)
    }
}

/// Whether a batch is the one that a step takes; asked by the expansion of `#[trainer]`, for the sake of its message.
#[diagnostic::on_unimplemented(
    message = "this loader hands over `{Self}`, and the step takes `{B}`",
    label = "batches of `{Self}`, expected `{B}`",
    note = "a dataset's `Item` decides its batches: tensors are stacked, tuples part by part; make `Batch` of `Steps` agree with it, or `Prompt` of `PredictStep`"
)]
pub trait SameBatch<B> {
    /// They are the same.
    const SAME: () = ();
    /// The batch, as the step knows it: a generic trainer can't see that it is the same.
    fn same(self) -> B;
}

#[diagnostic::do_not_recommend]
impl<B> SameBatch<B> for B {
    fn same(self) -> B {
        self
    }
}

/// As [`SameBatch`], of several train loaders: `Self` is the tuple of their batches.
#[diagnostic::on_unimplemented(
    message = "the train loaders hand over `{Self}`, and the step takes `{B}`",
    label = "batches of `{Self}`, expected `{B}`",
    note = "several train loaders are joined: `Batch` of `Steps` is the tuple of their batches, in the order of the fields"
)]
pub trait SameBatches<B> {
    /// They are the same.
    const SAME: () = ();
    /// As [`SameBatch::same`].
    fn same(self) -> B;
}

#[diagnostic::do_not_recommend]
impl<B> SameBatches<B> for B {
    fn same(self) -> B {
        self
    }
}

/// A `#[metric]` field: a struct under `#[component(metric)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a `#[metric]` field",
    label = "not a metric",
    note = "the field's type is a struct under `#[component(metric)]` that implements `Metric`; metrics that the file chooses need no field, list them under `metrics`",
    note = "a generic metric is registered for each type that is made of it: `engine::register!(metric SumOf<Loss>);`"
)]
pub trait MetricField: Sized {
    /// Its name in the file's list.
    const NAME: &'static str;
    /// Its settings.
    type Config: Debug + Serialize + DeserializeOwned + 'static;
    /// The metric with these settings.
    fn from_config(config: &Self::Config) -> Self;
    /// The metric.
    fn metric(&mut self) -> &mut dyn Metric;
}

#[diagnostic::do_not_recommend]
impl<M: MetricComponent> MetricField for M {
    const NAME: &'static str = <M as MetricComponent>::NAME;
    type Config = <M as MetricComponent>::Config;
    fn from_config(config: &Self::Config) -> M {
        M::build(config)
    }
    fn metric(&mut self) -> &mut dyn Metric {
        self.as_metric()
    }
}
