//! What becomes of batches that a CUDA device is to take: they are copied into pinned memory where they are made, and one
//! batch may be copied to the device ahead of its turn, while the device computes.
//!
//! Neither changes a value or the order of batches, and neither is needed: where one fails, a line says so once, and
//! batches go the plain way from then on.

use crate::base::error::Result;
use crate::base::spans::{self, SpanKind};
use crate::data::batch::Batch;
use crate::native::{CopyLane, pinned_copy};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tch::{Device, Tensor};

/// Copies batches into pinned memory, on the threads that make them.
#[derive(Debug, Default)]
pub(super) struct Pins {
    has_failed: AtomicBool,
    /// Why, until it is told.
    why: Mutex<Option<String>>,
}

impl Pins {
    /// The batch in pinned memory, or as it is where that can't be had.
    ///
    /// # Errors
    /// Those of the batch's own parts.
    pub(super) fn pinned<B: Batch>(&self, mut batch: B) -> Result<B> {
        batch.each_tensor(&mut |tensor| {
            if self.has_failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            match pinned_copy(tensor) {
                Ok(Some(copy)) => *tensor = copy,
                Ok(None) => {}
                Err(error) => {
                    *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                    self.has_failed.store(true, Ordering::Release);
                }
            }
            Ok(())
        })?;
        Ok(batch)
    }

    /// Why memory could not be pinned, once.
    pub(super) fn failure(&self) -> Option<String> {
        if !self.has_failed.load(Ordering::Acquire) {
            return None;
        }
        self.why.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Where copies from the host to a device are queued, beside what the device computes.
pub(super) trait Lane: Send {
    /// Queues a copy of a tensor of the host; `None` for one that can't be copied ahead.
    ///
    /// # Errors
    /// When the device is out of memory.
    fn copy(&mut self, tensor: &Tensor) -> Result<Option<Tensor>>;

    /// Notes the place behind all copies so far.
    ///
    /// # Errors
    /// Those of the device.
    fn mark(&mut self) -> Result<()>;

    /// What this thread gives the device from now on comes after the copies before the mark.
    ///
    /// # Errors
    /// Those of the device.
    fn wait(&mut self) -> Result<()>;

    /// The memory of a copy stays, when it is dropped, until what this thread has given the device by then is done.
    ///
    /// # Errors
    /// Those of the device.
    fn keep(&mut self, copy: &Tensor) -> Result<()>;
}

impl Lane for CopyLane {
    fn copy(&mut self, tensor: &Tensor) -> Result<Option<Tensor>> {
        Ok(CopyLane::copy(self, tensor)?)
    }
    fn mark(&mut self) -> Result<()> {
        Ok(CopyLane::mark(self)?)
    }
    fn wait(&mut self) -> Result<()> {
        Ok(CopyLane::wait(self)?)
    }
    fn keep(&mut self, copy: &Tensor) -> Result<()> {
        Ok(CopyLane::keep(self, copy)?)
    }
}

/// How batches come to a CUDA device.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransferConfig {
    /// From pinned memory.
    pub(super) pin_memory: bool,
    /// One of them while the device computes.
    pub(super) ahead: bool,
}

/// The way of a loader's batches to a device. Until there is a CUDA device it does nothing.
pub(super) struct Transfer {
    config: TransferConfig,
    pins: Option<Arc<Pins>>,
    ahead: Option<Ahead>,
    /// What has gone wrong, to be told.
    notice: Option<String>,
}

/// What copies one batch to the device ahead of its turn.
struct Ahead {
    device: Device,
    /// Made for the first copy: the device may not be in use before.
    lane: Option<Box<dyn Lane>>,
    /// The turn of the batch that is under way or there.
    turn: Option<u64>,
}

impl Transfer {
    pub(super) fn new(config: TransferConfig) -> Self {
        Transfer { config, pins: None, ahead: None, notice: None }
    }

    /// One batch ahead, by a lane of the caller's.
    #[cfg(test)]
    pub(super) fn by(lane: Box<dyn Lane>) -> Self {
        let config = TransferConfig { pin_memory: false, ahead: true };
        let ahead = Ahead { device: Device::Cpu, lane: Some(lane), turn: None };
        Transfer { ahead: Some(ahead), ..Transfer::new(config) }
    }

    /// Batches are for this device from now on.
    pub(super) fn go_to(&mut self, device: Device) {
        let is_cuda = matches!(device, Device::Cuda(_));
        self.pins = (is_cuda && self.config.pin_memory).then(Arc::default);
        self.ahead = (is_cuda && self.config.ahead).then_some(Ahead { device, lane: None, turn: None });
    }

    /// What pins batches where they are made, if they are to be pinned.
    pub(super) fn pins(&self) -> Option<&Arc<Pins>> {
        self.pins.as_ref()
    }

    /// Whether the batch of this turn is to be copied ahead, and is not yet.
    pub(super) fn wants(&self, turn: u64) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.turn != Some(turn))
    }

    /// Begins to copy the batch of a turn. When it fails, nothing of the batch is changed, and none is copied any more.
    pub(super) fn begin<B: Batch>(&mut self, turn: u64, batch: &mut B) {
        let Some(ahead) = &mut self.ahead else { return };
        if let Err(why) = ahead.begin(turn, batch) {
            self.ahead = None;
            let notice = "no batch is copied ahead to the device from now on, because it has failed";
            self.notice = Some(format!("{notice}: {why:#}"));
        }
    }

    /// Lets this thread use the batch of a turn, if that is the one that was copied ahead.
    ///
    /// # Errors
    /// Those of the device.
    pub(super) fn arrive<B: Batch>(&mut self, turn: u64, batch: &mut B) -> Result<()> {
        let Some(Ahead { lane: Some(lane), turn: ahead, .. }) = &mut self.ahead else { return Ok(()) };
        if ahead.take() != Some(turn) {
            return Ok(());
        }
        lane.wait()?;
        batch.each_tensor(&mut |tensor| lane.keep(tensor))
    }

    /// The batch that was copied is not wanted any more.
    pub(super) fn forget(&mut self) {
        if let Some(ahead) = &mut self.ahead {
            ahead.turn = None;
        }
    }

    /// What has gone wrong without harm to the data, once.
    pub(super) fn notice(&mut self) -> Option<String> {
        self.notice.take().or_else(|| {
            let why = self.pins.as_ref()?.failure()?;
            let notice = "batches lie in pageable memory from now on, because none could be pinned (`pin_memory: false` asks for none)";
            Some(format!("{notice}: {why}"))
        })
    }
}

impl Ahead {
    fn begin<B: Batch>(&mut self, turn: u64, batch: &mut B) -> Result<()> {
        let _span = spans::span(SpanKind::Data, "copy a batch ahead");
        let lane = match &mut self.lane {
            Some(lane) => lane,
            None => self.lane.insert(Box::new(CopyLane::new(self.device)?)),
        };
        let mut copies = Vec::new();
        batch.each_tensor(&mut |tensor| {
            copies.push(lane.copy(tensor)?);
            Ok(())
        })?;
        lane.mark()?;
        let mut copies = copies.into_iter();
        batch.each_tensor(&mut |tensor| {
            if let Some(copy) = copies.next().flatten() {
                *tensor = copy;
            }
            Ok(())
        })?;
        self.turn = Some(turn);
        Ok(())
    }
}
