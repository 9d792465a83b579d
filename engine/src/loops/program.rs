//! A program at run time: hooks, trainer and run state, and the function that runs every pair of phases.

use crate::base::panics;
use crate::base::spans::{self, SpanKind};
use crate::base::{Error, ErrorContext as _, Result};
use crate::hook::{Dispatcher, EngineHooks, Planned};
use crate::loops::dumped::{Before, Notes};
use crate::loops::loaders::Loaders;
use crate::loops::loss_points::LossPoints;
use crate::loops::names::is_short;
use crate::loops::plan::Plan;
use crate::loops::processor::StepConfig;
use crate::loops::profile::Profiling;
use crate::loops::ranks::Ranks;
use crate::loops::recorded::Recordings;
use crate::loops::share::Weighed;
use crate::loops::trainer::Trainer;
use crate::metric::Metric;
use crate::phase::{At, Phase, at};
use crate::record::Outcome;
use crate::run::{Context, Exception, RunState, Signal, Signals, Stop, StopKind};
use std::fmt;

/// How a run ended, when nothing failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything planned is done.
    Finished,
    /// A hook or a step asked to stop, or the limit of this run is reached.
    Stopped(Stop),
    /// The process was told to end; the last finished iter is in a checkpoint.
    Signal(Signal),
}

/// A trainer with its hooks, its plan and its run.
///
/// The trainer is also a hook, so the dispatcher borrows it for each phase.
pub struct Program<D: EngineHooks, T: Trainer> {
    /// The trainer, with its loaders, metrics and hooks.
    pub trainer: T,
    /// The engine's own hooks, those that the file chose, and the order of all.
    pub hooks: Dispatcher<D, T>,
    /// The length of the training, and when it validates.
    pub plan: Plan,
    /// What the run owns.
    pub run: RunState,
    /// The batches of the update under way that have not gone forward yet, the last one first; kept for its memory.
    /// `None` where other ranks have all samples of a batch.
    pub(super) waiting: Vec<Option<Weighed<T::Batch>>>,
    /// What is known of the other ranks, where there are any.
    pub(super) ranks: Ranks,
    /// The steps that are recorded as CUDA graphs; `None` when all run eagerly.
    pub(super) recordings: Option<Box<Recordings<T::Batch>>>,
    /// How the step of a batch is taken, when not by the engine.
    pub(crate) processor: Option<Box<dyn StepConfig>>,
    /// What was there before the update under way, while updates may be dumped.
    pub(super) before: Option<Before<T::Batch>>,
    /// The loss of the update under way, where its optimizer computes it at several points.
    pub(super) loss_points: Option<LossPoints>,
    /// What is noted of an update that is computed again alone.
    pub(super) replaying: Option<Notes>,
    pub(super) profiling: Profiling,
    /// The loaders that the experiment has.
    pub(crate) loaders: Loaders,
    /// The place of the train loader that makes the epoch.
    pub(super) epoch_loader: usize,
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// A new program. It does not listen to signals yet.
    pub fn new(mut trainer: T, hooks: Dispatcher<D, T>, plan: Plan, run: RunState) -> Self {
        let loaders = Loaders::new(T::INFO, trainer.absent_loaders());
        Program {
            trainer,
            hooks,
            plan,
            run,
            waiting: Vec::new(),
            ranks: Ranks::default(),
            recordings: None,
            processor: None,
            before: None,
            loss_points: None,
            replaying: None,
            profiling: Profiling::default(),
            loaders,
            epoch_loader: 0,
        }
    }

    /// Listens to SIGINT, SIGTERM and SIGUSR1 from now on.
    ///
    /// # Errors
    /// When the handlers can't be set.
    pub fn listen_to_signals(&mut self) -> Result<()> {
        self.run.signals = Signals::listen()?;
        self.run.signals.lead_to_end();
        Ok(())
    }

