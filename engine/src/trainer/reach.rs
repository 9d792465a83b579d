//! How the loops and the dispatcher reach the fields of a trainer, through their markers.

use crate::base::{Output, Prediction, Result};
use crate::data::{BatchSource, Source};
use crate::hook::{EachState, HookField, Phases, SlotInfo};
use crate::loops::{EachMetric, FedStep, Role, Trainer, TrainerInfo, fed};
use crate::phase::Phase;
use crate::run::Context;
use crate::trainer::Fields;
use crate::trainer::fields::LoaderField;
use crate::trainer::parts::{Live, Part, PartOf, Reached};

#[diagnostic::do_not_recommend]
impl<T: Fields> Trainer for T {
    const INFO: TrainerInfo = T::TRAINER;

    fn train_loader(&mut self, place: usize) -> Option<&mut dyn Source> {
        let name = *Self::loaders(Role::Train).get(place)?;
        let of_name = |part: &&PartOf<T>| part.part.info.name == name;
        match (T::PARTS.iter().find(of_name)?.live)(self) {
            Live::Loader(loader) => loader,
            _ => None,
        }
    }

    fn next_train_batch(&mut self) -> Result<Option<Self::Batch>> {
        Fields::next_train_batch(self)
    }

    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        Fields::train_step(self, batch, cx)
    }

    fn evaluated(role: Role, place: usize) -> Option<Box<dyn FedStep<Self, Output>>> {
        <T as Fields>::evaluated(role, place)
    }

    fn predicted() -> Option<Box<dyn FedStep<Self, Prediction>>> {
        <T as Fields>::predicted()
    }

    fn absent_loaders(&mut self) -> Vec<&'static str> {
        let absent = T::PARTS.iter().filter(|field| matches!((field.live)(self), Live::Loader(None)));
        absent.map(|field| field.part.info.name).collect()
    }

    fn metrics(&mut self, each: &mut EachMetric<'_>) -> Result<()> {
        T::PARTS.iter().try_for_each(|PartOf { part, live }| match live(self) {
            Live::Metric(metric) => each(part.info.name, metric),
            _ => Ok(()),
        })
    }

    fn states(&mut self, each: &mut EachState<'_>) -> Result<()> {
        T::PARTS.iter().try_for_each(|PartOf { part, live }| match live(self) {
            Live::Hook(Some(hook)) => each(part.info.path, hook),
            Live::Metric(metric) => each(part.info.path, metric),
            _ => Ok(()),
        })?;
        each("trainer", self)
    }
}

/// A val or test loader with its step.
pub type Evaluated<T> = Option<Box<dyn FedStep<T, Output>>>;

/// The predict loader with its step.
pub type Predicted<T> = Option<Box<dyn FedStep<T, Prediction>>>;

/// The batches of a loader's field.
pub type BatchesOf<P> = <<P as Part>::Field as LoaderField>::Batch;

/// The next batch of a loader's field.
///
/// # Errors
/// What went wrong with a sample.
pub fn next_batch<P: Reached<Field: LoaderField>>(owner: &mut P::Owner) -> Result<Option<BatchesOf<P>>> {
    match P::of(owner).source() {
        Some(loader) => loader.next_batch(),
        None => Ok(None),
    }
}

/// A loader's field and the step that it feeds.
pub fn feed<P: Reached<Field: LoaderField>, A: 'static>(
    step: fn(&mut P::Owner, &BatchesOf<P>, &mut Context<'_>) -> Result<A>,
) -> Option<Box<dyn FedStep<P::Owner, A>>> {
    Some(fed(source::<P>, step))
}

fn source<P: Reached<Field: LoaderField>>(owner: &mut P::Owner) -> Option<&mut dyn BatchSource<BatchesOf<P>>> {
    P::of(owner).source()
}

/// The slot of a hook's field.
pub const fn slot_of<P: Part<Field: HookField>>() -> SlotInfo {
    SlotInfo::of::<P::Field>(P::INFO.name)
}

/// Calls the hook of a field, when it is there.
///
/// # Errors
/// What the hook returned.
#[inline(always)]
pub fn call_field<P: Reached<Field: HookField>>(
    owner: &mut P::Owner,
    phase: Phase,
    cx: &mut Context<'_>,
) -> Result<()> {
    match P::of(owner).hook_mut() {
        Some(hook) => Phases::call(hook, phase, cx),
        None => Ok(()),
    }
}
