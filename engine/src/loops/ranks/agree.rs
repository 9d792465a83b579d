//! Agreement on requests: what only some ranks were asked, all do, at the same safe point.

use crate::base::{Iter, Result};
use crate::dist::{Agreed, Group, Process};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::ranks::asked::Asked;
use crate::loops::trainer::Trainer;
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
        if when == Agree::Ahead && !self.ranks.asks_late() {
            return self.agree_on_what_updates_told();
        }
        let now = self.asked();
        self.agree_on(now, when)
    }

    /// Agrees without a message, unless a rank was asked for something: the updates of the iter have told that. What this
    /// rank alone was asked since then, as a signal, is told with the next update. What hooks have asked since then are
    /// the engine's own, which ask the same on all ranks.
    fn agree_on_what_updates_told(&mut self) -> Result<()> {
        let alone = self.asked_alone();
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let ranks = &mut self.ranks;
        ranks.hold(alone);
        let differs = ranks.agreement.earlier(group)? == Agreed::Differs;
        if !std::mem::take(&mut ranks.is_asked) && !differs {
            return Ok(());
        }
        let held = std::mem::take(&mut ranks.held);
        let asked = of_all_ranks(group, &held)?;
        self.take_agreed(asked);
        Ok(())
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

    fn agree_on(&mut self, mut now: Asked, when: Agree) -> Result<()> {
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let ranks = &mut self.ranks;
        let mut agreed = Vec::new();
        let held = std::mem::take(&mut ranks.held);
        match ranks.agreement.earlier(group)? {
            Agreed::Differs => agreed.push(of_all_ranks(group, &held)?),
            // it was held for an update to tell
            Agreed::Same | Agreed::Later => now.add(held.moved_to(now.iter)),
        }
        if when == Agree::Now {
            ranks.is_asked = false;
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
    pub(super) fn asked(&mut self) -> Asked {
        let mut asked = self.asked_alone();
        let stop = self.run.requests.stop.take();
        asked.stop = stop.map(|stop| (self.name_of(stop.by), stop.reason));
        let requests = &mut self.run.requests;
        asked.validate = std::mem::take(&mut requests.validate);
        asked.roll_back = requests.roll_back.take();
        asked.keep = std::mem::take(&mut requests.keep);
        asked.saves.extend(requests.saves.drain(..).map(pair));
        asked
    }

    /// The part of it that other ranks are not asked: by a signal, by clocks on the wall, by what rank 0 alone knows.
    fn asked_alone(&mut self) -> Asked {
        let signal = self.asked_signal();
        let RunState { requests, clocks, signals, .. } = &mut self.run;
        let limit = self.plan.train.time_limit.as_ref();
        Asked {
            iter: clocks.iter.get(),
            saves: requests.saves_alone.drain(..).map(pair).collect(),
            signal,
            save: clocks.iter != Iter(0) && signals.take_save(),
            time_up: !self.ranks.agreed.time_up && limit.is_some_and(|limit| limit.is_over()),
            settled: self.ranks.settled.take(),
            ..Asked::default()
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
}

fn pair(save: Save) -> (String, bool) {
    (save.name, save.latest)
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
