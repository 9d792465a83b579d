//! A metric of these programs' own.

use engine::base::StateMap;
use engine::prelude::*;

/// The mean probability of the right class, 0 to 1.
///
/// Reads `logits` `[n, classes]` and `target` `[n]` of the step's output.
#[component(metric)]
#[derive(Debug)]
pub struct Confidence {
    #[state]
    sum: f64,
    #[state]
    samples: u64,
}

impl Metric for Confidence {
    fn update(&mut self, output: &Output, batch_size: usize) -> Result<()> {
        let (Some(logits), Some(target)) = (output.get("logits"), output.get("target")) else {
            return Err(Error::msg("`Confidence` needs the tensors `logits` and `target` in the step's output"));
        };
        let right = logits.softmax(1, Kind::Float).gather(1, &target.unsqueeze(1), false);
        self.sum += f64::try_from(right.sum(Kind::Double))?;
        self.samples += batch_size as u64;
        Ok(())
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![("confidence".to_owned(), self.sum / self.samples as f64)])
    }

    fn reset(&mut self) {
        (self.sum, self.samples) = (0.0, 0);
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        self.sum += other.take::<f64>("sum")?;
        self.samples += other.take::<u64>("samples")?;
        Ok(())
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new("confidence", Better::Higher)]
    }
}
