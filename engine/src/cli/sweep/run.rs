//! The trials of a sweep, each a process of its own with an ordinary run folder.

use crate::base::{ErrorContext as _, Result};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::sweep::file::Sweep;
use crate::cli::sweep::held::{holder, is_held};
use crate::cli::sweep::journal::{End, Journal, name_of};
use crate::cli::sweep::result::{best_of, last_error, planned_iters};
use crate::cli::sweep::space::Pick;
use crate::cli::sweep::{propose, table};
use crate::config::ConfigErrors;
use crate::folder::write_atomic;
use crate::run::{Signal, Signals};
use crate::trainer::{Build, DeviceChoice, Experiment};
use rustix::process::{Pid, kill_process};
use std::collections::{BTreeSet, VecDeque};
use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How often it is looked for a trial that has ended.
const LOOK: Duration = Duration::from_millis(50);

/// A sweep at work.
pub(super) struct Runner<'s> {
    sweep: &'s Sweep,
    /// The folder of the sweep, which holds those of its trials.
    folder: PathBuf,
    pub(super) journal: Journal,
    running: Vec<Option<Running>>,
    /// Trials that an earlier process has begun. Its processes may have stood in the way of those that go on with them, so
    /// that a failure counts only when it comes again.
    resumed: BTreeSet<usize>,
    /// Trials that are waited for, as was told.
    told: BTreeSet<usize>,
    signals: Signals,
}

struct Running {
    trial: usize,
    process: Process,
}

enum Process {
    /// Of this sweep.
    Own(Child),
    /// Of a sweep that was killed, or of somebody who trains this run.
    Other,
}

impl<'s> Runner<'s> {
    pub(super) fn new(sweep: &'s Sweep, folder: PathBuf, journal: Journal) -> Result<Self> {
        for part in ["experiments", "output"] {
            let path = folder.join(part);
            std::fs::create_dir_all(&path).with_context(|| format!("`{}` can't be made", path.display()))?;
        }
        let running = (0..sweep.parallel).map(|_| None).collect();
        let unended = journal.trials.iter().enumerate().filter(|(_, trial)| trial.is_at_work());
        let resumed = unended.map(|(number, _)| number).collect();
        let signals = Signals::listen()?;
        signals.lead_to_end();
        Ok(Runner { sweep, folder, journal, running, resumed, told: BTreeSet::new(), signals })
    }

    /// Lets all trials that have failed be at work again.
    pub(super) fn retry_failed(&mut self) -> Result<()> {
        for trial in 0..self.journal.trials.len() {
            if self.journal.trials[trial].has_failed() {
                self.journal.retry(trial)?;
            }
        }
        Ok(())
    }

