//! The attribute macros of the `engine` crate, which re-exports them; use them from there.
//!
//! Each macro goes through the same stages: arguments and item are parsed, checked into a model, and expanded to
//! code that fills in constants and calls the traits of `engine::__private`. All mistakes are reported, each on the
//! smallest wrong token, and the item stays, so that an editor goes on working.
//!
//! With the environment variable `ENGINE_EXPAND=Name` the expansion of the item of that name is printed to stderr
//! when it is compiled (touch its file first).

#[macro_use]
mod words;

mod args;
mod batch;
mod component;
mod diag;
mod elsewhere;
mod experiments;
mod fallback;
mod fields;
#[cfg(test)]
mod fuzz;
mod groups;
mod hook;
mod krate;
mod manifest;
mod method;
mod passes;
mod phases;
mod priority;
mod recover;
mod settings;
mod show;
#[cfg(test)]
mod snapshot;
mod source;
mod spans;
mod suggest;
mod trainer;
mod twice;
mod verified;

use proc_macro::TokenStream;

/// Makes a struct a hook: its settings come from the experiment file, its state goes into checkpoints.
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
/// | `name = "…"` | the name in experiment files, else the struct's |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
///
/// Each field has one role: `#[config]`, `#[state]` or `#[transient]`. The arguments of `#[config]` (`default`, `range`,
/// `exists`, `example`) are in the table of [`component`](macro@component). `#[state]` and `#[transient]` fields start
/// from their `Default`. The name of a metric to watch is a `MetricName`: a file is refused when no validation produces
/// that metric, where a `String` would be a name that never comes.
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
/// A method has the name of its phase and that one signature. Helpers go into another `impl` block, so that a
/// misspelt phase is an error and not a method that nobody calls.
#[proc_macro_attribute]
pub fn phases(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(phases::expand, args, item)
}

/// Makes the methods of an `impl` block the passes of a trainer: an iter runs them in order, each with its own forward,
/// loss and optimizers. It replaces `impl Steps`.
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
/// at least one pass. All methods take the batch of the train loader: by its type, or as `&Self::Batch`. Then another method
/// names the type, or the block says it: `type Batch = Tensor;`. Helpers go into another `impl` block.
///
/// | argument of `pass` | meaning |
/// |---|---|
/// | `opt_c`, … | the optimizers that the pass steps; only their parameters take gradients in it |
/// | `times = 5` | updates in a row, 1 by default |
/// | `every = 5` | the pass takes its turn in the iters 5, 10, 15, …; by default in each |
/// | `batches = Fresh` | each update reads batches of its own: the default of the first pass |
/// | `batches = Same` | an update works on the batches that were read last in the iter: the default of the others |
///
/// An experiment file may change `times`, `every` and `batches` of each pass, and its accumulation and clipping:
/// `passes: (critic: (times: 3, clip: Norm(1.0)))`. What is logged in a pass has its name in front: `critic/loss`.
#[proc_macro_attribute]
pub fn passes(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(passes::expand, args, item)
}

/// Marks a method of a [`passes`](macro@passes) block.
#[proc_macro_attribute]
pub fn pass(_args: TokenStream, item: TokenStream) -> TokenStream {
    passes::outside(item.into()).into()
}

