//! The attribute macros of the `engine` crate, which re-exports them; use them from there.
//!
//! All macros have the same stages: arguments and item are parsed, checked, and expanded to code that defines
//! constants and calls the traits of `engine::__private`. All mistakes are reported, each at the smallest wrong token,
//! and the item is kept, so that editors continue to work.
//!
//! With the environment variable `ENGINE_EXPAND=Name` the expansion of the item of that name is printed to stderr
//! when it is compiled (touch its file first).

#[macro_use]
mod words;

mod args;
mod around;
mod batch;
mod chosen;
mod component;
mod demands;
mod diag;
mod elsewhere;
mod experiment;
mod experiments;
mod fallback;
mod fields;
mod functions;
#[cfg(test)]
mod fuzz;
mod groups;
mod hook;
mod krate;
mod manifest;
mod method;
mod params;
mod passes;
mod phases;
mod priority;
mod recover;
mod refuse;
mod register;
mod ron;
mod schedule;
mod settings;
mod show;
#[cfg(test)]
mod snapshot;
mod source;
mod spans;
mod state;
mod stubs;
mod suggest;
mod trainer;
mod trainer_and_files;
mod twice;
mod verified;

use proc_macro::TokenStream;

/// Makes a struct a hook. Its settings come from the experiment file, and its state is saved in checkpoints.
///
/// ```text
/// #[hook(priority = "LOW")]
/// pub struct WorstCases {
///     /// How many are kept.
///     #[config(default = 8, range = 1..=100)]
///     keep: usize,              // from the experiment file: `worst: (keep: 20)`
///     #[state]
///     seen: Vec<f64>,           // saved in every checkpoint
///     #[transient]
///     scratch: Option<Tensor>,  // rebuilt, never saved
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `priority = "HIGH"` | `HIGHEST`, `HIGHER`, `HIGH`, `NORMAL` (default), `LOW`, `LOWER`, `LOWEST` or 0 to 100; lower numbers run first |
/// | `name = "…"` | the name in experiment files; by default the name of the struct |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
///
/// Each field has one role: `#[config]`, `#[state]` or `#[transient]`. The arguments of `#[config]` (`default`,
/// `range`, `exists`, `example`) are in the table of [`component`](macro@component). `#[state]` and `#[transient]`
/// fields start from their `Default`. For the name of a metric to watch use the type `MetricName`: then a file is
/// refused when no validation produces the metric. A `String` is not checked.
///
/// The phases of the hook are the methods of its `#[phases]` block.
#[proc_macro_attribute]
pub fn hook(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(hook::expand, args, item)
}

/// Makes the methods of an `impl` block the phases of a hook or a trainer.
///
/// ```text
/// #[phases]
/// impl WorstCases {
///     fn after_val_iter(&mut self, cx: &mut Context<'_>) -> Result<()> { … }
///     fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> { … }
/// }
/// ```
///
/// Each method has the name of its phase and the signature shown above. Helpers go into another `impl` block, so that
/// a misspelt phase is an error and not a method that is never called.
#[proc_macro_attribute]
pub fn phases(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(phases::expand, args, item)
}

/// What is written by mistake for [`phases`](macro@phases).
#[doc(hidden)]
#[proc_macro_attribute]
pub fn phase(args: TokenStream, item: TokenStream) -> TokenStream {
    phases::misspelt(args.into(), item.into()).into()
}

/// What is written by mistake for [`hook`](macro@hook).
#[doc(hidden)]
#[proc_macro_derive(Hook, attributes(config, state, transient))]
pub fn derive_hook(item: TokenStream) -> TokenStream {
    hook::derived(item.into()).into()
}

/// What is written by mistake for [`trainer`](macro@trainer).
#[doc(hidden)]
#[proc_macro_derive(Trainer, attributes(model, optimizer, scheduler, loader, metric, hook, config, state, transient))]
pub fn derive_trainer(item: TokenStream) -> TokenStream {
    trainer::derived(item.into()).into()
}

/// What is written by mistake for [`component`](macro@component).
#[doc(hidden)]
#[proc_macro_derive(Component, attributes(config, state, transient))]
pub fn derive_component(item: TokenStream) -> TokenStream {
    component::derived("Component", item.into()).into()
}

/// What is written by mistake for [`component`](macro@component).
#[doc(hidden)]
#[proc_macro_derive(Config, attributes(config, state, transient))]
pub fn derive_config(item: TokenStream) -> TokenStream {
    component::derived("Config", item.into()).into()
}

