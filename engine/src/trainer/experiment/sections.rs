//! The sections of an experiment: one line for each says what it is for, its type, and how it is read and printed.

use crate::base::Clock;
use crate::dist::DistSettings;
use crate::hook::{HookConfig, HookSet, Joined};
use crate::hooks::{DefaultHooks, HookSettings};
use crate::loops::{EpochLoader, LoopConfig, ProfileWindow, Role, StepConfig};
use crate::metric::MetricConfig;
use crate::model::InitRule;
use crate::native::Determinism;
use crate::optim::{PassInfo, PassSettings};
use crate::record::SinkConfig;
use crate::run::EvalWeights;
use crate::trainer::experiment::backend::BackendSettings;
use crate::trainer::experiment::name::{Numbered, RunName};
use crate::trainer::experiment::settings::{CheckpointSettings, DeviceChoice, Resume, TrainSettings, ValSettings};
use crate::trainer::parts::FieldSettings;
use crate::trainer::{Build, EngineHooksOf, Reader, Writer};
use crate::weights::WeightsFrom;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;

/// What sections have to know of a trainer. It is a value and no type parameter, so that the reading of sections is
/// compiled once, with the engine, and not with each program.
#[derive(Clone, Copy)]
struct Of {
    clock: Clock,
    loaders: fn(Role) -> &'static [&'static str],
    passes: &'static [PassInfo],
    /// Model fields, and where their weights stand.
    models: &'static [(&'static str, &'static str)],
}

impl Of {
    fn trainer<T: Build>() -> Self {
        Of { clock: T::CLOCK, loaders: T::loaders, passes: T::PASSES, models: T::MODELS }
    }
}

/// How a section of type `V` is read and printed.
trait Form<V> {
    /// Whether experiments of the trainer have it.
    fn is_part(&self, _: Of) -> bool {
        true
    }
    /// Reads it; mistakes are in the reader.
    fn read(&self, reader: &mut Reader<'_>, key: &'static str, of: Of) -> Option<V>;
    /// Prints it.
    fn write(&self, value: &V, writer: &mut Writer, key: &'static str, of: Of);
}

/// A section that must be there.
struct Required;

impl<V: DeserializeOwned + Serialize> Form<V> for Required {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str, _: Of) -> Option<V> {
        reader.required(key)
    }
    fn write(&self, value: &V, writer: &mut Writer, key: &'static str, _: Of) {
        writer.put(key, value);
    }
}

/// The name of a run: a text, or a text in `Fresh(..)`.
struct Named;

impl Form<RunName> for Named {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str, _: Of) -> Option<RunName> {
        let is_numbered = !reader.is_of_schema() && reader.node(key).is_some_and(|node| node.name() == Some("Fresh"));
        match is_numbered {
            true => reader.required::<Numbered>(key).map(RunName::from),
            false => reader.required::<String>(key).map(RunName::from),
        }
    }
    fn write(&self, value: &RunName, writer: &mut Writer, key: &'static str, _: Of) {
        writer.put(key, value);
    }
}

/// A section that may be left out, with what it is then.
struct Or<D>(D);

impl<V: DeserializeOwned + Serialize, D: Fn() -> V> Form<V> for Or<D> {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str, _: Of) -> Option<V> {
        reader.optional(key, &self.0)
    }
    fn write(&self, value: &V, writer: &mut Writer, key: &'static str, _: Of) {
        writer.put(key, value);
    }
}

/// A folder that may be left out: absolute, so that the `experiment.ron` that a run saves means the same folder from
/// wherever it is read.
struct FolderOr(&'static str);

impl Form<PathBuf> for FolderOr {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str, _: Of) -> Option<PathBuf> {
        let path = reader.optional(key, || PathBuf::from(self.0))?;
        // without a current folder the path stays as it is, and the run's folder tells what is wrong
        Some(std::path::absolute(&path).unwrap_or(path))
    }
    fn write(&self, value: &PathBuf, writer: &mut Writer, key: &'static str, _: Of) {
        writer.put(key, value);
    }
}

/// A section of trainers that have a loader of this role; others neither show nor list it.
struct With<F>(Role, F);

