//! The beginning of a training in a group: all ranks get the weights of rank 0, and from then on the same gradients.

use crate::base::{Error, Iter, Result};
use crate::dist::Process;
use crate::hook::EngineHooks;
use crate::loops::checkpoint::own_seed;
use crate::loops::program::Program;
use crate::loops::trainer::{Role, Trainer};
use crate::model::ModelEntry;
use crate::native::TensorList;
use crate::run::Generators;
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
        for (place, name) in names.iter().enumerate() {
            let loader = self.train_loader(place)?;
            loader.deal(rank, world)?;
            let joined = names.len() > 1 && loader.batches().is_some_and(|batches| batches > 0);
            let tail = if joined { loader.tail() } else { None };
            if let Some(samples) = tail.filter(|samples| *samples < world as u64) {
                return Err(Error::msg(format!(
                    "the last batch of a pass of `{name}` has {samples} samples for {world} ranks, and with several train loaders each rank needs one of each; set `drop_last: true` in `loaders.{name}`"
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

    /// Joins the ranks of the group: all have the weights of rank 0, and gradients are averaged from now on.
    pub(in crate::loops) fn join_ranks(&mut self) -> Result<()> {
        self.share_weights()?;
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let parameters = self.run.models.iter().flat_map(ModelEntry::parameters);
        let parameters: Vec<usize> = parameters.map(|(_, tensor)| crate::native::tensor_id(tensor)).collect();
        let variables = self.run.models.iter().flat_map(ModelEntry::distinct).map(|(_, tensor)| tensor);
        let buffers: Vec<&Tensor> =
            variables.filter(|tensor| !parameters.contains(&crate::native::tensor_id(tensor))).collect();
        self.ranks.buffers = (!buffers.is_empty()).then(|| TensorList::new(buffers)).transpose()?;
        let rank = group.rank();
        if rank > 0 && self.run.storage.resumed.is_none() {
            // as all ranks have one seed, they would draw the same dropout masks
            Generators::seed(self.run.device, own_seed(self.run.seed, rank, Iter(0)))?;
        }
        self.run.updates.join(group.for_gradients(), group.reducer_options());
        Ok(())
    }

    /// Gives all ranks the averages of batch norm that rank 0 has, as Python's `DistributedDataParallel` does before each
    /// forward pass.
    pub(in crate::loops) fn share_buffers(&self) -> Result<()> {
        match (&self.run.process, &self.ranks.buffers) {
            (Process::Group(group), Some(buffers)) => Ok(group.broadcast("the exchange of buffers", buffers)?),
            _ => Ok(()),
        }
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
    (ours != theirs).then(|| {
        format!("the model of rank {rank} is not that of rank 0: it has {theirs} variables, and rank 0 {ours}")
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
        assert!(difference(main, "net.a\t[2, 4] Float\n", 3).unwrap().contains("1 variables, and rank 0 2"));
    }
}
