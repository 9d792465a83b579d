//! Agreement on requests: what only some ranks were asked, all do, at the same safe point.

use crate::base::{Iter, Result};
use crate::dist::{Agreed, Group, Process};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::ranks::Skip;
use crate::loops::ranks::asked::Asked;
use crate::loops::trainer::Trainer;
use crate::phase::Phase;
use crate::run::{Caller, RollBack, RunState, Save, StopRequest};

/// Whether the ranks wait for each other's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agree {
    /// Requests of single ranks are acted on now: where the ranks meet seldom.
    Now,
    /// They are acted on at the next safe point, so that nobody waits: after an iter, with another one to come.
    Ahead,
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Agrees on everything that was asked. What is left of requests, signals and times then is the same on all ranks.
    pub(crate) fn agree(&mut self, when: Agree) -> Result<()> {
        if !self.is_in_group() {
            return Ok(());
        }
        let now = self.asked();
        self.agree_on(now, when)
    }

    /// Agrees on signals alone: within an evaluation everything else waits.
    pub(crate) fn agree_on_signals(&mut self, when: Agree) -> Result<()> {
        if !self.is_in_group() {
            return Ok(());
        }
        let now = Asked { iter: self.run.clocks.iter.get(), signal: self.asked_signal(), ..Asked::default() };
        self.agree_on(now, when)
    }

    /// Whether there are other ranks to agree with.
    pub(in crate::loops) fn is_in_group(&self) -> bool {
        matches!(self.run.process, Process::Group(_)) && !self.ranks.failed
    }

    fn agree_on(&mut self, now: Asked, when: Agree) -> Result<()> {
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let ranks = &mut self.ranks;
        let mut agreed = Vec::new();
        let held = std::mem::take(&mut ranks.held);
        if ranks.agreement.earlier(group)? == Agreed::Differs {
            agreed.push(of_all_ranks(group, &held)?);
        }
        match ranks.agreement.tell(group, &now.bytes()?, when == Agree::Ahead)? {
            Agreed::Same => agreed.push(now),
            Agreed::Differs => agreed.push(of_all_ranks(group, &now)?),
            Agreed::Later => ranks.held = now,
        }
        agreed.into_iter().for_each(|asked| self.take_agreed(asked));
        Ok(())
    }

    /// What this rank was asked; it is taken from where it was.
    fn asked(&mut self) -> Asked {
        let signal = self.asked_signal();
        let stop = self.run.requests.stop.take();
        let stop = stop.map(|stop| (self.name_of(stop.by), stop.reason));
        let RunState { requests, clocks, signals, .. } = &mut self.run;
        let limit = self.plan.train.time_limit.as_ref();
        Asked {
            iter: clocks.iter.get(),
            stop,
            validate: std::mem::take(&mut requests.validate),
            roll_back: requests.roll_back.take(),
            keep: std::mem::take(&mut requests.keep),
            saves: requests.saves.drain(..).map(|Save { name, latest }| (name, latest)).collect(),
            signal,
            save: clocks.iter != Iter(0) && signals.take_save(),
            time_up: !self.ranks.agreed.time_up && limit.is_some_and(|limit| limit.is_over()),
            settled: self.ranks.settled.take(),
        }
    }

    /// A signal of this process that the ranks do not know of.
    fn asked_signal(&self) -> Option<u8> {
        let signal = self.run.signals.received().filter(|_| self.ranks.agreed.signal.is_none());
        signal.map(|signal| signal.exit_code())
    }

    /// Who makes a request.
    pub(crate) fn name_of(&self, caller: Caller) -> String {
        match caller {
            Caller::Step(step) => step.to_owned(),
            Caller::Hook(phase, place) => {
                let hook = self.hooks.plan(phase).into_iter().nth(place);
                hook.map_or_else(|| "the program".to_owned(), |hook| hook.name)
            }
        }
    }

    /// From here on all ranks act on it.
    fn take_agreed(&mut self, asked: Asked) {
        let saves = asked.saves_at(self.run.clocks.iter);
        let agreed = &mut self.ranks.agreed;
        agreed.signal = agreed.signal.or(asked.signal());
        agreed.save |= asked.save;
        agreed.time_up |= asked.time_up;
        agreed.settled = agreed.settled.take().or(asked.settled);
        let requests = &mut self.run.requests;
        requests.validate |= asked.validate;
        requests.keep |= asked.keep;
        requests.roll_back = requests.roll_back.take().or(asked.roll_back);
        requests.saves.extend(saves);
        if let Some((by, reason)) = asked.stop.filter(|_| requests.stop.is_none()) {
            // its name is `stopped_by`
            requests.stop = Some(StopRequest { by: Caller::Step(""), reason });
            agreed.stopped_by = Some(by);
        }
    }

    /// Whether the training goes back to an earlier state instead of being saved, as a rank was asked to in the phase before
    /// a save.
    pub(crate) fn agree_on_going_back(&mut self, own: Option<RollBack>) -> Result<Option<RollBack>> {
        let Process::Group(group) = &self.run.process else { return Ok(own) };
        if self.ranks.failed {
            return Ok(own);
        }
        let asked = Asked { roll_back: own, ..Asked::default() };
        Ok(of_all_ranks(group, &asked)?.roll_back)
    }

    /// Says that the first hooks, so many, are the engine's own: they never ask for an update to be left out.
    pub(crate) fn set_own_hooks(&mut self, count: usize) {
        self.ranks.own_hooks = count;
    }

    /// Whether a hook that may ask for the update to be left out comes between its last backward and its step.
    pub(super) fn may_skip_late(&self) -> bool {
        let phases = [Phase::AfterBackward, Phase::AfterTrainBatch, Phase::BeforeOptimizerStep];
        let own = self.ranks.own_hooks;
        phases.into_iter().any(|phase| self.hooks.plan(phase).iter().any(|hook| hook.slot >= own))
    }

    /// To be called before the backward of each batch. Before the last one of an update the other ranks are told whether
    /// this one was asked to leave it out, unless a hook may still ask: the answers come while backward runs.
    pub(in crate::loops) fn tell_of_skip_early(&mut self) -> Result<()> {
        if self.ranks.early && self.ranks.in_last_batch && self.ranks.skip.is_none() {
            let own = self.run.requests.skip_update.take();
            self.tell_of_skip(own)?;
        }
        Ok(())
    }

    /// Tells the other ranks whether this one was asked to leave the update out, and whether it has changed a buffer.
    fn tell_of_skip(&mut self, own: Option<String>) -> Result<()> {
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let changed = self.ranks.buffers.as_ref().is_some_and(|buffers| buffers.tensors.version() != buffers.shared_at);
        let numbers = [own.is_some(), changed].map(|flag| f64::from(u8::from(flag)));
        let told = group.begin_numbers("the agreement on an update", &numbers)?;
        self.ranks.skip = Some(Skip { own, told });
        Ok(())
    }

    /// Whether the coming update is left out, which all ranks do when one is asked to: why.
    pub(crate) fn agree_on_skip(&mut self) -> Result<Option<String>> {
        if let Process::Alone = self.run.process {
            return Ok(self.run.requests.skip_update.take());
        }
        if self.ranks.skip.is_none() {
            let own = self.run.requests.skip_update.take();
            self.tell_of_skip(own)?;
        }
        let (Process::Group(group), Some(Skip { own, told })) = (&self.run.process, self.ranks.skip.take()) else {
            return Ok(None);
        };
        let told = told.wait(group)?;
        if let Some(buffers) = &mut self.ranks.buffers {
            buffers.changed |= told.chunks_exact(2).any(|rank| rank[1] != 0.0);
        }
        if told.chunks_exact(2).all(|rank| rank[0] == 0.0) {
            return Ok(None);
        }
        let reasons = group.gather("the agreement on an update", own.unwrap_or_default().as_bytes())?;
        let first = reasons.iter().enumerate().find(|(_, reason)| !reason.is_empty());
        Ok(Some(match first {
            Some((rank, reason)) => format!("{} (rank {rank})", String::from_utf8_lossy(reason)),
            None => "no reason was given".to_owned(),
        }))
    }
}

/// The requests of all ranks together.
fn of_all_ranks(group: &Group, own: &Asked) -> Result<Asked> {
    let all = group.gather("the agreement on what follows the iter", &own.bytes()?)?;
    let all = all.iter().map(|bytes| Asked::read(bytes)).collect::<Result<Vec<_>>>()?;
    // a rank that was asked nothing tells no iter
    let mut together = Asked { iter: own.iter, ..Asked::default() };
    together.iter = all.iter().map(|asked| asked.iter).max().unwrap_or(own.iter);
    all.into_iter().for_each(|asked| together.add(asked));
    Ok(together)
}
