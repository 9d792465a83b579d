//! When checkpoints are written, and how the result of a save is handled. The content of a checkpoint is in
//! `loops/checkpoint.rs`.
//!
//! A save begins at a safe point: hooks are called, sinks are flushed, the state is collected and copied. Another thread
//! writes the copy. The result is looked at at the next safe points, before the next save, and at the end of the run. Only
//! there `after_save_checkpoint` is called, or the error is reported.

use crate::base::waiting::Waiting;
use crate::base::{Error, Iter, Result};
use crate::checkpoint::{self, CheckpointError, Job, Saved, Snapshot};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::ranks::Settled;
use crate::loops::trainer::Trainer;
use crate::phase::at;
use crate::run::{OnSaveError, Save, SavedCheckpoint, Saving};
use std::path::PathBuf;
use std::sync::Arc;

/// How a save has ended.
struct Ended {
    names: Vec<String>,
    iter: Iter,
    /// Where the checkpoint is, by each name.
    written: Result<Vec<PathBuf>>,
    /// Why old checkpoints could not be deleted.
    not_deleted: Vec<String>,
}

impl Ended {
    fn failed(names: Vec<String>, iter: Iter, error: CheckpointError) -> Ended {
        Ended { names, iter, written: Err(error.into()), not_deleted: Vec::new() }
    }
}

impl From<Saved> for Ended {
    fn from(Saved { names, iter, written, not_deleted }: Saved) -> Self {
        let not_deleted = not_deleted.iter().map(ToString::to_string).collect();
        Ended { names, iter, written: written.map_err(Error::from), not_deleted }
    }
}

impl From<Settled> for Ended {
    fn from(Settled { names, iter, written, not_deleted }: Settled) -> Self {
        let written = written.map(|paths| paths.into_iter().map(PathBuf::from).collect()).map_err(Error::msg);
        Ended { names, iter: Iter(iter), written, not_deleted }
    }
}

