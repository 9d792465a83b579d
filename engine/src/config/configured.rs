//! The settings of hooks, metrics and sinks as types, for experiments that are written in Rust.

/// A struct under `#[hook]`, `#[component(metric)]` or `#[component(sink)]`, whose settings are a struct of their own. The
/// attribute writes both.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no settings of its own",
    label = "not a hook, a metric or a sink",
    note = "this is for structs under `#[hook]`, `#[component(metric)]` and `#[component(sink)]`; any other component is its settings itself"
)]
pub trait Configured {
    /// Its `#[config]` fields, which are public here; of a hook `level` too, of a sink `required`.
    type Settings;
}

/// The settings of a hook, a metric or a sink: [`Configured`].
///
/// `new` takes the settings that have no default, in the order of the fields. Where all have one, there is `Default` too.
///
/// ```
/// use engine::config::SettingsOf;
/// use engine::hook::HookConfig;
/// use engine::prelude::*;
///
/// let mut early = SettingsOf::<EarlyStopping>::new("val/accuracy".into());
/// early.patience = 3;
/// let ema = SettingsOf::<Ema> { decay: 0.98, ..Default::default() };
/// let chosen: Vec<Box<dyn HookConfig>> = vec![Box::new(early), Box::new(ema)];
///
/// // `Experiment::builder(..).set("custom_hooks", &chosen)` takes them as a file would name them
/// let written = engine::config::print_line(&engine::config::to_node(&chosen)?);
/// assert!(written.starts_with("[EarlyStopping(monitor: \"val/accuracy\", patience: 3, "), "{written}");
/// # Ok::<(), Error>(())
/// ```
pub type SettingsOf<C> = <C as Configured>::Settings;