    /// Runs everything inside `before_run` and `after_run`. Call loops only in `body`.
    ///
    /// # Errors
    /// The first error or panic of a step, a hook, a loader or the disk. Later errors are printed, not returned.
    pub fn run(&mut self, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<End> {
        let _bracket = panics::bracket();
        let result = self.within::<at::BeforeRun, at::AfterRun>(|program| {
            let done = body(program).and_then(|()| program.finish_saves_for_good());
            done.and_then(|()| program.finish_copies()).inspect_err(|_| {
                program.ranks.failed = true;
                program.finish_saves_on_the_way_out();
                program.save_after_failure();
            })
        });
        // a body that has failed or panicked has not come so far
        self.finish_saves_on_the_way_out();
        if let Err(error) = self.finish_copies() {
            self.run.tell(&format!("an error while the run was ending: {error:#}"));
        }
        let how = match (&result, self.run.decision.stop.as_ref().map(|stop| stop.kind)) {
            (Err(_), _) => Outcome::Failed,
            (Ok(()), None) => Outcome::Finished,
            (Ok(()), Some(StopKind::Requested)) => Outcome::Stopped,
            (Ok(()), Some(StopKind::Limit | StopKind::Time | StopKind::Signal(_))) => Outcome::Interrupted,
        };
        let sinks = &mut self.run.seen.sinks;
        let ended = sinks.end(how);
        let flushed = ended.and(sinks.flush());
        if let Err(stand_in) = result {
            if let Err(error) = flushed {
                self.run.tell(&format!("another error, while the failed run was ending: {error:#}"));
            }
            return Err(match self.run.exception.take() {
                Some(Exception::Failed(first)) => first,
                _ => stand_in,
            });
        }
        flushed?;
        Ok(match self.run.decision.stop.clone() {
            None => End::Finished,
            Some(stop) => stop.signal().map_or(End::Stopped(stop), End::Signal),
        })
    }

    /// The final order of the hooks of a phase, for `plan`.
    pub fn planned(&self, phase: Phase) -> Vec<Planned> {
        self.hooks.plan(phase)
    }

    /// A step of the trainer's, of this name; what goes wrong in it is told with its batch.
    pub(crate) fn step<R>(
        &mut self,
        what: &'static str,
        step: impl FnOnce(&mut T, &mut Context<'_>) -> Result<R>,
    ) -> Result<R> {
        let lower = self.run.numerics.autocast(self.run.device)?;
        self.run.current.step = Some(what);
        let _span = spans::span(SpanKind::Step, what);
        let mut cx = Context::new(&mut self.run);
        let result = panics::catch_in_bracket(Quoted(what), || step(&mut self.trainer, &mut cx));
        self.run.current.step = None;
        drop(lower);
        result.with_context(|| self.run.step_failed(what))
    }

    /// The run as a [`Context`], as hooks get it: for requests of your own loop.
    pub fn context(&mut self) -> Context<'_> {
        Context::new(&mut self.run)
    }

    /// Calls the hooks of one phase. For phases that open and close something, use [`Program::within`].
    ///
    /// # Errors
    /// The first hook's error or panic.
    #[inline]
    pub fn phase<P: At>(&mut self) -> Result<()> {
        self.run.current.phase = P::PHASE;
        self.hooks.run::<P>(&mut self.trainer, &mut Context::new(&mut self.run))
    }

    /// A pair of phases around `body`. The closing phase always runs, also when the opening one has failed. When
    /// something fails, `on_exception` runs once before it, and the error is passed on. A panic in `body` becomes an
    /// error. The compiler checks that `After` closes `Before`.
    ///
    /// # Errors
    /// A placeholder for the first error, which [`Program::run`] returns.
    pub fn within<Before: At, After: At>(&mut self, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        const { assert!(matches!(After::PHASE.closes(), Some(phase) if phase as u8 == Before::PHASE as u8)) };
        let result =
            self.phase::<Before>().and_then(|()| panics::catch_in_bracket(Inside(Before::PHASE), || body(self)));
        match result {
            Ok(()) => self.phase::<After>().map_err(|error| self.on_the_way_out(error)),
            Err(error) => {
                let error = self.on_the_way_out(error);
                self.close::<After>();
                Err(error)
            }
        }
    }

    /// Lets hooks see a failure, once. What goes on afterwards is a stand-in: the error itself is in the run, where
    /// hooks can look at it, until [`Program::run`] takes it out.
    #[cold]
    fn on_the_way_out(&mut self, error: Error) -> Error {
        if matches!(self.run.exception, Some(Exception::Failed(_))) {
            return error;
        }
        let error = self.run.told_of_memory(error);
        let error = self.told_of_ranks(error);
        // nothing comes after `after_run`
        let first = self.run.exception.is_none() && self.run.current.phase != Phase::AfterRun;
        // what was asked for before the failure is not to be written after it
        self.run.requests.saves.clear();
        self.run.decision.drop_what_is_left();
        self.run.exception = Some(Exception::Failed(error));
        if first {
            self.close::<at::OnException>();
        }
        Error::msg("the run has already failed; the error is what `Program::run` returned")
    }

    /// A phase on the way out: its own errors are told, they don't replace what is under way.
    pub(super) fn close<P: At>(&mut self) {
        if let Err(error) = self.phase::<P>() {
            self.run.tell(&format!("an error while the run was ending: {error:#}"));
        }
    }

    /// Calls `each` with every metric: the trainer's fields, then those that the file names.
    pub(crate) fn each_metric(&mut self, each: &mut dyn FnMut(&mut dyn Metric) -> Result<()>) -> Result<()> {
        self.trainer.metrics(&mut |_, metric| each(metric))?;
        self.run.seen.results.file_metrics.iter_mut().try_for_each(|metric| each(metric.as_mut()))
    }

    /// What evaluations measure, by full names.
    pub(crate) fn measured(&self) -> Vec<String> {
        let names = self.run.seen.results.measures.iter().map(|measure| &measure.name);
        names.filter(|name| !is_short(&self.loaders, name)).cloned().collect()
    }
}

/// A name in backticks.
struct Quoted(&'static str);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

/// What lies between a phase and the one that closes it, as the text of a panic names it: `val_iter`.
struct Inside(Phase);

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.name().trim_start_matches("before_"))
    }
}
