//! What the ranks tell each other of an update: whether one leaves it out, has written a buffer, was asked for something,
//! or has batches of another weight than its samples. The gradients take it along, so that it costs no message. There is a
//! message where they can't (see [`Updates::carries_note`](crate::optim::Updates::carries_note)), and where a hook or a step
//! may still ask for something when they are under way.

use crate::base::Result;
use crate::dist::Process;
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::ranks::Ranks;
use crate::loops::ranks::told::{ASKED, BUFFERS, LATE, NUMBERS, OfUpdate, SKIP, WEIGHTS};
use crate::loops::trainer::Trainer;
use crate::phase::Phase;
use crate::run::{RunState, Shares};

const DOING: &str = "the agreement on an update";

impl Ranks {
    /// To be called before the first batch of an update, with the weights of the batches that this rank has.
    ///
    /// # Errors
    /// When a rank is gone.
    pub(in crate::loops) fn begin_update(
        &mut self,
        run: &mut RunState,
        pass: usize,
        states_weight: bool,
        own: impl Iterator<Item = f64> + Clone,
    ) -> Result<()> {
        let known: Option<Vec<u64>> = match &run.process {
            Process::Group(_) if !states_weight && run.updates.carries_note(pass) => {
                self.samples.iter().copied().collect()
            }
            _ => None,
        };
        self.update = OfUpdate { weight: own.clone().sum(), ..OfUpdate::default() };
        let Some(samples) = known else {
            run.step.shares = Shares::begin(&run.process, own)?;
            return self.tell_that_more_follows(run, pass);
        };
        let (shares, foreseen) = Shares::foreseen(&samples, run.process.rank(), run.process.world(), own);
        run.step.shares = shares;
        self.update.foreseen = Some(foreseen);
        self.tell_that_more_follows(run, pass)
    }

    /// What the gradients take along when they leave before all is known, as in a step that goes backward itself.
    fn tell_that_more_follows(&self, run: &RunState, pass: usize) -> Result<()> {
        if run.updates.carries_note(pass) {
            let mut numbers = [0.0; NUMBERS];
            numbers[LATE] = 1.0;
            numbers[WEIGHTS] = self.update.weighs_otherwise();
            run.updates.tell(pass, &numbers)?;
        }
        Ok(())
    }
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Says that the first hooks, so many, are the engine's own: they never ask for an update to be left out, and what
    /// they ask for after one is the same on all ranks.
    pub(crate) fn set_own_hooks(&mut self, count: usize) {
        self.ranks.own_hooks = count;
    }

    /// Finds out what may be asked when gradients are under way already.
    pub(super) fn see_who_asks_late(&mut self) {
        let skips = [Phase::AfterBackward, Phase::AfterTrainBatch, Phase::BeforeOptimizerStep];
        let asks = [Phase::AfterOptimizerStep, Phase::AfterTrainIter];
        let own = self.ranks.own_hooks;
        let of_program = |phases: &[Phase]| {
            let mut hooks = phases.iter().flat_map(|phase| self.hooks.plan(*phase));
            hooks.any(|hook| hook.slot >= own && !hook.asks_nothing)
        };
        let skips_late = self.processor.is_some() || of_program(&skips);
        self.ranks.hook_asks_late = skips_late || of_program(&asks);
        self.ranks.skips_late = skips_late;
    }

    /// To be called before the backward of each batch. Before that of the last one of an update the other ranks are told
    /// of it, unless more may be asked.
    pub(in crate::loops) fn tell_of_update(&mut self, pass: usize) -> Result<()> {
        let ranks = &self.ranks;
        let is_told = ranks.update.is_told || ranks.update.under_way.is_some();
        if !self.is_in_group() || !ranks.in_last_batch || ranks.skips_late || is_told {
            return Ok(());
        }
        let numbers = self.numbers_of_update();
        match self.run.updates.carries_note(pass) {
            true => self.ranks.update.is_told = self.run.updates.tell(pass, &numbers)?,
            false => self.send(&numbers)?,
        }
        Ok(())
    }

