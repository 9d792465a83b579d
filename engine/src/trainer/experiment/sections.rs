//! The sections of an experiment: one line for each says what it is for, its type, and how it is read and printed.

use crate::base::Clock;
use crate::hook::{HookConfig, HookSet};
use crate::loops::{EpochLoader, LoopConfig, Role};
use crate::metric::MetricConfig;
use crate::model::InitRule;
use crate::native::Determinism;
use crate::optim::PassSettings;
use crate::record::SinkConfig;
use crate::trainer::experiment::settings::{DeviceChoice, TrainSettings, ValSettings};
use crate::trainer::{Build, EngineHooksOf, Reader, Writer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;

/// How a section of type `V` is read and printed.
trait Form<T: Build, V> {
    /// Whether experiments of the trainer have it.
    fn is_part(&self) -> bool {
        true
    }
    /// Reads it; mistakes are in the reader.
    fn read(&self, reader: &mut Reader<'_>, key: &'static str) -> Option<V>;
    /// Prints it.
    fn write(&self, value: &V, writer: &mut Writer, key: &'static str);
}

/// A section that must be there.
struct Required;

impl<T: Build, V: DeserializeOwned + Serialize> Form<T, V> for Required {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str) -> Option<V> {
        reader.required(key)
    }
    fn write(&self, value: &V, writer: &mut Writer, key: &'static str) {
        writer.put(key, value);
    }
}

/// A section that may be left out, with what it is then.
struct Or<D>(D);

impl<T: Build, V: DeserializeOwned + Serialize, D: Fn() -> V> Form<T, V> for Or<D> {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str) -> Option<V> {
        reader.optional(key, &self.0)
    }
    fn write(&self, value: &V, writer: &mut Writer, key: &'static str) {
        writer.put(key, value);
    }
}

/// A folder that may be left out: absolute, so that the `experiment.ron` that a run saves means the same folder from
/// wherever it is read.
struct FolderOr(&'static str);

impl<T: Build> Form<T, PathBuf> for FolderOr {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str) -> Option<PathBuf> {
        let path = reader.optional(key, || PathBuf::from(self.0))?;
        // without a current folder the path stays as it is, and the run's folder tells what is wrong
        Some(std::path::absolute(&path).unwrap_or(path))
    }
    fn write(&self, value: &PathBuf, writer: &mut Writer, key: &'static str) {
        writer.put(key, value);
    }
}

/// A section of trainers that have a loader of this role; others neither show nor list it.
struct With<F>(Role, F);

impl<T: Build, V, F: Form<T, V>> Form<T, V> for With<F> {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str) -> Option<V> {
        match T::loaders(self.0).is_empty() && reader.is_of_schema() {
            true => None,
            false => self.1.read(reader, key),
        }
    }
    fn write(&self, value: &V, writer: &mut Writer, key: &'static str) {
        if !T::loaders(self.0).is_empty() {
            self.1.write(value, writer, key);
        }
    }
}

/// Which train loader makes the epoch; of trainers by epoch that have several. Others neither show nor list it.
struct OfSeveralTrainLoaders;

impl<T: Build> Form<T, EpochLoader> for OfSeveralTrainLoaders {
    fn is_part(&self) -> bool {
        T::CLOCK == Clock::Epoch && T::loaders(Role::Train).len() > 1
    }
    fn read(&self, reader: &mut Reader<'_>, key: &'static str) -> Option<EpochLoader> {
        match Form::<T, EpochLoader>::is_part(self) {
            true => reader.optional(key, EpochLoader::default),
            false => Some(EpochLoader::default()),
        }
    }
    fn write(&self, value: &EpochLoader, writer: &mut Writer, key: &'static str) {
        if Form::<T, EpochLoader>::is_part(self) {
            writer.put(key, value);
        }
    }
}

/// What a file says of each pass, with what the code says in place of what it leaves out; of trainers with `#[passes]`.
struct Passes;

impl<T: Build> Form<T, Vec<PassSettings>> for Passes {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str) -> Option<Vec<PassSettings>> {
        let mut passes = Vec::new();
        for (place, info) in T::PASSES.iter().enumerate() {
            let Some(section) = info.section else { continue };
            let code = || PassSettings::default().resolved(info, place);
            passes.push(reader.optional(section, code).map(|settings| settings.resolved(info, place)));
        }
        passes.into_iter().collect()
    }
    fn write(&self, value: &Vec<PassSettings>, writer: &mut Writer, _: &'static str) {
        let sections = T::PASSES.iter().filter_map(|info| info.section);
        sections.zip(value).for_each(|(section, settings)| writer.put(section, settings));
    }
}

/// A list of components that the file chooses.
struct Chosen;

impl<T: Build, C: DeserializeOwned + Serialize> Form<T, Vec<C>> for Chosen {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str) -> Option<Vec<C>> {
        reader.chosen(key)
    }
    fn write(&self, value: &Vec<C>, writer: &mut Writer, key: &'static str) {
        writer.put(key, value);
    }
}

/// The metrics that no field of the trainer has taken.
struct OtherMetrics;

impl<T: Build> Form<T, Vec<Box<dyn MetricConfig>>> for OtherMetrics {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str) -> Option<Vec<Box<dyn MetricConfig>>> {
        reader.other_metrics()
    }
    fn write(&self, value: &Vec<Box<dyn MetricConfig>>, writer: &mut Writer, _: &'static str) {
        value.iter().for_each(|metric| writer.metric("", metric));
    }
}

/// The settings of a set of hooks.
struct Hooks;

