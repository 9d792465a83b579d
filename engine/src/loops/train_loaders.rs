//! The train loaders of a program. Several loaders are joined: an iter reads a batch of each.
//!
//! One of them determines the epoch, which ends with the pass of this loader. The others continue from pass to pass.
//! Each loader has its own position in its data, and a checkpoint contains all positions.

use crate::base::{Batch, Clock, Error, ErrorContext as _, Result};
use crate::data::Source;
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::share::Weighed;
use crate::loops::trainer::{Role, Trainer};

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// The train loader that makes the epoch.
    pub(super) fn epoch_loader(&mut self) -> Result<&mut dyn Source> {
        self.train_loader(self.epoch_loader)
    }

    /// Its name.
    pub(crate) fn epoch_loader_name(&self) -> &'static str {
        T::loaders(Role::Train).get(self.epoch_loader).copied().unwrap_or("train")
    }

    /// Finds out which loader makes the epoch, and how many batches its pass has.
    ///
    /// # Errors
    /// When the plan names a loader that is not there.
    pub(super) fn choose_epoch_loader(&mut self) -> Result<Option<u64>> {
        let names = T::loaders(Role::Train);
        let batches = (0..names.len()).map(|place| Ok(self.train_loader(place)?.batches()));
        let batches: Vec<Option<u64>> = batches.collect::<Result<_>>()?;
        let rule = &self.plan.train.epoch_loader;
        let place = rule.place(names, &batches).ok_or_else(|| {
            let known = names.join("`, `");
            Error::msg(format!("`epoch_loader` is {rule:?}, but the train loaders are `{known}`"))
        })?;
        self.epoch_loader = place;
        Ok(batches.get(place).copied().flatten())
    }

    /// What is to be told when another loader makes the epoch than in the run that is gone on from, in mid-epoch.
    pub(super) fn told_of_epoch_loader(&mut self, was: &str) -> Result<Option<String>> {
        self.choose_epoch_loader()?;
        let now = self.epoch_loader_name();
        let changed = self.run.clocks.batch != Batch(0) && now != was;
        Ok(changed.then(|| format!("the epoch under way ends with the pass of `{now}`; it began as one of `{was}`")))
    }

    /// A train loader by its place.
    pub(super) fn train_loader(&mut self, place: usize) -> Result<&mut dyn Source> {
        self.trainer.train_loader(place).ok_or_else(|| {
            let name = T::loaders(Role::Train).get(place).copied().unwrap_or("train");
            Error::msg(format!(
                "the trainer lists the train loader `{name}`, but its `Trainer` methods do not return it"
            ))
        })
    }

    /// The samples of a full batch of the loader that makes the epoch, of all ranks together.
    ///
    /// # Errors
    /// When it does not tell.
    pub(crate) fn batch_samples(&mut self) -> Result<u64> {
        let samples = self.epoch_loader()?.batch_samples();
        samples.ok_or_else(|| {
            let name = self.epoch_loader_name();
            Error::msg(format!("the loader `{name}` does not tell the samples of a batch (`Source::batch_samples`)"))
        })
    }

    /// Lets every train loader give the same batches again and again, as many as the plan says; the epochs keep their
    /// length. A line says which ones. To be called when the loaders are dealt.
    ///
    /// # Errors
    /// When a loader has not as many, or can't do it.
    pub(crate) fn overfit(&mut self) -> Result<Option<String>> {
        let Some(batches) = self.plan.train.overfit else { return Ok(None) };
        if T::CLOCK == Clock::Epoch && self.plan.train.batches_per_epoch.is_none() {
            self.plan.train.batches_per_epoch = self.choose_epoch_loader()?;
        }
        let names = T::loaders(Role::Train);
        for (place, name) in names.iter().enumerate() {
            let context = || format!("the loader `{name}` can't be overfitted (`train.overfit`, `--overfit`)");
            self.train_loader(place)?.repeat(batches).with_context(context)?;
        }
        let which = match batches {
            1 => "the first batch".to_owned(),
            batches => format!("the first {batches} batches"),
        };
        let names = names.join("`, `");
        Ok(Some(format!("overfit: {which} of `{names}` again and again, with the same random numbers; the plan stays")))
    }

    /// Lets every train loader that can begin to bring its next batch to the device. No loader goes on by this.
    pub(super) fn bring_batches_ahead(&mut self) -> Result<()> {
        for place in 0..T::loaders(Role::Train).len() {
            self.train_loader(place)?.bring_ahead();
        }
        Ok(())
    }

    /// The next training batch, on the host unless it was brought ahead: of several loaders a batch of each. A loader at the
    /// end of its pass begins the next one. `None` where other ranks have all samples of it.
    pub(super) fn next_train_batch(&mut self) -> Result<Option<Weighed<T::Batch>>> {
        let shared = self.run.process.world() > 1;
        for place in 0..T::loaders(Role::Train).len() {
            let loader = self.train_loader(place)?;
            loader.go_on()?;
            if shared && place == 0 {
                let samples = loader.next_samples();
                self.ranks.samples.push(samples);
            }
            let loader = self.train_loader(place)?;
            // `deal_loaders` refuses this of one of several loaders
            if shared && loader.own_samples() == Some(0) {
                loader.skip()?;
                return Ok(None);
            }
        }
        let batch = self.trainer.next_train_batch()?.ok_or_else(|| Error::msg("a train loader has no batch"))?;
        for place in 0..T::loaders(Role::Train).len() {
            if let Some(notice) = self.train_loader(place)?.notice() {
                self.run.say(&notice)?;
            }
        }
        self.run.current.loader = self.epoch_loader_name();
        self.run.current.named_loader = false;
        Weighed::of(batch).map(Some)
    }
}
