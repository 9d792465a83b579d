//! A batch in the hands of the step processor that the experiment chooses.

use crate::base::libtorch::is_out_of_memory;
use crate::base::{Error, Result};
use crate::data::{Batch as _, checked_weight};
use crate::hook::EngineHooks;
use crate::loops::processor::{BatchStep, StepConfig};
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::run::{Context, Generators};
use std::ops::Range;

/// A batch in the hands of a processor.
struct InProcess<'p, D: EngineHooks, T: Trainer> {
    program: &'p mut Program<D, T>,
    pass: usize,
    batch: &'p T::Batch,
    /// Its samples and its weight.
    size: usize,
    weight: f64,
    /// Whether something was computed.
    is_computed: bool,
}

impl<D: EngineHooks, T: Trainer> BatchStep for InProcess<'_, D, T> {
    fn samples(&self) -> usize {
        self.size
    }

    fn context(&mut self) -> Context<'_> {
        self.program.context()
    }

    fn compute_samples(&mut self, samples: Range<usize>) -> Result<()> {
        if self.is_computed && self.program.run.process.world() > 1 {
            return Err(Error::msg(
                "with several ranks a batch is computed once: its backward exchanges the gradients",
            ));
        }
        self.is_computed = true;
        if samples == (0..self.size) {
            self.program.run.step.put_part(0, self.size, self.weight);
            return self.program.compute(self.pass, self.batch);
        }
        if samples.is_empty() {
            return Err(Error::msg(format!("a step processor has asked for no samples: {samples:?}")));
        }
        let first = samples.start;
        let part = self.batch.samples(samples)?;
        let size = part.size();
        let weight = checked_weight(&part, size)?;
        self.program.run.step.put_part(first, size, weight);
        self.program.compute(self.pass, &part)
    }

    fn try_samples(&mut self, samples: Range<usize>) -> Result<bool> {
        let run = &mut self.program.run;
        let generators = Generators::of(run.device)?;
        let aside = run.updates.set_aside_gradients(self.pass)?;
        let was_computed = self.is_computed;
        let result = self.compute_samples(samples);
        let run = &mut self.program.run;
        match result {
            Ok(()) => {
                run.updates.add_gradients(self.pass, &aside)?;
                Ok(true)
            }
            Err(error) if error.chain().iter().any(|text| is_out_of_memory(text)) => {
                self.is_computed = was_computed;
                run.step.output = None;
                run.updates.put_gradients_back(self.pass, &aside)?;
                generators.put_back()?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Lets a step processor take the steps of batches from now on, as `step_processor` of an experiment does.
    pub fn set_step_processor(&mut self, processor: Box<dyn StepConfig>) {
        self.processor = Some(processor);
    }

    /// The step of a batch, as the chosen processor takes it.
    pub(super) fn compute_by_processor(&mut self, pass: usize, batch: &T::Batch) -> Result<()> {
        let Some(processor) = self.processor.take() else { return self.compute(pass, batch) };
        let (size, weight) = (self.run.step.batch_size, self.run.step.batch_weight);
        let mut step = InProcess { program: self, pass, batch, size, weight, is_computed: false };
        let result = processor.process(&mut step);
        let is_computed = step.is_computed;
        let name = processor.typetag_name();
        self.processor = Some(processor);
        // an error tells of the part that was in work
        result?;
        self.run.step.put_part(0, size, weight);
        match is_computed {
            true => Ok(()),
            false => Err(Error::msg(format!(
                "the step processor `{name}` has computed nothing: it has to call `compute` or `compute_samples`"
            ))),
        }
    }
}