/// Makes the methods of an `impl` block the passes of a trainer: an iter runs them in order, each with its own forward
/// pass, loss and optimizers. It replaces `impl Steps`.
///
/// ```text
/// #[passes]
/// impl Gan {
///     #[pass(opt_c, times = 5)]
///     fn critic(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> { … }
///     #[pass(opt_g)]
///     fn generator(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> { … }
/// }
/// ```
///
/// Each method is marked `#[pass(…)]` with the names of the `#[optimizer]` fields that it steps; every optimizer is in
/// at least one pass. All methods have the batch of the train loader as argument: written as its type, or as
/// `&Self::Batch`. At least one method must write the type, or the block must contain `type Batch = Tensor;`. Helpers
/// go into another `impl` block.
///
/// | argument of `pass` | meaning |
/// |---|---|
/// | `opt_c`, … | the optimizers that the pass steps; only their parameters get gradients in the pass |
/// | `times = 5` | updates in a row; by default 1 |
/// | `every = 5` | the pass runs only in the iters 5, 10, 15, …; by default in every iter |
/// | `batches = Fresh` | each update reads new batches: the default of the first pass |
/// | `batches = Same` | an update uses the batches that were last read in the iter: the default of the other passes |
///
/// An experiment file may change `times`, `every` and `batches` of each pass, and its accumulation and clipping:
/// `passes: (critic: (times: 3, clip: Norm(1.0)))`. Names that are logged in a pass begin with its name:
/// `critic/loss`.
#[proc_macro_attribute]
pub fn passes(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(passes::expand, args, item)
}

/// Marks a method of a [`passes`](macro@passes) block.
#[proc_macro_attribute]
pub fn pass(_args: TokenStream, item: TokenStream) -> TokenStream {
    passes::outside(item.into()).into()
}

/// Marks a phase of a [`phases`](macro@phases) block that closes another one: it is not called on the way out of a run that
/// does not end well.
#[proc_macro_attribute]
pub fn only_ok(_args: TokenStream, item: TokenStream) -> TokenStream {
    phases::only_ok_outside(item.into()).into()
}

/// Makes a struct a component: settings that experiment files name, documented and strict about their keys.
///
/// ```text
/// #[component]                       // `Cnn` in experiments: the name without `Config`
/// pub struct CnnConfig {
///     /// Channels of the first layer.
///     #[config(default = 32, range = 1..=1024)]
///     pub width: i64,
///     pub classes: i64,              // no attribute: a file must name it
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | none | settings of a model, or a part of other settings; also for an enum |
/// | `model`, `model = Cnn` | settings of a `Net` that a file can choose; the model has the struct's name without `Config`, or the given name |
/// | `dataset` | settings of a dataset |
/// | `optimizer`, `schedule`, `sampler` | an optimizer, a schedule or a sampler that a file can choose |
/// | `loop` | a training loop that a file can choose with `train_loop` |
/// | `step` | a step processor that a file can choose with `step_processor` |
/// | `metric`, `sink` | a metric or a sink; its fields are `#[config]`, `#[state]` or `#[transient]`, like those of a hook |
/// | `name = "…"` | the name in experiment files |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
///
/// A field can have arguments in `#[config(…)]`. These are the same for hooks, metrics and trainers, where the
/// attribute `#[config]` is always required:
///
/// | argument | meaning |
/// |---|---|
/// | none | a file must name the key; an `Option` is `None` when the file does not name it |
/// | `default = value` | the value when no file names the key; a text for a `String`, a `PathBuf`, a `MetricName`. A relative path is relative to the current folder |
/// | `default` | the same, with the `Default` of the type |
/// | `range = 1..=8` | every number of the field must be in the range. For numbers, counts with a clock, and `Option`, `Vec`, arrays and pairs of them. Also `1..`, `..=8`, `0.0..1.0`; a default outside the range does not compile |
/// | `exists` | the paths that a file names must exist when it is read. For `PathBuf`, and `Option` and `Vec` of it. A default is not checked |
/// | `example = value` | the value that `new` writes for a key without a default |
/// | `scheduled` | for an `f64` of a hook, a metric or a trainer: a schedule can change it during a training, `Cosine(setting: "hooks.ema.decay")` |
/// | `resets_state` | the `#[state]` fields depend on it: when a run is resumed with another value, they are reset to their `Default` |
///
/// `Clone`, `Debug`, `Serialize` and `Deserialize` are added when they are not derived (derives go below this
/// attribute). An unknown key is an error. So are `flatten`, `alias`, `tag` and `untagged` of `serde`, because
/// messages would lose their positions, and `default`, `rename` and `rename_all` on a struct, because `list` and `new`
/// would not know them.
#[proc_macro_attribute]
pub fn component(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(component::expand, args, item)
}

/// Makes a function a schedule that experiment files name.
///
/// ```text
/// /// Half of it every ten counts.
/// #[schedule]                         // `schedule: [SlowStart(by: Epoch, begin: 2)]` in experiments
/// fn slow_start(position: WindowPosition) -> f64 {
///     0.5f64.powf((position.at / 10) as f64)
/// }
/// ```
///
/// The function gets the position within the window of the schedule and returns the factor that the initial value is
/// multiplied by. It is a pure function: for the same position it returns the same factor, in a resumed run too. The file
/// sets the fields of the window: `by`, `begin`, `end`, `setting` and `groups`. A schedule with settings of its own is a struct
/// under [`component(schedule)`](macro@component).
///
/// | argument | meaning |
/// |---|---|
/// | `name = "…"` | the name in experiment files; by default the name of the function in camel case: `SlowStart` for `slow_start` |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
#[proc_macro_attribute]
pub fn schedule(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(schedule::expand, args, item)
}