    fn send(&mut self, numbers: &[f64]) -> Result<()> {
        if let Process::Group(group) = &self.run.process {
            self.ranks.update.under_way = Some(group.begin_numbers(DOING, numbers)?);
        }
        Ok(())
    }

    /// What this rank has to tell.
    fn numbers_of_update(&mut self) -> [f64; NUMBERS] {
        let skip = self.run.requests.skip_update.take();
        if !self.ranks.asks_late() {
            let asked = self.asked();
            self.ranks.hold(asked);
        }
        let ranks = &mut self.ranks;
        ranks.update.skip = ranks.update.skip.take().or(skip);
        let changed = ranks.buffers.as_ref().is_some_and(|buffers| buffers.tensors.version() != buffers.shared_at);
        let mut numbers = [0.0; NUMBERS];
        let flag = |told: bool| f64::from(u8::from(told));
        numbers[SKIP] = flag(ranks.update.skip.is_some());
        numbers[BUFFERS] = flag(changed);
        numbers[ASKED] = flag(!ranks.asks_late() && !ranks.held.is_nothing());
        numbers[WEIGHTS] = ranks.update.weighs_otherwise();
        numbers
    }

    /// To be called when the gradients of an update are those of all ranks: hears what came with them. Where batches of a rank
    /// weigh something else than their samples, the gradients become the means that they are meant to be.
    ///
    /// # Errors
    /// When a rank is gone.
    pub(in crate::loops) fn hear_of_update(&mut self, pass: usize) -> Result<()> {
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let update = &mut self.ranks.update;
        update.heard = self.run.updates.told(pass)?;
        let Some(foreseen) = update.foreseen.filter(|_| update.heard.get(WEIGHTS).is_some_and(|told| *told > 0.0))
        else {
            return Ok(());
        };
        let weights = group.begin_numbers("the weighing of batches", &[update.weight])?.wait(group)?;
        match weights.iter().sum::<f64>() {
            // the gradients are zero
            0.0 => Ok(()),
            total => self.run.updates.multiply_gradients(pass, foreseen.total / total),
        }
    }

    /// Whether the coming update is left out, which all ranks do when one is asked to: why.
    ///
    /// # Errors
    /// When a rank is gone.
    pub(crate) fn agree_on_skip(&mut self) -> Result<Option<String>> {
        if let Process::Alone = self.run.process {
            return Ok(self.run.requests.skip_update.take());
        }
        let heard = std::mem::take(&mut self.ranks.update.heard);
        let told = match heard.get(LATE) {
            Some(0.0) => heard,
            _ => {
                if self.ranks.update.under_way.is_none() {
                    let numbers = self.numbers_of_update();
                    self.send(&numbers)?;
                }
                let (Process::Group(group), Some(sent)) = (&self.run.process, self.ranks.update.under_way.take())
                else {
                    return Ok(None);
                };
                sent.wait(group)?
            }
        };
        let any = |number: usize| told.chunks_exact(NUMBERS).any(|rank| rank[number] > 0.0);
        if let Some(buffers) = &mut self.ranks.buffers {
            buffers.changed |= any(BUFFERS);
        }
        self.ranks.is_asked |= any(ASKED);
        let own = self.ranks.update.skip.take();
        let Process::Group(group) = &self.run.process else { return Ok(None) };
        if !any(SKIP) {
            return Ok(None);
        }
        let reasons = group.gather(DOING, own.unwrap_or_default().as_bytes())?;
        let first = reasons.iter().enumerate().find(|(_, reason)| !reason.is_empty());
        Ok(Some(match first {
            Some((rank, reason)) => format!("{} (rank {rank})", String::from_utf8_lossy(reason)),
            None => "no reason was given".to_owned(),
        }))
    }
}
