//! Optimizers whose state is divided over the ranks of a group (ZeRO, stage 1: Rajbhandari et al. 2020,
//! <https://arxiv.org/abs/1910.02054>): each rank updates its own part of the parameters, and gives them to the others.
//!
//! A parameter is updated by the kernel that updates it in one process, from the same gradient: the weights are the same to
//! the bit. Parameters are not cut: each belongs to one rank as a whole.

use crate::base::Result;
use crate::native::{self, ProcessGroup, TensorList};
use crate::optim::live::Optim;
use std::collections::BTreeSet;
use std::sync::Arc;
use tch::Tensor;

/// The division of the optimizers over the ranks; nothing is divided without a group.
#[derive(Debug, Default)]
pub(super) struct Sharded(Option<Shards>);

#[derive(Debug)]
struct Shards {
    group: Arc<ProcessGroup>,
    /// For each optimizer.
    optimizers: Vec<Shard>,
}

/// How the parameters of an optimizer are divided.
#[derive(Debug)]
struct Shard {
    /// For each rank those that it updates.
    of_ranks: Vec<TensorList>,
    /// Those that other ranks update.
    others: TensorList,
}

/// Gradients of other ranks' parameters, for the time of the step.
pub(super) struct SetAside(Vec<TensorList>);

/// The optimizer state of a rank, and of all ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardSize {
    /// Bytes of this rank.
    pub own: u64,
    /// Bytes of all ranks together.
    pub all: u64,
}

/// The state that optimizers have once every parameter had a gradient, without counts of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBytes {
    /// Of the rank that has most of it.
    pub most: u64,
    /// Of all ranks together.
    pub all: u64,
}

impl Sharded {
    /// Divides these optimizers over the ranks of a group.
    pub(super) fn divide(optimizers: &mut [Optim], group: &Arc<ProcessGroup>) -> Result<Sharded> {
        let (rank, world) = (group.rank(), group.world());
        let (mut taken, mut shards) = (vec![0; world], Vec::new());
        for optimizer in optimizers {
            let tensors: Vec<Tensor> = optimizer.each_parameter()?;
            let owners = owners(&sizes(&tensors), &mut taken);
            let of = |wanted: &dyn Fn(usize) -> bool| {
                let owned = tensors.iter().zip(&owners).filter(|(_, owner)| wanted(**owner));
                TensorList::new(owned.map(|(tensor, _)| tensor))
            };
            let of_ranks = (0..world).map(|owner| of(&|of| of == owner)).collect::<Result<_, _>>()?;
            shards.push(Shard { of_ranks, others: of(&|of| of != rank)? });
            let names = optimizer.parameter_names().iter().zip(&owners);
            let elsewhere: BTreeSet<String> =
                names.filter(|(_, owner)| **owner != rank).map(|(name, _)| name.clone()).collect();
            optimizer.set_elsewhere(elsewhere);
        }
        Ok(Sharded(Some(Shards { group: Arc::clone(group), optimizers: shards })))
    }

    /// How much of the state of these optimizers this rank has, if it is divided.
    pub(super) fn size(&self, optimizers: &[Optim]) -> Result<Option<ShardSize>> {
        if self.0.is_none() {
            return Ok(None);
        }
        let sizes = optimizers.iter().map(Optim::state_bytes).collect::<Result<Vec<_>, _>>()?;
        let sum = |part: fn(&(u64, u64)) -> u64| sizes.iter().map(part).sum();
        Ok(Some(ShardSize { own: sum(|(own, _)| *own), all: sum(|(_, all)| *all) }))
    }

    /// Before the step of these optimizers: takes away the gradients of parameters that other ranks update, so that the step
    /// passes them over.
    pub(super) fn set_aside(&self, optimizers: &[usize]) -> Result<SetAside> {
        let Some(shards) = &self.0 else { return Ok(SetAside(Vec::new())) };
        let of = |optimizer: &usize| {
            let others = &shards.optimizers[*optimizer].others;
            let gradients = others.gradients()?;
            native::zero_grad(others)?;
            Ok(gradients)
        };
        Ok(SetAside(optimizers.iter().map(of).collect::<Result<_>>()?))
    }

    /// After the step: puts the gradients back, and gives every rank the parameters that others have updated.
    pub(super) fn share(&self, optimizers: &[usize], SetAside(gradients): SetAside) -> Result<()> {
        let Some(shards) = &self.0 else { return Ok(()) };
        for (optimizer, gradients) in optimizers.iter().zip(&gradients) {
            let shard = &shards.optimizers[*optimizer];
            shard.others.set_gradients(gradients)?;
            for (owner, parameters) in shard.of_ranks.iter().enumerate() {
                shards.group.broadcast(parameters, owner)?;
            }
        }
        Ok(())
    }
}

/// The state of optimizers that are divided over so many ranks.
pub(super) fn state_bytes(optimizers: &[Optim], ranks: usize) -> Result<StateBytes> {
    let (mut taken, mut bytes) = (vec![0; ranks.max(1)], vec![0; ranks.max(1)]);
    for optimizer in optimizers {
        let tensors = optimizer.each_parameter()?;
        for (tensor, owner) in tensors.iter().zip(owners(&sizes(&tensors), &mut taken)) {
            bytes[owner] += optimizer.bytes_of_state(tensor);
        }
    }
    Ok(StateBytes { most: bytes.iter().copied().max().unwrap_or(0), all: bytes.iter().sum() })
}

fn sizes(tensors: &[Tensor]) -> Vec<u64> {
    tensors.iter().map(|tensor| tensor.numel() as u64).collect()
}

/// The rank of each parameter: the largest first, each to the rank that has the least so far. `taken` is what the ranks
/// have.
fn owners(sizes: &[u64], taken: &mut [u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(sizes[*place]));
    let mut owners = vec![0; sizes.len()];
    for place in order {
        let least = taken.iter().enumerate().min_by_key(|(_, taken)| **taken).map_or(0, |(rank, _)| rank);
        owners[place] = least;
        taken[least] += sizes[place];
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_divided_so_that_ranks_have_about_the_same() {
        let mut taken = [0; 3];
        assert_eq!(owners(&[10, 100, 60, 50, 40], &mut taken), [1, 0, 1, 2, 2]);
        assert_eq!(taken, [100, 70, 90]);
        // the next optimizer fills up
        assert_eq!(owners(&[30], &mut taken), [1]);
        // fewer parameters than ranks
        assert_eq!(owners(&[5], &mut [0, 0]), [0]);
    }
}
