//! The beginning of a training in a group: all ranks get the weights of rank 0, and from then on the same gradients.

use crate::base::joint::{SumOverRanks, set_sum_for_batch_norm};
use crate::base::{Error, Iter, Result};
use crate::dist::{Group, Process};
use crate::hook::EngineHooks;
use crate::loops::checkpoint::own_seed;
use crate::loops::program::Program;
use crate::loops::ranks::Buffers;
use crate::loops::ranks::told::NUMBERS;
use crate::loops::trainer::{Role, Trainer};
use crate::model::ModelEntry;
use crate::native::TensorList;
use crate::run::Generators;
use std::sync::Arc;
use tch::Tensor;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Gives each rank its part of every batch. To be called before a loader is asked how many batches it has.
    ///
    /// # Errors
    /// When a loader can't be shared, or has no batch for so many ranks.
    pub fn deal_loaders(&mut self) -> Result<()> {
        let (rank, world) = (self.run.process.rank(), self.run.process.world());
        if world == 1 {
            return Ok(());
        }
        let names = T::loaders(Role::Train);
        let syncs_batch_norm = self.run.process.group().is_some_and(Group::syncs_batch_norm);
        for (place, name) in names.iter().enumerate() {
            let loader = self.train_loader(place)?;
            loader.deal(rank, world)?;
            let because = match (names.len() > 1, syncs_batch_norm) {
                (true, _) => "with several train loaders each rank needs one of each",
                (false, true) => "with `sync_batch_norm` each rank takes part in every batch",
                (false, false) => continue,
            };
            let tail = loader.tail().filter(|samples| *samples > 0 && *samples < world as u64);
            if let Some(samples) = tail {
                return Err(Error::msg(format!(
                    "the last batch of a pass of `{name}` has {samples} samples for {world} ranks, and {because}; set `drop_last: true` in `loaders.{name}`"
                )));
            }
        }
        Ok(())
    }

    /// Compares the models of all ranks, and gives all of them the weights of rank 0.
    ///
    /// # Errors
    /// When models differ, and when a rank is gone.
    pub(crate) fn share_weights(&self) -> Result<()> {
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let described = self.run.models.iter().flat_map(|model| {
            model
                .distinct()
                .map(|(name, tensor)| format!("{}.{name}\t{:?} {:?}\n", model.name(), tensor.size(), tensor.kind()))
        });
        let described = described.collect::<String>();
        let all = group.gather("the comparison of models", described.as_bytes())?;
        let main = String::from_utf8_lossy(&all[0]);
        for (rank, other) in all.iter().enumerate().skip(1) {
            if let Some(why) = difference(&main, &String::from_utf8_lossy(other), rank) {
                return Err(Error::msg(why));
            }
        }
        let variables = self.run.models.iter().flat_map(ModelEntry::distinct).map(|(_, tensor)| tensor);
        Ok(group.broadcast("the exchange of weights", &TensorList::new(variables)?)?)
    }

    /// Divides the state of the optimizers over the ranks, where that is asked for. To be called before a checkpoint is
    /// restored.
    ///
    /// # Errors
    /// Those of libtorch.
    pub fn shard_optimizers(&mut self) -> Result<()> {
        match &self.run.process {
            Process::Group(group) if group.shards_optimizer() => self.run.updates.shard(group.for_gradients()),
            _ => Ok(()),
        }
    }

    /// Joins the ranks of the group: all have the weights of rank 0, and gradients are averaged from now on.
    pub(in crate::loops) fn join_ranks(&mut self) -> Result<()> {
        self.share_weights()?;
        self.see_who_asks_late();
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let parameters = self.run.models.iter().flat_map(ModelEntry::parameters);
        let parameters: Vec<usize> = parameters.map(|(_, tensor)| crate::native::tensor_id(tensor)).collect();
        let variables = self.run.models.iter().flat_map(ModelEntry::distinct).map(|(_, tensor)| tensor);
        let buffers: Vec<&Tensor> =
            variables.filter(|tensor| !parameters.contains(&crate::native::tensor_id(tensor))).collect();
        self.ranks.buffers = match buffers.is_empty() {
            true => None,
            false => {
                let tensors = TensorList::new(buffers)?;
                Some(Buffers { shared_at: tensors.version(), tensors, changed: false })
            }
        };
        let rank = group.rank();
        if rank > 0 && self.run.storage.resumed.is_none() {
            // as all ranks have one seed, they would draw the same dropout masks
            Generators::seed(self.run.device, own_seed(self.run.seed, rank, Iter(0)))?;
        }
        let mut options = group.reducer_options();
        if options.compress.is_none() {
            options.note = NUMBERS;
        }
        self.run.updates.join(group.for_gradients(), options);
        let over_ranks = group.syncs_batch_norm().then(|| {
            let group = Arc::clone(group.for_gradients());
            let sum = move |tensor: &Tensor| Ok(group.sum_with_gradient(tensor)?);
            Arc::new(sum) as Arc<SumOverRanks>
        });
        set_sum_for_batch_norm(over_ranks);
        Ok(())
    }

    /// Gives all ranks the buffers that rank 0 has, such as the averages of batch norm: as Python's `DistributedDataParallel`
    /// before a forward pass, but only when a rank has changed one.
    pub(in crate::loops) fn share_changed_buffers(&mut self) -> Result<()> {
        match &self.ranks.buffers {
            Some(buffers) if buffers.changed => self.share_buffers(),
            _ => Ok(()),
        }
    }

    /// The same, changed or not: where not all ranks know of each other.
    pub(in crate::loops) fn share_buffers(&mut self) -> Result<()> {
        let (Process::Group(group), Some(buffers)) = (&self.run.process, &mut self.ranks.buffers) else {
            return Ok(());
        };
        group.broadcast("the exchange of buffers", &buffers.tensors)?;
        (buffers.shared_at, buffers.changed) = (buffers.tensors.version(), false);
        Ok(())
    }
}

/// What is different in the model of a rank.
fn difference(main: &str, other: &str, rank: usize) -> Option<String> {
    let mut lines = main.lines().zip(other.lines());
    let told = |line: &str| line.replace('\t', "` of shape ");
    if let Some((ours, theirs)) = lines.find(|(ours, theirs)| ours != theirs) {
        return Some(format!(
            "the model of rank {rank} is not that of rank 0: it has `{}, and rank 0 `{}",
            told(theirs),
            told(ours)
        ));
    }
    let (ours, theirs) = (main.lines().count(), other.lines().count());
    let (longer, common) = if ours > theirs { (main, theirs) } else { (other, ours) };
    longer.lines().nth(common).map(|line| {
        let one = told(line);
        format!("the model of rank {rank} is not that of rank 0: it has {theirs} variables, and rank 0 {ours}; only one has `{one}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_of_two_models_is_told() {
        let main = "net.a\t[2, 4] Float\nnet.b\t[2] Float\n";
        assert_eq!(difference(main, main, 1), None);
        let told = difference(main, "net.a\t[2, 4] Float\nnet.b\t[3] Float\n", 1).unwrap();
        assert!(told.ends_with("it has `net.b` of shape [3] Float, and rank 0 `net.b` of shape [2] Float"), "{told}");
        let told = difference(main, "net.a\t[2, 4] Float\n", 3).unwrap();
        assert!(told.ends_with("1 variables, and rank 0 2; only one has `net.b` of shape [2] Float"), "{told}");
    }
}