impl<T: Build> Form<T, <EngineHooksOf<T> as HookSet>::Settings> for Hooks {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str) -> Option<<EngineHooksOf<T> as HookSet>::Settings> {
        EngineHooksOf::<T>::read(reader)
    }
    fn write(&self, value: &<EngineHooksOf<T> as HookSet>::Settings, writer: &mut Writer, _: &'static str) {
        EngineHooksOf::<T>::write(value, writer);
    }
}

/// Makes the experiment from a line for each section: `key: Type = form;`, or `key;` where the trainer's fields stand.
macro_rules! sections {
    ($( #[doc = $docs:literal] $key:ident $(: $type:ty = $form:expr)?; )*) => {
        /// The keys of an experiment, in the order in which people read them.
        pub(super) const KEYS: &[(&str, &str)] = &[$( (stringify!($key), $docs), )*];

        /// An experiment, read and checked.
        pub struct Experiment<T: Build> {
            $($( #[doc = $docs] pub $key: $type, )?)*
            /// The settings of the trainer's fields.
            pub sections: T::Sections,
            /// Stops after this many updates, as the command line asks; the plan stays what the file says.
            pub stop_after: Option<u64>,
        }

        /// The sections of an experiment, as far as they could be read.
        pub(super) struct Sections<T: Build> {
            $($( pub(super) $key: Option<$type>, )?)*
            sections: Option<T::Sections>,
        }

        impl<T: Build> Sections<T> {
            /// Reads every section, also after one that has a mistake.
            pub(super) fn read(reader: &mut Reader<'_>) -> Self {
                // messages list the known keys in the order in which they were asked for
                $($( if Form::<T, $type>::is_part(&$form) {
                    reader.node(stringify!($key));
                } )?)*
                Sections {
                    // the trainer's fields come first: they take their entries out of lists
                    sections: T::read(reader),
                    $($( $key: Form::<T, $type>::read(&$form, reader, stringify!($key)), )?)*
                }
            }

            /// The experiment, when every section could be read.
            pub(super) fn complete(self) -> Option<Experiment<T>> {
                Some(Experiment { $($( $key: { let value: $type = self.$key?; value }, )?)* sections: self.sections?, stop_after: None })
            }
        }

        impl<T: Build> Experiment<T> {
            /// Prints every section.
            pub(super) fn write(&self, writer: &mut Writer) {
                T::write(&self.sections, writer);
                $($( Form::<T, $type>::write(&$form, &self.$key, writer, stringify!($key)); )?)*
            }
        }
    };
}

sections! {
    /// The run's name: its folder below `work_dir`.
    name: String = Required;
    /// Everything random comes from it: the weights, the order of the data, dropout.
    seed: u64 = Or(|| 0);
    /// Where the model and its batches lie. `Auto` takes the first CUDA device where there is one.
    device: DeviceChoice = Or(DeviceChoice::default);
    /// libtorch's threads for one operator; `None`: as many as there are cores. The same bits need the same number.
    threads: Option<usize> = Or(|| None);
    /// Operators whose results differ from run to run: `Off` uses them, `Warn` takes a deterministic one where there is one and warns where there is none, `Strict` refuses to run the others. On the CPU the same seed gives the same bits with `Off` too, save for a few operators; on CUDA it takes `Strict`.
    deterministic: Determinism = Or(Determinism::default);
    /// The folder of all runs: relative to this file, or to the current folder when no file says it.
    work_dir: PathBuf = FolderOr("runs");
    /// The model.
    model;
    /// How parameters start, by patterns of their names: `[(pattern: "*.weight", with: XavierUniform(gain: 1.0))]`. The first that fits counts; all others start as the model says.
    init: Vec<InitRule> = Or(Vec::new);
    /// Parameters that are left as they are, by patterns of their names: `["features.*"]`. Hooks may unfreeze them.
    freeze: Vec<String> = Or(Vec::new);
    /// What turns gradients into updates.
    optimizer;
    /// How settings of the optimizer change over the training, one after the other.
    schedule;
    /// The trainer's own settings.
    trainer;
    /// What is read, and how.
    loaders;
    /// How far, and how.
    train: TrainSettings = Required;
    /// Which of the train loaders makes the epoch: `Longest` the one with the most batches, `Shortest` the one with the fewest, or `Named("..")`. The others go on from pass to pass.
    epoch_loader: EpochLoader = OfSeveralTrainLoaders;
    /// A training loop of this program, instead of the engine's.
    train_loop: Option<Box<dyn LoopConfig>> = Or(|| None);
    /// What is changed of the trainer's passes: how often each takes its turn, on which batches, and how its gradient is clipped.
    passes: Vec<PassSettings> = Passes;
    /// When the training validates.
    val: ValSettings = With(Role::Val, Or(ValSettings::default));
    /// What is measured in every validation and test. Those of the trainer's own fields always are: an entry of their name that gives the same values sets them, any other is one more.
    metrics: Vec<Box<dyn MetricConfig>> = OtherMetrics;
    /// The hooks that are part of this program. `Off` switches one off; `level: HIGH`, or 0 to 100, moves it: the lower the earlier in each phase.
    hooks: <EngineHooksOf<T> as HookSet>::Settings = Hooks;
    /// Further hooks, chosen by this file.
    custom_hooks: Vec<Box<dyn HookConfig>> = Chosen;
    /// What the run records into, besides the console, `log.txt` and `metrics.jsonl`. The run goes on without one that fails, unless it is `required: true`.
    sinks: Vec<Box<dyn SinkConfig>> = Chosen;
}