impl<V, F: Form<V>> Form<V> for With<F> {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str, of: Of) -> Option<V> {
        match (of.loaders)(self.0).is_empty() && reader.is_of_schema() {
            true => None,
            false => self.1.read(reader, key, of),
        }
    }
    fn write(&self, value: &V, writer: &mut Writer, key: &'static str, of: Of) {
        if !(of.loaders)(self.0).is_empty() {
            self.1.write(value, writer, key, of);
        }
    }
}

/// Which train loader makes the epoch; of trainers by epoch that have several. Others neither show nor list it.
struct OfSeveralTrainLoaders;

impl Form<EpochLoader> for OfSeveralTrainLoaders {
    fn is_part(&self, of: Of) -> bool {
        of.clock == Clock::Epoch && (of.loaders)(Role::Train).len() > 1
    }
    fn read(&self, reader: &mut Reader<'_>, key: &'static str, of: Of) -> Option<EpochLoader> {
        match self.is_part(of) {
            true => reader.optional(key, EpochLoader::default),
            false => Some(EpochLoader::default()),
        }
    }
    fn write(&self, value: &EpochLoader, writer: &mut Writer, key: &'static str, of: Of) {
        if self.is_part(of) {
            writer.put(key, value);
        }
    }
}

/// What a file says of each pass, with what the code says in place of what it leaves out; of trainers with `#[passes]`.
struct Passes;

impl Form<Vec<PassSettings>> for Passes {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str, of: Of) -> Option<Vec<PassSettings>> {
        let mut passes = Vec::new();
        for (place, info) in of.passes.iter().enumerate() {
            let Some(section) = info.section else { continue };
            let code = || PassSettings::default().resolved(info, place);
            passes.push(reader.optional(section, code).map(|settings| settings.resolved(info, place)));
        }
        passes.into_iter().collect()
    }
    fn write(&self, value: &Vec<PassSettings>, writer: &mut Writer, _: &'static str, of: Of) {
        let sections = of.passes.iter().filter_map(|info| info.section);
        sections.zip(value).for_each(|(section, settings)| writer.put(section, settings));
    }
}

/// Where models have their weights from: of the only model directly, of several by the names of their fields.
struct OfModels;

impl Form<Vec<ModelWeights>> for OfModels {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str, of: Of) -> Option<Vec<ModelWeights>> {
        let read = |(model, path): &(&'static str, &'static str)| {
            let from = reader.optional(path, || None::<WeightsFrom>)?;
            Some(ModelWeights { model, path, from })
        };
        // all of them first, so that one mistake hides no other
        let read: Vec<Option<ModelWeights>> = of.models.iter().map(read).collect();
        read.into_iter().collect()
    }
    fn write(&self, value: &Vec<ModelWeights>, writer: &mut Writer, _: &'static str, _: Of) {
        value.iter().for_each(|weights| writer.put(weights.path, &weights.from));
    }
}

/// A list of components that the file chooses.
struct Chosen;

impl<C: DeserializeOwned + Serialize> Form<Vec<C>> for Chosen {
    fn read(&self, reader: &mut Reader<'_>, key: &'static str, _: Of) -> Option<Vec<C>> {
        reader.chosen(key)
    }
    fn write(&self, value: &Vec<C>, writer: &mut Writer, key: &'static str, _: Of) {
        writer.put(key, value);
    }
}

/// The metrics that no field of the trainer has taken.
struct OtherMetrics;

impl Form<Vec<Box<dyn MetricConfig>>> for OtherMetrics {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str, _: Of) -> Option<Vec<Box<dyn MetricConfig>>> {
        reader.other_metrics()
    }
    fn write(&self, value: &Vec<Box<dyn MetricConfig>>, writer: &mut Writer, _: &'static str, _: Of) {
        value.iter().for_each(|metric| writer.metric("", metric));
    }
}

/// What an experiment says of the weights of one model.
#[derive(Clone, Debug)]
pub struct ModelWeights {
    /// The trainer's field.
    pub model: &'static str,
    /// Where it stands in the experiment: `weights`, or `weights.critic` with several models.
    pub path: &'static str,
    /// Where they are from; `None` when the model starts as it is made.
    pub from: Option<WeightsFrom>,
}