/// Makes a struct a trainer: its fields are read from an experiment, built, trained, evaluated and saved.
///
/// ```text
/// #[trainer(by_epoch)]
/// pub struct Digits {
///     #[model]         net: Cnn,                  // `model: Cnn(…)`; with several, `model: (net: …, disc: …)`
///     #[optimizer]     opt: Box<dyn Optimizer>,   // chosen by the file; a concrete type fixes it here
///     #[scheduler]     schedule: Schedules,
///     #[loader(train)] train: Loader<DigitsSet>,  // `loaders: (train: …, val: …)`
///     #[loader(val)]   val: Loader<DigitsSet>,
///     #[metric]        accuracy: Accuracy,
///     #[hook]          ema: Ema,                  // `hooks: (ema: …)`; an `Option` is built when the file names it
///     #[config(default = 0.1, range = 0.0..1.0)]
///     smoothing: f64,                             // `trainer: (smoothing: …)`
///     #[state]         seen: u64,                 // saved in every checkpoint
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `by_epoch`, `by_iter` | the clock on which the training is planned; exactly one of them is required |
/// | `priority = "HIGH"` | the level of the trainer's own `#[phases]`, as for a hook |
/// | `hooks = Bundle` | a set of hooks made by `engine::hook_set!`, for example by a library: the file sets each of them below `hooks` |
/// | `name = "…"` | the name in messages; by default the name of the struct |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
///
/// The arguments of `#[config]` are in the table of [`component`](macro@component).
///
/// Its training step is `impl Steps`, or several under [`passes`](macro@passes).
///
/// A trainer has at least one `#[model]`, at least one `#[optimizer]` (`#[optimizer(net)]` names the models that it
/// updates; by default all of them) and one to eight `#[loader(train)]`. It can have any number of `val` and `test`
/// loaders, and at most one `predict` loader and one `#[scheduler]`.
#[proc_macro_attribute]
pub fn trainer(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(trainer::expand, args, item)
}

/// Makes a struct of tensors a batch, the input of a step.
///
/// ```text
/// #[derive(Batch)]
/// pub struct Scenes {
///     images: Tensor,        // [n, 3, h, w]: the first field counts the samples
///     boxes: Vec<Tensor>,    // n times [objects, 4]
///     #[batch(shared)]
///     anchors: Tensor,       // for all samples
///     #[batch(whole)]
///     folder: PathBuf,       // stays on the host, for all samples
///     #[batch(weight)]
///     objects: Vec<usize>,   // its sum is the weight of the batch in means over batches
/// }
/// ```
///
/// | at a field | meaning |
/// |---|---|
/// | none | a part that is itself a batch, with one row for each sample: a `Tensor`, a `Vec` of tensors, texts or numbers, an `Option`, a tuple, another struct under this derive |
/// | `shared` | a `Tensor` that all samples share: it is moved to the device, and is not split |
/// | `whole` | a value on the host that all samples share; its type must be `Clone` |
/// | `size` | the number of rows of this field is the number of samples; by default the first field without `shared`, `whole` or `weight` is used |
/// | `weight` | this field is the weight of the batch: a number, or a `Vec` with one number for each sample |
///
/// | at the struct | meaning |
/// |---|---|
/// | `weight = Self::tokens` | a function that returns the weight: `fn(&Self) -> f64` |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
///
/// By default the weight is the number of samples.
#[proc_macro_derive(Batch, attributes(batch, shared, whole, size, weight))]
pub fn derive_batch(item: TokenStream) -> TokenStream {
    show::run(batch::expand, TokenStream::new(), item)
}

/// An error at these tokens: `"what to do", tokens`. The engine's own `macro_rules!` can only point at the whole call.
#[doc(hidden)]
#[proc_macro]
pub fn refuse(input: TokenStream) -> TokenStream {
    refuse::expand(input.into()).into()
}

/// The tests of `engine::check_experiments!`, which hands over where the engine is and whose trainer is meant.
#[doc(hidden)]
#[proc_macro]
pub fn check_experiments_of(input: TokenStream) -> TokenStream {
    experiments::expand(input.into()).into()
}

/// The checks of `engine::experiment!`, which hands over where the engine is and whose trainer is meant.
#[doc(hidden)]
#[proc_macro]
pub fn experiment_of(input: TokenStream) -> TokenStream {
    experiment::expand(input.into()).into()
}

/// Registers a type that the program makes of a generic component, so that experiment files can name it.
///
/// ```text
/// engine::register!(hook Worst<f32>);
/// engine::register!(hook Worst<f64>, name = "WorstInDouble");
/// ```
/// The first word is the kind, as `list` prints it: `hook`, `metric`, `sink`, `model`, `dataset`, `optimizer`, `schedule`,
/// `sampler`, `loop` or `settings`. By default the name in files is the name of the type, without `Config` as
/// in [`component`](macro@component); `name = "…"` sets another. Two types of one generic component need two names.
///
/// A hook, a metric, a sink, an optimizer, and what else a file chooses has to be registered before it can be used. For a
/// dataset and for settings, the call adds them to `list`. Call it in the crate that defines the generic component.
#[proc_macro]
pub fn register(input: TokenStream) -> TokenStream {
    register::expand(input.into()).into()
}
