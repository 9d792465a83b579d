//! States that each rank has a part of: metrics, what was logged, the parts of a checkpoint.

use crate::base::{Error, ErrorContext as _, Result, State as _, StateMap, StateValue};
use crate::checkpoint::{decode_state, encode_state};
use crate::dist::Process;
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::ranks::asked::Settled;
use crate::loops::trainer::Trainer;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Joins the metrics of all ranks, in the order of ranks: then all of them have the same state.
    pub(in crate::loops) fn merge_metrics(&mut self) -> Result<()> {
        if let Process::Alone = self.run.process {
            return Ok(());
        }
        let mut own: Vec<StateMap> = Vec::new();
        self.each_metric(&mut |metric| {
            own.push(metric.save_state());
            Ok(())
        })?;
        let mut state = StateMap::new();
        let count = own.len();
        for (place, metric) in own.into_iter().enumerate() {
            state.put_map(place.to_string(), |map| *map = metric);
        }
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let all = group.gather("the joining of metrics", &encode_state(&state)?)?;
        let mut all = all.iter().map(|state| decode_state(state)).collect::<Result<Vec<_>, _>>()?;
        self.reset_metrics()?;
        for place in 0..count {
            let parts = all.iter_mut().map(|rank| rank.take_map(&place.to_string())).collect::<Result<Vec<_>, _>>()?;
            let (mut parts, mut index) = (Some(parts), 0);
            self.each_metric(&mut |metric| {
                if index == place {
                    parts.take().into_iter().flatten().try_for_each(|part| metric.merge(part))?;
                }
                index += 1;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Says which rank has caused an error, where another one has. From here on nothing is asked of the others.
    #[cold]
    pub(in crate::loops) fn told_of_ranks(&mut self, error: Error) -> Error {
        self.ranks.failed = true;
        match &self.run.process {
            Process::Alone => error,
            Process::Group(group) => group.told(error),
        }
    }

    /// How the save of rank 0 has ended, as rank 0 knows.
    pub(in crate::loops) fn tell_of_save(&self, own: Option<Settled>) -> Result<Settled> {
        let Process::Group(group) = &self.run.process else {
            return own.ok_or_else(|| Error::msg("no checkpoint is being written"));
        };
        let told = group.from_main("the writing of a checkpoint", || serde_json::to_vec(&own).unwrap_or_default())?;
        let told: Option<Settled> =
            serde_json::from_slice(&told).context("the result of a checkpoint can't be read")?;
        told.ok_or_else(|| Error::msg("rank 0 knows of no checkpoint that is being written"))
    }

    /// The states of the optimizers. Where each rank has a part, rank 0 gets all of them, and the others have their own.
    ///
    /// # Errors
    /// When other ranks may be gone: what they had is lost, and with it the state of the whole.
    pub(in crate::loops) fn states_of_optimizers(&self) -> Result<StateMap> {
        let mut states = StateMap::new();
        self.run
            .updates
            .optimizers()
            .iter()
            .for_each(|optimizer| states.put(optimizer.name(), &optimizer.save_state()));
        let Process::Group(group) = &self.run.process else { return Ok(states) };
        if !group.shards_optimizer() {
            return Ok(states);
        }
        if self.ranks.failed {
            return Err(Error::msg(
                "the state of the optimizers is divided over the ranks, of which some may be gone, so the state of this moment can't be saved; go on from an earlier checkpoint",
            ));
        }
        let sent = if group.rank() == 0 { Vec::new() } else { encode_state(&states)? };
        let all = group.gather_to_main("the collection of the optimizers' states", &sent)?;
        for other in all.iter().skip(1) {
            let mut other = decode_state(other)?;
            for optimizer in self.run.updates.optimizers() {
                let theirs = other.take_map(optimizer.name())?.take_map("parameters")?;
                let mut own = states.take_map(optimizer.name())?;
                let mut parameters = own.take_map("parameters")?;
                // a parameter without state here has an empty map
                let found = theirs
                    .0
                    .into_iter()
                    .filter(|(_, state)| !matches!(state, StateValue::Map(map) if map.0.is_empty()));
                parameters.0.extend(found);
                own.put("parameters", &parameters);
                states.put(optimizer.name(), &own);
            }
        }
        Ok(states)
    }

    /// The parts of all ranks for a checkpoint, in the order of ranks; after a failure only that of this one, as others may
    /// be gone.
    pub(in crate::loops) fn parts_of_ranks(&self, own: StateMap) -> Result<Vec<StateMap>> {
        match &self.run.process {
            Process::Group(group) if !self.ranks.failed => {
                let all = group.gather("the collection of a checkpoint", &encode_state(&own)?)?;
                Ok(all.iter().map(|part| decode_state(part)).collect::<Result<_, _>>()?)
            }
            _ => Ok(vec![own]),
        }
    }
}
