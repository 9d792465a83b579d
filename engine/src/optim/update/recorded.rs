//! Updates that are part of a CUDA graph.

use crate::base::{Error, Result};
use crate::native::{self, Graph, GraphPool, Scaling, TensorList};
use crate::optim::live::Optim;
use crate::optim::update::skipped::NonFinite;
use crate::optim::update::{Updated, Updates};
use tch::{Device, Tensor};

/// The kernels of an update, with the memory that they write into.
#[derive(Debug)]
pub(crate) struct RecordedUpdate {
    /// `None` when they are part of the graph of their batch.
    graph: Option<Graph>,
    /// The norm of the gradient.
    norm: Option<Tensor>,
    /// 1 where the update does not happen: read by the kernels, and where losses are not scaled, written by them.
    found_inf: Option<Tensor>,
    /// [`Updates::mark`] when it was recorded.
    mark: u64,
}

impl RecordedUpdate {
    /// Whether the settings are still those that it was recorded with.
    pub(crate) fn fits(&self, updates: &Updates, pass: usize) -> bool {
        self.mark == updates.mark(pass)
    }
}

impl Updates {
    /// Why the updates of a pass can't be part of a CUDA graph; `None` when they can.
    pub(crate) fn why_not_recorded(&self, pass: usize, device: Device) -> Option<String> {
        if self.non_finite == NonFinite::Stop {
            return Some("`non_finite: Stop` counts updates on the host".to_owned());
        }
        self.of(pass).find_map(|optimizer| optimizer.why_not_recorded(device))
    }

    /// Whether the update of a pass can be in one graph with its batch: nothing has to be done in between.
    pub(crate) fn follows_at_once(&self) -> bool {
        self.scalers.is_empty() && self.gradient_scales.is_empty()
    }

    /// A number that changes with every setting of a pass that a recorded update holds.
    pub(crate) fn mark(&self, pass: usize) -> u64 {
        self.of(pass).fold(0, |mark, optimizer| mark.rotate_left(1) ^ optimizer.settings_mark())
    }

    /// Brings the learning rates of now to the device, before a recorded update of the pass is replayed.
    pub(crate) fn refresh_rates(&mut self, pass: usize) -> Result<()> {
        for place in 0..self.passes[pass].optimizers.len() {
            let optimizer = self.passes[pass].optimizers[place];
            self.optimizers[optimizer].refresh_rates()?;
        }
        Ok(())
    }

    /// Records the update of a pass as a graph of its own. To be called when its gradient is final.
    pub(crate) fn record(&mut self, pass: usize, pool: GraphPool) -> Result<RecordedUpdate> {
        self.refresh_rates(pass)?;
        let found = self.found_inf.as_ref().map(Tensor::f_detach_copy).transpose()?;
        let (graph, update) = Graph::record(pool, || self.kernels(pass, found))?;
        Ok(RecordedUpdate { graph: Some(graph), ..update })
    }

    /// The kernels of the update, to be recorded in the graph of its batch.
    pub(crate) fn within_graph(&mut self, pass: usize) -> Result<RecordedUpdate> {
        self.kernels(pass, None)
    }

    /// Clipping and the steps. `found`: known before, where losses are scaled.
    fn kernels(&mut self, pass: usize, found: Option<Tensor>) -> Result<RecordedUpdate> {
        let norm = self.measure_and_clip(pass)?;
        let found_inf = match (found, &norm, self.non_finite) {
            (Some(found), ..) => Some(found),
            (None, Some(norm), NonFinite::Skip | NonFinite::Stop) => Some(native::not_finite(norm)?),
            (None, ..) => None,
        };
        for place in 0..self.passes[pass].optimizers.len() {
            let optimizer = self.passes[pass].optimizers[place];
            let scaling = Scaling { found_inf: found_inf.as_ref(), ..Scaling::default() };
            self.optimizers[optimizer].step_recorded(scaling)?;
        }
        Ok(RecordedUpdate { graph: None, norm, found_inf, mark: self.mark(pass) })
    }

    /// Makes a recorded update; one that is part of its batch's graph is made already.
    pub(crate) fn replay(&mut self, pass: usize, update: &mut RecordedUpdate) -> Result<Updated> {
        if let Some(graph) = &update.graph {
            self.refresh_rates(pass)?;
            if let (Some(into), Some(found)) = (&mut update.found_inf, self.found_inf.take()) {
                into.f_copy_(&found)?;
            }
            graph.replay()?;
        }
        // copies: the next update writes over them
        let copy = |tensor: &Option<Tensor>| tensor.as_ref().map(Tensor::f_detach_copy).transpose();
        match copy(&update.found_inf)? {
            Some(found) => drop(self.skipped.found(found, NonFinite::Skip, 0)?),
            None => self.skipped.none(),
        }
        self.updated(pass, copy(&update.norm)?)
    }

    /// The gradients of a pass, as they lie now: of each optimizer.
    pub(crate) fn gradients(&self, pass: usize) -> Result<Vec<TensorList>> {
        self.of(pass).map(|optimizer| Ok(optimizer.parameters().gradients()?)).collect()
    }

    /// Puts gradients in the place of those of a pass.
    pub(crate) fn set_gradients(&self, pass: usize, gradients: &[TensorList]) -> Result<()> {
        let mut lists = gradients.iter();
        for optimizer in self.of(pass) {
            let list = lists.next().ok_or_else(|| Error::msg("a pass has other optimizers than before"))?;
            optimizer.parameters().set_gradients(list)?;
        }
        Ok(())
    }

    /// The optimizers of a pass.
    fn of(&self, pass: usize) -> impl Iterator<Item = &Optim> {
        self.passes[pass].optimizers.iter().map(|optimizer| &self.optimizers[*optimizer])
    }
}
