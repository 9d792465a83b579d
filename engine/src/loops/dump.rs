//! Dumps: an update as files, so that it can be computed again alone.
//!
//! A dump is a checkpoint of the run as it stood before an update, with the batches of the update. While hooks ask for
//! dumps, each update keeps its batches, and notes where generators and loaders stood. Weights need no copy: a dump is
//! written before the optimizers step. What the forward pass itself changes, as running means, is in it as changed.

use crate::base::{Error, Iter, Result, StateMap};
use crate::checkpoint;
use crate::data::Batch;
use crate::hook::EngineHooks;
use crate::loops::dumped::Before;
use crate::loops::order::save_loader;
use crate::loops::program::Program;
use crate::loops::trainer::{Role, Trainer};
use crate::run::Generators;
use tch::Tensor;

/// Batches that take more bytes than this are not written: a replay reads them from their loaders again.
const MOST_BYTES: usize = 1 << 30;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// An update begins; `again`: it takes the batches of the one before.
    pub(super) fn note_before_update(&mut self, again: bool) -> Result<()> {
        let earlier = self.before.take();
        if self.run.dumps.most == 0 {
            return Ok(());
        }
        let (batch, loaders) = match earlier.filter(|_| again) {
            Some(earlier) => (earlier.batch, earlier.loaders),
            // begun to be asked for in the middle of an iter
            None if again => return Ok(()),
            None => {
                let places = 0..T::loaders(Role::Train).len();
                let loaders = places.map(|place| Ok(save_loader(self.train_loader(place)?))).collect::<Result<_>>()?;
                (self.run.clocks.batch, loaders)
            }
        };
        let generators = Generators::of(self.run.device)?;
        self.before = Some(Before { generators, batch, loaders, batches: Vec::new(), is_over: false });
        Ok(())
    }

    /// A batch of the update is about to be computed.
    pub(super) fn note_batch(&mut self, batch: &T::Batch) {
        if let Some(before) = &mut self.before {
            before.batches.push(batch.shallow_clone());
        }
    }

    /// Writes the dump that was asked for. From here on the update can't be dumped: its optimizers step.
    pub(super) fn write_dump_if_asked(&mut self) -> Result<()> {
        if let Some(reason) = self.run.dumps.asked.take() {
            self.write_dump(&reason)?;
        }
        if let Some(before) = &mut self.before {
            // the places of the loaders stay, for an update of the same batches
            before.batches = Vec::new();
            before.is_over = true;
        }
        Ok(())
    }

    /// An update has failed. Whatever goes wrong here is told; the failure itself goes on.
    pub(super) fn dump_failed_update(&mut self) {
        if !self.run.dumps.on_failure || self.before.as_ref().is_none_or(|before| before.is_over) {
            return;
        }
        if let Err(error) = self.write_dump("the update has failed") {
            self.run.tell(&format!("the update that has failed could not be dumped: {error:#}"));
        }
    }

    fn write_dump(&mut self, reason: &str) -> Result<()> {
        let Some(mut before) = self.before.take().filter(|before| !before.is_over) else { return Ok(()) };
        let Some(folder) = &self.run.storage.folder else { return Ok(()) };
        let (dir, most) = (folder.dumps(), self.run.dumps.most);
        let there = if dir.exists() { checkpoint::list(&dir)?.len() as u64 } else { 0 };
        if there >= most {
            if !std::mem::replace(&mut self.run.dumps.is_full, true) {
                self.run.say(&format!("no further dump is written: {} has {there}", dir.display()))?;
            }
            return Ok(());
        }
        let place = self.run.current.pass.ok_or_else(|| Error::msg("a dump is of an update, and none is under way"))?;
        let pass = &self.run.updates.passes()[place.pass];
        let number = checkpoint::iter_name(Iter(self.run.clocks.iter.get() + 1));
        let name = match pass.prefix() {
            None => number,
            Some(pass) => format!("{number}_{pass}_{}", place.time + 1),
        };
        let pass = pass.name().to_owned();
        let (count, batches) = (before.batches.len() as u64, tensors_of(&mut before.batches)?);
        let mut snapshot = self.snapshot()?;
        snapshot.state.put_map("dump", |map| {
            map.put("reason", &reason.to_owned());
            map.put("pass", &pass);
            map.put("time", &place.time);
            map.put("count", &count);
            batches.iter().for_each(|batches| map.put("batches", batches));
        });
        // the run as it stood before the batches were read
        let mut clocks = snapshot.state.take_map("clocks")?;
        clocks.put("batch", &before.batch);
        snapshot.state.put("clocks", &clocks);
        let mut loaders = StateMap::new();
        for (name, loader) in T::loaders(Role::Train).iter().zip(before.loaders) {
            loaders.put(*name, &loader);
        }
        snapshot.state.put("loaders", &loaders);
        if let Some(rank) = snapshot.ranks.first_mut() {
            rank.put("generators", &before.generators.save());
        }
        checkpoint::save(&dir, &[&name], &snapshot)?;
        let path = dir.join(&name);
        self.run.say(&format!("dump of the update: {reason}; run it again alone: `replay {}`", path.display()))
    }
}

/// The tensors of each batch, in the order of its parts; `None` when they are too large together.
fn tensors_of<B: Batch>(batches: &mut [B]) -> Result<Option<StateMap>> {
    let (mut all, mut bytes) = (StateMap::new(), 0);
    for (index, batch) in batches.iter_mut().enumerate() {
        let mut map = StateMap::new();
        batch.each_tensor(&mut |tensor: &mut Tensor| {
            bytes += tensor.numel() * tensor.kind().elt_size_in_bytes();
            map.put(map.0.len().to_string(), &tensor.detach());
            Ok(())
        })?;
        all.put(index.to_string(), &map);
    }
    Ok((bytes <= MOST_BYTES).then_some(all))
}