/// Makes a struct a component: settings that experiment files name, documented and strict about their keys.
///
/// ```text
/// #[component]                       // `Cnn` in experiments: the name without `Config`
/// pub struct CnnConfig {
///     /// Channels of the first layer.
///     #[config(default = 32, range = 1..=1024)]
///     pub width: i64,
///     pub classes: i64,              // no attribute: a file has to name it
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | none | settings that a model, a dataset or another component holds; also for an enum |
/// | `model`, `model = Cnn` | settings of a `Net` that a file can choose; the model is named without `Config`, or here |
/// | `dataset` | settings of a dataset |
/// | `optimizer`, `schedule`, `sampler` | the thing itself, chosen by a file |
/// | `loop` | a training loop of one's own, chosen by `train_loop` |
/// | `metric`, `sink` | a metric or a sink; its fields are `#[config]`, `#[state]` or `#[transient]`, as a hook's |
/// | `name = "…"` | the name in experiment files |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
///
/// A field may say more by `#[config(…)]`; so do those of hooks, metrics and trainers, which always write `#[config]`:
///
/// | argument | meaning |
/// |---|---|
/// | none | a file has to name the key; an `Option` is `None` when it does not |
/// | `default = value` | what holds when no file names the key; a text for a `String`, a `PathBuf`, a `MetricName`. A relative path is below the current folder |
/// | `default` | the same, with the `Default` of the type |
/// | `range = 1..=8` | every number of the field lies in it: of a number, a count with a clock, and of `Option`, `Vec`, arrays and pairs of them. Also `1..`, `..=8`, `0.0..1.0`; a default outside does not compile |
/// | `exists` | the paths that a file names are there when it is read: of a `PathBuf`, and of `Option` and `Vec` of it. A default is not looked for |
/// | `example = value` | what `new` writes for a key without a default |
/// | `resets_state` | the `#[state]` fields depend on it: a run that goes on with another value starts them anew |
///
/// `Clone`, `Debug`, `Serialize` and `Deserialize` are added where they are not derived (derives go below this
/// attribute). An unknown key is an error, as are `serde`'s `flatten`, `alias`, `tag` and `untagged`, which lose
/// the positions that messages show, and `default`, `rename` and `rename_all` on a struct, of which `list` and `new`
/// would not know.
#[proc_macro_attribute]
pub fn component(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(component::expand, args, item)
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
///     #[hook]          ema: Ema,                  // `hooks: (ema: …)`; an `Option` is there when the file names it
///     #[config(default = 0.1, range = 0.0..1.0)]
///     smoothing: f64,                             // `trainer: (smoothing: …)`
///     #[state]         seen: u64,                 // saved in every checkpoint
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `by_epoch`, `by_iter` | the clock on which the training is planned; one of them |
/// | `priority = "HIGH"` | of the trainer's own `#[phases]`, as for a hook |
/// | `hooks = Bundle` | a set of hooks made by `engine::hook_set!`, as libraries offer them: each stands below `hooks` in the file |
/// | `name = "…"` | the name in messages, else the struct's |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
///
/// The arguments of `#[config]` are in the table of [`component`](macro@component).
///
/// Its training step is `impl Steps`, or several under [`passes`](macro@passes).
///
/// A trainer has at least one `#[model]`, at least one `#[optimizer]` (`#[optimizer(net)]` names the models that it
/// updates, all by default) and exactly one `#[loader(train)]`; any number of `val` and `test` loaders, and at most
/// one `predict` loader and one `#[scheduler]`.
#[proc_macro_attribute]
pub fn trainer(args: TokenStream, item: TokenStream) -> TokenStream {
    show::run(trainer::expand, args, item)
}

/// Makes a struct of tensors a batch: what a step is given.
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
///     objects: Vec<usize>,   // its sum is what the batch counts in means over batches
/// }
/// ```
///
/// | at a field | meaning |
/// |---|---|
/// | none | a batch itself: a `Tensor`, a `Vec` of tensors, texts or numbers, an `Option`, a tuple, another struct that is one; one row for each sample |
/// | `shared` | a `Tensor` that all samples share: it goes to the device, and is not taken apart |
/// | `whole` | a value that all samples share, on the host; it can be cloned |
/// | `size` | this field counts the samples, else the first one that is neither `shared`, `whole` nor `weight` |
/// | `weight` | this field states the weight of the batch: a number, or a `Vec` with one for each sample |
///
/// | at the struct | meaning |
/// |---|---|
/// | `weight = Self::tokens` | a function that states the weight: `fn(&Self) -> f64` |
/// | `crate = path` | where the engine is; it is found by itself, also under another name, when `Cargo.toml` names it |
///
/// The weight is the number of samples when nothing else is said.
#[proc_macro_derive(Batch, attributes(batch))]
pub fn derive_batch(item: TokenStream) -> TokenStream {
    show::run(batch::expand, TokenStream::new(), item)
}

/// The tests of `engine::check_experiments!`, which hands over where the engine is and whose trainer is meant.
#[doc(hidden)]
#[proc_macro]
pub fn check_experiments_of(input: TokenStream) -> TokenStream {
    experiments::expand(input.into()).into()
}