/// For the other ranks.
impl From<Ended> for Settled {
    fn from(Ended { names, iter, written, not_deleted }: Ended) -> Self {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let written = written.map(|paths| paths.into_iter().map(text).collect());
        Settled { names, iter: iter.get(), written: written.map_err(|error| format!("{error:#}")), not_deleted }
    }
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Makes the checkpoint that was decided on: one state, under every name that was asked for.
    pub(crate) fn write_decided_checkpoints(&mut self) -> Result<()> {
        let mut saves = std::mem::take(&mut self.run.decision.saves);
        // the first is the one that `latest` tells
        saves.sort_by_key(|save| !save.latest);
        let mut names: Vec<String> = Vec::new();
        for Save { name, .. } in saves {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        self.save(names)
    }

    /// A signal, or the end of the run's time: the last finished iter is saved, once, whether or not a hook has asked for it.
    pub(crate) fn save_last_iter(&mut self) -> Result<()> {
        self.write_decided_checkpoints()?;
        let iter = self.run.clocks.iter;
        if iter == Iter(0) || self.run.storage.saved_at == Some(iter) {
            return Ok(());
        }
        self.save(vec![checkpoint::iter_name(iter)])
    }

    fn save(&mut self, names: Vec<String>) -> Result<()> {
        let Some(folder) = &self.run.storage.folder else { return Ok(()) };
        if names.is_empty() {
            return Ok(());
        }
        if self.run.process.is_main() {
            folder.check()?;
        }
        let dir = folder.checkpoints();
        // one at a time
        self.finish_saves()?;
        self.run.storage.saving = Saving::default();
        self.phase::<at::BeforeSaveCheckpoint>()?;
        if self.is_prevented()? {
            return Ok(());
        }
        if names.contains(&checkpoint::iter_name(self.run.clocks.iter)) {
            self.run.storage.note_regular(self.run.clocks.iter);
        }
        // rows that the checkpoint counts on must not be lost with the machine
        self.run.seen.sinks.flush()?;
        let snapshot = self.snapshot()?;
        let storage = &mut self.run.storage;
        let Saving { background, on_error, retention } = std::mem::take(&mut storage.saving);
        storage.retention.clone_from(&retention);
        let job = Job { dir, names: names.clone(), retention };
        let iter = snapshot.meta.iter;
        storage.on_error = on_error;
        storage.saved_at = Some(iter);
        if self.is_in_group() {
            return self.save_in_group(job, &snapshot, background);
        }
        if !self.run.process.is_main() {
            return Ok(());
        }
        let begun = match background {
            true => self.begin_in_background(job, &snapshot).map(|()| None),
            false => self.run.storage.saver.save(job, &snapshot).map(|saved| Some(Ended::from(saved))),
        };
        match begun {
            Ok(settled) => settled.map_or(Ok(()), |settled| self.settle(settled)),
            Err(error) => self.settle(Ended::failed(names, iter, error)),
        }
    }

    /// Copies the state, and lets another thread write it. With CUDA graphs the host waits for the copies; else the device
    /// waits for all but the states of optimizers, and the next update for those.
    fn begin_in_background(&mut self, job: Job, snapshot: &Snapshot) -> Result<(), CheckpointError> {
        let saver = &mut self.run.storage.saver;
        if self.recordings.is_some() {
            // an update in a graph asks nobody whether it may begin
            return saver.begin(job, snapshot);
        }
        if let Some(reading) = saver.begin_beside(job, snapshot)? {
            let optimizers = self.run.updates.optimizers_mut().iter_mut();
            optimizers.for_each(|optimizer| optimizer.set_pending_copies(Arc::clone(&reading)));
        }
        Ok(())
    }

    /// Rank 0 writes, and all ranks handle the result at the same place.
    fn save_in_group(&mut self, job: Job, snapshot: &Snapshot, background: bool) -> Result<()> {
        let (names, iter) = (job.names.clone(), snapshot.meta.iter);
        if self.run.process.is_main() {
            self.ranks.settled = match background {
                true => {
                    let begun = self.begin_in_background(job, snapshot);
                    begun.err().map(|error| Ended::failed(names, iter, error).into())
                }
                false => Some(match self.run.storage.saver.save(job, snapshot) {
                    Ok(saved) => Ended::from(saved).into(),
                    Err(error) => Ended::failed(names, iter, error).into(),
                }),
            };
        }
        self.ranks.saving = true;
        if background { Ok(()) } else { self.finish_saves() }
    }

    /// Waits until no save is under way; then calls `after_save_checkpoint`. To be called before a checkpoint of this run is
    /// read. The end of the run does it.
    ///
    /// # Errors
    /// When the save has failed, and the run is not to go on without it; and the first error of a hook.
    pub fn finish_saves(&mut self) -> Result<()> {
        if self.is_in_group() {
            return self.finish_save_in_group();
        }
        // a hook may have asked for this in the phase itself
        while let Some(saved) = self.wait_for_save() {
            self.settle(saved)?;
        }
        Ok(())
    }

    fn finish_save_in_group(&mut self) -> Result<()> {
        while self.ranks.saving {
            let settled = match self.ranks.agreed.settled.take() {
                Some(settled) => settled,
                None => {
                    let own = self.result_for_others();
                    self.tell_of_save(own)?
                }
            };
            self.ranks.saving = false;
            self.settle(settled.into())?;
        }
        Ok(())
    }

    /// The result that rank 0 has for the others, which it may be about to tell them; waits for it.
    fn result_for_others(&mut self) -> Option<Settled> {
        self.ranks.take_settled().or_else(|| self.wait_for_save().map(Settled::from))
    }

    /// The result of the current save, if there is one.
    fn wait_for_save(&mut self) -> Option<Ended> {
        let name = self.run.storage.saver.under_way()?;
        let waiting = Waiting::for_(format!("the checkpoint `{name}` to be on the disk"));
        let saved = self.run.storage.saver.wait();
        drop(waiting);
        saved.map(Ended::from)
    }

    /// Handles the result of the current save if it has ended. Does not wait.
    pub(super) fn look_after_saves(&mut self) -> Result<()> {
        if !self.is_in_group() {
            self.run.storage.saver.finished().map_or(Ok(()), |saved| self.settle(saved.into()))?;
            return self.tell_of_copies();
        }
        if let Some(saved) = self.run.storage.saver.finished() {
            // the others are told at this safe point, and all handle it at one of the next
            self.ranks.settled = Some(Ended::from(saved).into());
        }
        if let Some(settled) = self.ranks.agreed.settled.take() {
            self.ranks.saving = false;
            self.settle(settled.into())?;
        }
        self.tell_of_copies()
    }

    fn tell_of_copies(&mut self) -> Result<()> {
        let told = self.run.storage.copies.as_mut().map_or_else(Vec::new, |copies| copies.told());
        told.iter().try_for_each(|text| self.run.say(text))
    }

    /// At the end of a run: waits until every checkpoint is copied to where copies go, if anywhere.
    ///
    /// # Errors
    /// When one could not be copied.
    pub(super) fn finish_copies(&mut self) -> Result<()> {
        let Some(copies) = &mut self.run.storage.copies else { return Ok(()) };
        let waiting = Waiting::for_("the checkpoints to be copied to the mirror".to_owned());
        let finished = copies.finish();
        drop(waiting);
        self.tell_of_copies()?;
        Ok(finished?)
    }

    /// At the end of a run without an error: every state that was to be saved is on the disk, or the run fails.
    pub(super) fn finish_saves_for_good(&mut self) -> Result<()> {
        self.finish_saves()?;
        self.run.storage.unsaved.take().map_or(Ok(()), Err)
    }

    /// At the end of a run that has failed: waits for the current save, and for copies. Its error does not replace the first
    /// one.
    pub(super) fn finish_saves_on_the_way_out(&mut self) {
        if let Err(error) = self.finish_saves() {
            self.run.tell(&format!("an error while the run was ending: {error:#}"));
        }
    }

    /// Writes the checkpoints that were requested in `on_exception`, after all closing phases but `after_run`. An error does
    /// not replace the first one.
    pub(super) fn save_after_failure(&mut self) {
        self.decide_on_agreed_requests();
        let saved = self.write_decided_checkpoints().and_then(|()| self.finish_saves());
        if let Err(error) = saved {
            self.run.tell(&format!("an error while the run was ending: {error:#}"));
        }
    }

    /// Handles the result of a save.
    fn settle(&mut self, ended: Ended) -> Result<()> {
        let Ended { names, iter, written, not_deleted } = ended;
        for error in not_deleted {
            let text = format!("warning: an old checkpoint stays: {error}");
            if self.run.storage.not_deleted.insert(text.clone()) {
                self.run.tell(&text);
            }
        }
        match written {
            Ok(paths) => {
                let storage = &mut self.run.storage;
                storage.unsaved = None;
                if let Some(copies) = &mut storage.copies {
                    paths.iter().for_each(|path| copies.begin(path, storage.retention.as_ref()));
                }
                let told = names.into_iter().zip(paths).map(|(name, path)| SavedCheckpoint { name, path, iter });
                told.into_iter().try_for_each(|saved| self.tell_of_saved(saved))
            }
            Err(error) => self.not_written(names, iter, error),
        }
    }

    /// A checkpoint could not be written.
    fn not_written(&mut self, names: Vec<String>, iter: Iter, error: Error) -> Result<()> {
        let first = names.first().map(String::as_str).unwrap_or_default();
        let error = error.context(format!("the checkpoint `{first}` can't be written"));
        let storage = &mut self.run.storage;
        storage.not_written.extend(names.into_iter().map(|name| (name, iter)));
        storage.regular.retain(|known| *known != iter);
        if storage.saved_at == Some(iter) {
            storage.saved_at = None;
        }
        match storage.on_error {
            OnSaveError::Stop => Err(error),
            OnSaveError::Continue => {
                let text = format!("warning: the run goes on without a checkpoint: {error:#}");
                storage.unsaved = Some(error);
                self.run.say(&text)
            }
        }
    }

    /// A checkpoint is on the disk.
    fn tell_of_saved(&mut self, saved: SavedCheckpoint) -> Result<()> {
        self.run.storage.saved = Some(saved);
        let result = self.phase::<at::AfterSaveCheckpoint>();
        self.run.storage.saved = None;
        result
    }
}
