//! What a step costs: operations, by the modules whose weights they multiply with, and memory.

use crate::base::{Error, Result, State as _, StateMap, StateValue};
use crate::hook::EngineHooks;
use crate::loops::dumped::Notes;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::native::{FlopCounter, OperatorFlops, storage_id};
use crate::optim::Optim;
use crate::run::{PassPlace, Shares};
use std::collections::BTreeMap;
use tch::Tensor;

/// What an update of each pass costs.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// The samples of the batch.
    pub samples: usize,
    /// The modules, by name: `net.backbone`.
    pub modules: Vec<ModuleCosts>,
    /// Operations of the forward passes that multiply with no parameter, by operator, as those of attention.
    pub others: Vec<(String, u64)>,
    /// Operations of all forward passes.
    pub forward: u64,
    /// Operations of all backwards.
    pub backward: u64,
    /// Whether a step has gone backward itself, so that `forward` holds some of its backward.
    pub is_mixed: bool,
    /// Bytes of the variables of all models.
    pub weights: u64,
    /// Bytes of all gradients.
    pub gradients: u64,
    /// Bytes of the states of all optimizers, after an update.
    pub optimizers: u64,
}

/// What the parameters of one module cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleCosts {
    /// The names of its parameters up to the last dot, with the model in front.
    pub name: String,
    /// The numbers in its parameters.
    pub parameters: u64,
    /// Those that are trained.
    pub trained: u64,
    /// Operations of the forward passes that multiply with its parameters.
    pub forward: u64,
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Computes one update of each pass on the first batch, and counts. No hook is called; a program that was measured
    /// trains no further.
    ///
    /// # Errors
    /// The first error of a step, a loader or an optimizer; when the train loader has no batch.
    pub fn costs(&mut self) -> Result<Costs> {
        self.prepare_passes()?;
        self.set_training(true);
        let batch = self.next_train_batch()?.ok_or_else(|| Error::msg("the train loader has no batch"))?;
        let batch = batch.onto(&self.run)?;
        let mut costs = Costs { samples: batch.size, ..Costs::default() };
        let mut by_memory: BTreeMap<usize, usize> = BTreeMap::new();
        self.list_modules(&mut costs, &mut by_memory);
        for pass in 0..self.run.updates.passes().len() {
            self.run.current.pass = Some(PassPlace { pass, time: 0 });
            self.run.updates.begin(pass)?;
            self.run.updates.before_batch(pass, true)?;
            self.run.step.shares = Shares::default();
            self.run.step.put_batch(batch.size, batch.weight);
            self.run.step.goes_backward = true;
            self.replaying = Some(Notes { flops: Some(FlopCounter::begin()?), ..Notes::default() });
            let result = match self.processor.is_some() {
                true => self.compute_by_processor(pass, &batch.batch),
                false => self.compute(pass, &batch.batch),
            };
            self.run.step.goes_backward = false;
            let notes = self.replaying.take().unwrap_or_default();
            result?;
            costs.is_mixed |= self.run.step.has_gone_backward;
            costs.count_forward(&notes.forward_flops, &by_memory);
            costs.backward += notes.backward_flops.iter().map(|operator| operator.flops).sum::<u64>();
            drop(notes);
            self.run.updates.finish(pass)?;
            costs.gradients += self.bytes_of_gradients(pass)?;
            // one that computes the loss again has its state after some updates only
            if !self.run.updates.minimizes(pass) {
                self.run.updates.step(pass, 0)?;
            }
            self.run.current.pass = None;
        }
        let optimizers = self.run.updates.optimizers().iter();
        costs.optimizers = optimizers.map(bytes_of_optimizer).sum::<Result<u64>>()?;
        Ok(costs)
    }

    /// The modules, and which of them has the parameter in which memory.
    fn list_modules(&self, costs: &mut Costs, by_memory: &mut BTreeMap<usize, usize>) {
        for model in self.run.models.iter() {
            costs.weights += model.variables().iter().map(|(_, variable)| bytes_of(variable)).sum::<u64>();
            for (name, parameter) in model.parameters() {
                let module = match name.rsplit_once('.') {
                    Some((module, _)) => format!("{}.{module}", model.name()),
                    None => model.name().to_owned(),
                };
                let place = costs.modules.iter().position(|known| known.name == module).unwrap_or_else(|| {
                    costs.modules.push(ModuleCosts { name: module, ..ModuleCosts::default() });
                    costs.modules.len() - 1
                });
                let count = parameter.numel() as u64;
                costs.modules[place].parameters += count;
                costs.modules[place].trained += if parameter.requires_grad() { count } else { 0 };
                if let Some(memory) = storage_id(parameter) {
                    by_memory.entry(memory).or_insert(place);
                }
            }
        }
    }

    fn bytes_of_gradients(&self, pass: usize) -> Result<u64> {
        let mut bytes = 0;
        for optimizer in self.run.updates.passes()[pass].optimizers() {
            let gradients = self.run.updates.optimizers()[*optimizer].parameters().gradients()?;
            for index in 0..gradients.len() {
                bytes += gradients.get(index)?.as_ref().map_or(0, bytes_of);
            }
        }
        Ok(bytes)
    }
}

impl Costs {
    fn count_forward(&mut self, operators: &[OperatorFlops], by_memory: &BTreeMap<usize, usize>) {
        for operator in operators {
            self.forward += operator.flops;
            match operator.operands.iter().find_map(|memory| by_memory.get(memory)) {
                Some(place) => self.modules[*place].forward += operator.flops,
                None => match self.others.iter_mut().find(|(name, _)| *name == operator.name) {
                    Some((_, flops)) => *flops += operator.flops,
                    None => self.others.push((operator.name.clone(), operator.flops)),
                },
            }
        }
    }
}

fn bytes_of(tensor: &Tensor) -> u64 {
    (tensor.numel() * tensor.kind().elt_size_in_bytes()) as u64
}

fn bytes_of_optimizer(optimizer: &Optim) -> Result<u64> {
    match optimizer.is_minimizer() {
        true => Ok(optimizer.state_bytes()?.1),
        false => Ok(bytes_of_state(&optimizer.save_state())),
    }
}

fn bytes_of_state(state: &StateMap) -> u64 {
    state.0.values().map(bytes_of_value).sum()
}

fn bytes_of_value(value: &StateValue) -> u64 {
    match value {
        StateValue::Tensor(tensor) => bytes_of(tensor),
        StateValue::Map(map) => bytes_of_state(map),
        StateValue::List(list) => list.iter().map(bytes_of_value).sum(),
        _ => 0,
    }
}
