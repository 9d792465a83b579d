//! Generic hooks, and the types that a program makes of them.

use engine::config::SettingsOf;
use engine::hook::HookConfig;
use engine::prelude::*;
use std::fmt::Debug;
use std::marker::PhantomData;

/// What can be kept.
pub trait Number: Debug + Copy + Default + engine::base::Saved + 'static {
    /// What it is called.
    const NAME: &'static str;
    /// From a loss.
    fn of(loss: f64) -> Self;
}

impl Number for f32 {
    const NAME: &'static str = "f32";
    fn of(loss: f64) -> Self {
        loss as f32
    }
}

impl Number for f64 {
    const NAME: &'static str = "f64";
    fn of(loss: f64) -> Self {
        loss
    }
}

// case: settings of a plain type, state and scratch of a parameter
/// Keeps the largest losses.
#[hook(priority = "LOW")]
pub struct Worst<T: Number> {
    /// How many are kept.
    #[config(default = 8, range = 1..=100)]
    keep: usize,
    #[state]
    seen: Vec<T>,
    #[transient]
    last: Option<T>,
}

#[phases]
impl<T: Number> Worst<T> {
    fn after_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.last = Some(T::of(1.0));
        self.seen.extend(self.last);
        self.seen.truncate(self.keep);
        Ok(())
    }
}

engine::register!(hook Worst<f32>);
// case: a second type, by a name of its own
engine::register!(hook Worst<f64>, name = "WorstInDouble");

// case: a setting of a parameter, a `where`, a constant as a parameter
/// Stops at a limit.
#[hook]
pub struct Limit<N, const PATIENCE: usize>
where
    N: Number,
{
    /// The limit.
    #[config]
    at: N,
    #[config(default)]
    first: N,
    #[config]
    other: Option<N>,
    #[state]
    count: u64,
}

#[phases]
impl<N, const PATIENCE: usize> Limit<N, PATIENCE>
where
    N: Number,
{
    #[only_ok]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.count += 1;
        cx.say(&format!("{:?} {:?} {:?} of {PATIENCE}", self.at, self.first, self.other))
    }
}

type PatientLimit = Limit<f64, 3>;
engine::register!(hook Limit<f64, 3>);

// case: a parameter that no field holds
/// Says the name of a type.
#[hook]
struct Named<T: Number> {
    #[transient]
    of: PhantomData<T>,
}

#[phases]
impl<T: Number> Named<T> {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let _ = self.of;
        cx.say(T::NAME)
    }
}

engine::register!(hook Named<f32>);

// case: settings in Rust
/// The settings of two hooks.
pub fn settings() -> Vec<Box<dyn HookConfig>> {
    let mut worst = SettingsOf::<Worst<f32>>::new();
    worst.keep = 3;
    let limit = SettingsOf::<PatientLimit> { first: 2.0, ..SettingsOf::<PatientLimit>::new(1.0) };
    vec![Box::new(worst), Box::new(limit)]
}
