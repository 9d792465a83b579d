//! What val, test and predict have in common: each loader of a role in turn, in one pass from its first sample on, each
//! batch through the step of that loader, without gradients.

use crate::base::{Error, Result};
use crate::data::Cursor;
use crate::hook::EngineHooks;
use crate::loops::fed::{BatchRead, FedStep};
use crate::loops::program::Program;
use crate::loops::ranks::Agree;
use crate::loops::trainer::{Role, Trainer};
use crate::model::ModelEntry;
use crate::phase::At;
use crate::random;
use crate::record::Progress;
use crate::run::{Command, EvalWeights, Generators};

/// What differs between val, test and predict.
pub(super) trait Stage<T: Trainer> {
    const ROLE: Role;
    /// The step's name.
    const STEP: &'static str;
    /// What the step says of a batch.
    type Answer;
    type Before: At;
    type BeforeIter: At;
    type AfterIter: At;
    type After: At;

    /// The loader at this place, with its step.
    fn loader(index: usize) -> Option<Box<dyn FedStep<T, Self::Answer>>>;
}

/// What becomes of an answer, within the phases of its batch; `None`, outside of them, where other ranks have all samples of
/// the batch.
type Take<'a, D, T, A> = dyn FnMut(&mut Program<D, T>, Option<A>) -> Result<()> + 'a;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Calls `evaluate` for every loader of the role, between the phases of the stage. A signal ends it before the next
    /// loader.
    pub(super) fn each_loader<S: Stage<T>>(
        &mut self,
        mut evaluate: impl FnMut(&mut Self, usize, &'static str) -> Result<()>,
    ) -> Result<()> {
        self.in_evaluation_mode(S::ROLE, |program| {
            program.within::<S::Before, S::After>(|program| {
                program.tell_of_other_weights()?;
                for (place, loader) in program.loaders.clone().of(S::ROLE) {
                    if program.decide_on_signal(Agree::Now)? {
                        break;
                    }
                    program.begin_loader(S::ROLE, loader)?;
                    let result = evaluate(program, place, loader);
                    program.run.current.evaluated = None;
                    result?;
                }
                Ok(())
            })
        })
    }

    /// Says which hook's weights an evaluation alone uses, where the checkpoint has not said it.
    fn tell_of_other_weights(&mut self) -> Result<()> {
        if self.run.current.command == Command::Train || self.run.current.has_told_weights {
            return Ok(());
        }
        let by = self.run.models.iter().find_map(|model| model.works_with().map(str::to_owned));
        by.map_or(Ok(()), |by| self.run.say(&format!("weights: those of the hook `{by}`")))
    }

    /// One pass over a loader; `take` gets what the step says of each batch. False when a signal has ended it.
    pub(super) fn pass_over<S: Stage<T>>(
        &mut self,
        index: usize,
        take: &mut Take<'_, D, T, S::Answer>,
    ) -> Result<bool> {
        let mut fed = S::loader(index).ok_or_else(|| {
            let name = T::loaders(S::ROLE).get(index).copied().unwrap_or_default();
            Error::msg(format!("the trainer lists the loader `{name}`, but its `Trainer` methods do not return it"))
        })?;
        let (rank, world) = (self.run.process.rank(), self.run.process.world());
        let loader = fed.loader(&mut self.trainer)?;
        loader.deal(rank, world)?;
        let limit = self.plan.evaluate_at_most;
        let total = loader.batches().map(|batches| limit.map_or(batches, |limit| batches.min(limit)));
        if total.is_none() {
            let (role, name) = (S::ROLE.name(), self.run.current.loader);
            let text = format!(
                "the {role} loader `{name}` never ends; use a sampler other than `Infinite`, or for a stream set its `samples`"
            );
            return Err(Error::msg(text));
        }
        loader.start(Cursor::default())?;
        self.share_buffers()?;
        loop {
            let loader = fed.loader(&mut self.trainer)?;
            if world > 1 && loader.own_samples() == Some(0) && loader.batches_left() != Some(0) {
                // other ranks have all samples of this batch
                loader.skip()?;
                take(self, None)?;
            } else {
                let Some(BatchRead { size, weight }) = fed.read(&mut self.trainer, &self.run)? else { break };
                let loader = fed.loader(&mut self.trainer)?;
                loader.bring_ahead();
                if let Some(notice) = loader.notice() {
                    self.run.say(&notice)?;
                }
                self.run.step.batch_size = size;
                self.run.step.batch_weight = weight;
                self.run.step.output = None;
                self.within::<S::BeforeIter, S::AfterIter>(|program| {
                    let answer = program.step(S::STEP, |trainer, cx| fed.step(trainer, cx))?;
                    take(program, Some(answer))
                })?;
                self.run.step.output = None;
                self.run.step.endpoints.clear();
            }
            self.run.current.evaluated = self.run.current.evaluated.map(|batches| batches + 1);
            let done = self.run.current.evaluated.unwrap_or_default();
            self.run.seen.sinks.progress(Progress { what: S::ROLE.name(), done, total })?;
            if self.decide_on_signal(Agree::Ahead)? {
                return Ok(false);
            }
            if limit.is_some_and(|limit| done >= limit) {
                // what the workers have read ahead would stay in memory until the next evaluation
                fed.loader(&mut self.trainer)?.stop();
                break;
            }
        }
        // a signal in the last batch, of which not all ranks know yet
        Ok(!self.is_in_group() || !self.decide_on_signal(Agree::Now)?)
    }

    /// Runs `body` without gradients, with models and steps in the mode for evaluation, and with random numbers of its
    /// own. The modes are restored, and libtorch's generators go on as if nothing had been drawn.
    ///
    /// It costs a copy of each generator's state, 5 KiB for the CPU's and 16 bytes for that of a CUDA device, which is on
    /// the host: the device is not read.
    pub(super) fn in_evaluation_mode<R>(&mut self, role: Role, body: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        let generators = Generators::of(self.run.device)?;
        self.seed_evaluation(role.name())?;
        let modes: Vec<bool> = self.run.models.iter().map(ModelEntry::is_training).collect();
        let training = self.run.step.training;
        self.set_training(false);
        let keep_own = self.run.eval_weights == EvalWeights::Trained;
        self.run.models.iter_mut().for_each(|model| model.set_keeps_own(keep_own));
        let result = tch::no_grad(|| body(self));
        self.run.models.iter_mut().for_each(|model| model.set_keeps_own(false));
        self.run.step.training = training;
        self.run.models.iter_mut().zip(modes).for_each(|(model, mode)| model.set_training(mode));
        let put_back = generators.put_back();
        let value = result?;
        put_back?;
        Ok(value)
    }

    /// Puts libtorch's generators to where the evaluation of this loader at this iter always begins, on this rank.
    fn seed_evaluation(&self, loader: &str) -> Result<()> {
        let tag = random::tag_of(loader).wrapping_add(self.run.process.rank() as u64);
        let seed = random::derive(self.run.seed, "evaluation", self.run.clocks.iter.get(), tag);
        Generators::seed(self.run.device, seed)
    }

    pub(super) fn begin_loader(&mut self, role: Role, loader: &'static str) -> Result<()> {
        self.run.current.loader = loader;
        self.run.current.named_loader = self.loaders.are_named(role);
        self.run.step.batch_size = 0;
        self.run.step.batch_weight = 1.0;
        self.run.seen.results.current.clear();
        self.run.current.evaluated = Some(0);
        // whatever the loaders before it have drawn
        self.seed_evaluation(loader)
    }
}