/// A [`Form`] as functions, which are compiled where they are written: here.
struct Functions<V> {
    is_part: fn(Of) -> bool,
    read: fn(&mut Reader<'_>, Of) -> Option<V>,
    write: fn(&V, &mut Writer, Of),
}

/// Makes the experiment from a line for each section: `key: Type = form;`, or `key;` where the trainer's fields stand. The
/// section `hooks`, whose type depends on the trainer, is written out.
macro_rules! sections {
    ($( #[doc = $docs:literal] $key:ident $(: $type:ty = $form:expr)?; )*) => {
        /// The keys of an experiment, in the order in which people read them.
        pub(super) const KEYS: &[(&str, &str)] = &[$( (stringify!($key), $docs), )*];

        /// Each section, read and printed by functions that know no trainer.
        struct Each {
            $($( $key: Functions<$type>, )?)*
        }

        static EACH: Each = Each {
            $($( $key: Functions {
                is_part: |of| Form::<$type>::is_part(&$form, of),
                read: |reader, of| Form::<$type>::read(&$form, reader, stringify!($key), of),
                write: |value, writer, of| Form::<$type>::write(&$form, value, writer, stringify!($key), of),
            }, )?)*
        };

        /// An experiment, read and checked.
        pub struct Experiment<T: Build> {
            $($( #[doc = $docs] pub $key: $type, )?)*
            /// The hooks that are part of this program.
            pub hooks: HooksOf<T>,
            /// The settings of the trainer's fields.
            pub fields: FieldSettings,
            /// Stops after this many updates, as the command line asks; the plan stays what the file says.
            pub stop_after: Option<u64>,
            /// Batches of each loader in an evaluation, as the command line asks.
            pub evaluate_at_most: Option<u64>,
            /// The iters that are profiled, as the command line asks.
            pub profile: Option<ProfileWindow>,
        }

        /// The sections of an experiment, as far as they could be read.
        pub(super) struct Sections<T: Build> {
            $($( pub(super) $key: Option<$type>, )?)*
            hooks: Option<HooksOf<T>>,
            fields: Option<FieldSettings>,
        }

        impl<T: Build> Sections<T> {
            /// Reads every section, also after one that has a mistake.
            pub(super) fn read(reader: &mut Reader<'_>) -> Self {
                let of = Of::trainer::<T>();
                // messages list the known keys in the order in which they were asked for
                $($( if (EACH.$key.is_part)(of) {
                    let _ = stringify!($type);
                    reader.node(stringify!($key));
                } )?)*
                Sections {
                    // the trainer's fields come first: they take their entries out of lists
                    fields: FieldSettings::read(&mut T::PARTS.iter().map(|field| field.part), reader),
                    hooks: read_hooks::<T>(reader),
                    $($( $key: { let value: Option<$type> = (EACH.$key.read)(reader, of); value }, )?)*
                }
            }

            /// The experiment, when every section could be read.
            pub(super) fn complete(self) -> Option<Experiment<T>> {
                Some(Experiment {
                    $($( $key: { let value: $type = self.$key?; value }, )?)*
                    hooks: self.hooks?,
                    fields: self.fields?,
                    stop_after: None,
                    evaluate_at_most: None,
                    profile: None,
                })
            }
        }

        impl<T: Build> Experiment<T> {
            /// Prints every section.
            pub(super) fn write(&self, writer: &mut Writer) {
                let of = Of::trainer::<T>();
                self.fields.write(writer);
                write_engine_hooks(&self.hooks.first, writer);
                <T::Bundle as HookSet>::write(&self.hooks.second, writer);
                $($( (EACH.$key.write)({ let value: &$type = &self.$key; value }, writer, of); )?)*
            }
        }
    };
}

/// The settings of the hooks that every program of a trainer has.
type HooksOf<T> = <EngineHooksOf<T> as HookSet>::Settings;

fn read_hooks<T: Build>(reader: &mut Reader<'_>) -> Option<HooksOf<T>> {
    // both first, so that a mistake in one hides none in the other
    let (first, second) = (read_engine_hooks(reader), <T::Bundle as HookSet>::read(reader));
    Some(Joined { first: first?, second: second? })
}

/// The engine's own hooks are read and printed by functions that know no trainer, and are compiled with the engine.
fn read_engine_hooks(reader: &mut Reader<'_>) -> Option<HookSettings> {
    DefaultHooks::read(reader)
}

fn write_engine_hooks(settings: &HookSettings, writer: &mut Writer) {
    DefaultHooks::write(settings, writer);
}

sections! {
    /// The run's name: its folder below `work_dir`. `Fresh("digits")` is a new folder for each run that begins: `digits`, `digits-2`, …. `{date}` within the name is the day on which the run begins.
    name: RunName = Named;
    /// Everything random comes from it: the weights, the order of the data, dropout.
    seed: u64 = Or(|| 0);
    /// Where the model and its batches lie. `Auto` takes the first CUDA device where there is one.
    device: DeviceChoice = Or(DeviceChoice::default);
    /// libtorch's threads for one operator; `None`: as many as there are cores. The same bits need the same number.
    threads: Option<usize> = Or(|| None);
    /// Operators whose results differ from run to run: `Off` uses them, `Warn` takes a deterministic one where there is one and warns where there is none, `Strict` refuses to run the others. On the CPU the same seed gives the same bits with `Off` too, save for a few operators; on CUDA it takes `Strict`.
    deterministic: Determinism = Or(Determinism::default);
    /// How libtorch computes: products of matrices, layouts, denormal numbers, memory.
    backend: BackendSettings = Or(BackendSettings::default);
    /// A training in several processes, each on its own part of every batch.
    dist: DistSettings = Or(DistSettings::default);
    /// The folder of all runs: relative to this file, or to the current folder when no file says it.
    work_dir: PathBuf = FolderOr("runs");
    /// What `train` does when the folder already contains a run: `OnRequest` refuses it unless `--resume` or `--fresh` is given; `Auto` continues it, which is useful for a job that is restarted again and again.
    resume: Resume = Or(Resume::default);
    /// Where checkpoints are copied to.
    checkpoints: CheckpointSettings = Or(CheckpointSettings::default);
    /// The model.
    model;
    /// How parameters start, by patterns of their names: `[(pattern: "*.weight", with: XavierUniform(gain: 1.0))]`. The first that fits counts; all others start as the model says.
    init: Vec<InitRule> = Or(Vec::new);
    /// Weights that the training starts with, from a file: `(file: "resnet18.safetensors", rename: [("^backbone\\.", "net.")])`; with several models, `(critic: (file: ..))`. `init` holds for what they leave out. A run that is resumed goes on with its own.
    weights: Vec<ModelWeights> = OfModels;
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
    /// How the step of a batch is taken: by a component of this program, instead of once on the whole batch.
    step_processor: Option<Box<dyn StepConfig>> = Or(|| None);
    /// What is changed of the trainer's passes: how often each takes its turn, on which batches, and how its gradient is clipped.
    passes: Vec<PassSettings> = Passes;
    /// When the training validates.
    val: ValSettings = With(Role::Val, Or(ValSettings::default));
    /// The weights that validations, tests and predictions use where a hook keeps an average, as `Ema` does: `Averaged`, or `Trained` for those that are trained. `net.safetensors` of a checkpoint has the same.
    eval_weights: EvalWeights = Or(EvalWeights::default);
    /// What is measured in every validation and test. Those of the trainer's own fields always are: an entry of their name that gives the same values sets them, any other is one more.
    metrics: Vec<Box<dyn MetricConfig>> = OtherMetrics;
    /// The hooks that are part of this program. `Off` switches one off; `level: HIGH`, or 0 to 100, moves it: the lower the earlier in each phase.
    hooks;
    /// Further hooks, chosen by this file.
    custom_hooks: Vec<Box<dyn HookConfig>> = Chosen;
    /// What the run records into, besides the console, `log.txt` and `metrics.jsonl`. The run goes on without one that fails, unless it is `required: true`.
    sinks: Vec<Box<dyn SinkConfig>> = Chosen;
}