    /// Runs all trials that have not ended; the signal that has stopped them before.
    pub(super) fn run<T: Build>(&mut self) -> Result<Option<Signal>> {
        let unended = self.journal.trials.iter().enumerate().filter(|(_, trial)| trial.is_at_work());
        let mut left: VecDeque<usize> = unended.map(|(number, _)| number).collect();
        loop {
            if let Some(signal) = self.signals.received() {
                self.stop()?;
                return Ok(Some(signal));
            }
            for slot in 0..self.running.len() {
                if self.running[slot].is_some() {
                    continue;
                }
                let next = match left.pop_front() {
                    Some(trial) => Some(trial),
                    None => match self.promote()? {
                        Some(trial) => Some(trial),
                        None => self.propose()?,
                    },
                };
                if let Some(trial) = next {
                    self.start::<T>(trial, slot)?;
                }
            }
            self.look::<T>()?;
            let idle = self.running.iter().all(Option::is_none);
            let begun = left.is_empty() && self.journal.trials.len() >= self.sweep.trials;
            if idle && begun && self.promotable().is_none() {
                return Ok(None);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Notes the next trial that goes on from a rung.
    fn promote(&mut self) -> Result<Option<usize>> {
        let next = self.promotable();
        next.map(|trial| self.journal.promote(trial)).transpose()?;
        Ok(next)
    }

    fn promotable(&self) -> Option<usize> {
        self.sweep.halve.as_ref()?.promotable(&self.journal.trials, self.sweep.better)
    }

    /// Begins all trials without running them; the file of each.
    pub(super) fn write_all<T: Build>(&mut self) -> Result<Vec<PathBuf>, Failure> {
        while self.propose()?.is_some() {}
        let mut files = Vec::new();
        for trial in 0..self.journal.trials.len() {
            files.push(self.write::<T>(trial)??);
        }
        Ok(files)
    }

    /// Notes the next trial, when all results are there that it depends on.
    fn propose(&mut self) -> Result<Option<usize>> {
        let picks = propose::next(self.sweep, &self.journal.trials);
        picks.map(|picks| self.journal.begin(picks)).transpose()
    }

    /// The experiment of a trial as a file, which needs no other. It stays as it is when the sweep goes on. `Err` within: the
    /// values are sound one by one, but not together.
    fn write<T: Build>(&self, trial: usize) -> Result<Result<PathBuf, ConfigErrors>> {
        let name = name_of(trial);
        let path = self.folder.join("experiments").join(format!("{name}.ron"));
        if !path.is_file() {
            let picks: &[Pick] = &self.journal.trials[trial].picks;
            let experiment: Experiment<T> = match self.sweep.experiment(&name, picks) {
                Ok(experiment) => experiment,
                Err(errors) => return Ok(Err(errors)),
            };
            write_atomic(&path, experiment.print()?.as_bytes())?;
        }
        Ok(Ok(path))
    }

    fn start<T: Build>(&mut self, trial: usize, slot: usize) -> Result<()> {
        let file = match self.write::<T>(trial)? {
            Ok(file) => file,
            Err(errors) => {
                self.running[slot] = None;
                return self.ended(trial, End::Failed(first_line(&errors.to_string())));
            }
        };
        let run = self.run_folder(trial);
        let process = match is_held(&run) {
            true => self.other(trial, &run),
            false => Process::Own(self.spawn(&file, trial, slot)?),
        };
        self.running[slot] = Some(Running { trial, process });
        Ok(())
    }

    /// Another process has the folder of a trial: it is waited for, since that may be the trial itself, begun by a sweep that was
    /// killed, and more than `parallel` trials might not have room.
    fn other(&mut self, trial: usize, run: &Path) -> Process {
        if self.told.insert(trial) {
            out::error_line(format_args!(
                "trial {}: {} works in `{}` already; the sweep waits for its end, as for one of its own",
                name_of(trial),
                holder(run),
                run.display()
            ));
        }
        Process::Other
    }

    fn spawn(&self, file: &Path, trial: usize, slot: usize) -> Result<Child> {
        let program = std::env::current_exe().context("this program can't be found, to be started for a trial")?;
        let path = self.output(trial);
        let open = || OpenOptions::new().create(true).append(true).open(&path);
        let told = || format!("`{}` can't be written", path.display());
        let (output, errors) = (open().with_context(told)?, open().with_context(told)?);
        let mut command = Command::new(program);
        command.arg("train").arg(file).args(["--resume=auto", "--color", "never"]);
        if let Some(iters) = self.stop_after(trial) {
            command.arg("--max-iters").arg(iters.to_string());
        }
        // each of several GPUs has its own trials, unless the experiment says where they run
        let devices = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
        if devices > 1 && self.sweep.device == DeviceChoice::Auto {
            command.arg("--device").arg(format!("cuda:{}", slot % devices));
        }
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        command.spawn().context("a trial can't be started")
    }

    /// Notes what has ended.
    fn look<T: Build>(&mut self) -> Result<()> {
        for slot in 0..self.running.len() {
            let Some(running) = &mut self.running[slot] else { continue };
            let trial = running.trial;
            let ended = match &mut running.process {
                Process::Own(child) => match child.try_wait().context("a trial can't be waited for")? {
                    Some(status) => Some(status),
                    None => continue,
                },
                Process::Other => None,
            };
            match (ended, is_held(&self.run_folder(trial))) {
                (None, true) => {}
                // whatever it has left is taken up
                (None, false) => self.start::<T>(trial, slot)?,
                // the process of a killed sweep had only just begun
                (Some(_), true) => {
                    let process = self.other(trial, &self.run_folder(trial));
                    self.running[slot] = Some(Running { trial, process });
                }
                (Some(status), false) => self.own_ended::<T>(trial, slot, status)?,
            }
        }
        Ok(())
    }

    /// A process of this sweep has ended.
    fn own_ended<T: Build>(&mut self, trial: usize, slot: usize, status: ExitStatus) -> Result<()> {
        self.running[slot] = None;
        // a trial that a signal has stopped with this sweep goes on with it
        if !status.success() && self.signals.received().is_some() {
            return Ok(());
        }
        if self.resumed.remove(&trial) && !status.success() {
            return self.start::<T>(trial, slot);
        }
        let end = self.end_of(trial, status)?;
        // a training that has come to its end has no rung before it
        let whole = planned_iters(&self.run_folder(trial));
        let rung = self.stop_after(trial).filter(|iters| whole.is_none_or(|whole| *iters < whole));
        match (end, rung) {
            (End::Value(value), Some(iters)) => {
                self.journal.pause(trial, value)?;
                out::line(table::paused(self.sweep, &self.journal.trials, trial, iters))
            }
            (end, _) => self.ended(trial, end),
        }
    }

    /// The iter at which a trial that is at work stops.
    fn stop_after(&self, trial: usize) -> Option<u64> {
        self.sweep.halve.as_ref()?.stop_after(self.journal.trials[trial].promoted)
    }

    fn end_of(&self, trial: usize, status: ExitStatus) -> Result<End> {
        if status.success() {
            let (watch, better) = (&self.sweep.watch, self.sweep.better);
            return Ok(match best_of(&self.run_folder(trial), watch, better)? {
                Some(value) => End::Value(value),
                None => End::Failed(format!("it has ended without a finite value of `{watch}`")),
            });
        }
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        Ok(End::Failed(match last_error(&self.output(trial)) {
            Some(line) => format!("{how}: {line}"),
            None => how,
        }))
    }

    fn ended(&mut self, trial: usize, end: End) -> Result<()> {
        self.journal.end(trial, end)?;
        out::line(table::ended(self.sweep, &self.journal.trials, trial))
    }

    /// Tells all trials to end, and waits until they have saved what they have.
    fn stop(&mut self) -> Result<()> {
        for running in self.running.iter_mut().flatten() {
            if let Process::Own(child) = &mut running.process {
                // it may have ended by itself
                let _ = kill_process(Pid::from_child(child), rustix::process::Signal::TERM);
            }
        }
        for running in self.running.iter_mut().flatten() {
            if let Process::Own(child) = &mut running.process {
                child.wait().context("a trial can't be waited for")?;
            }
        }
        Ok(())
    }

    fn run_folder(&self, trial: usize) -> PathBuf {
        self.folder.join(name_of(trial))
    }

    fn output(&self, trial: usize) -> PathBuf {
        self.folder.join("output").join(format!("{}.txt", name_of(trial)))
    }
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it can't be read").to_owned()
}
