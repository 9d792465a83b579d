//! How far what is drawn is from the data.

use engine::base::StateMap;
use engine::metric::Total;
use engine::prelude::*;

/// The sum over all pixels of the squared difference of means and the squared difference of standard deviations,
/// between the images that were drawn and the real ones. 0 where both agree in each pixel.
///
/// Reads `real` and `drawn` of the step's output, `[n, pixels]` each; `n` may differ.
#[component(metric)]
#[derive(Debug, Default)]
pub struct PixelMoments {
    /// Sums over the real images: `[3, pixels]` of ones, values and squares.
    #[state]
    real: Total,
    /// The same of those that were drawn.
    #[state]
    drawn: Total,
}

const NAME: &str = "moments";

impl Metric for PixelMoments {
    fn update(&mut self, output: &Output, _batch_size: usize) -> Result<()> {
        let (Some(real), Some(drawn)) = (output.get("real"), output.get("drawn")) else {
            return Err(Error::msg("`PixelMoments` needs the tensors `real` and `drawn` in the step's output"));
        };
        self.real.add(&sums(real))?;
        Ok(self.drawn.add(&sums(drawn))?)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let (Some(real), Some(drawn)) = (self.real.tensor(), self.drawn.tensor()) else {
            return Err(Error::msg("`PixelMoments` saw no batch"));
        };
        let difference = moments(real) - moments(drawn);
        Ok(vec![(NAME.to_owned(), f64::try_from(difference.square().sum(Kind::Double))?)])
    }

    fn reset(&mut self) {
        *self = PixelMoments::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        self.real.merge(other.take("real")?)?;
        Ok(self.drawn.merge(other.take("drawn")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(NAME, Better::Lower)]
    }
}

/// `[3, pixels]`: ones, values and squares, summed over the images.
fn sums(images: &Tensor) -> Tensor {
    let images = images.to_kind(Kind::Double);
    let sum = |x: Tensor| x.sum_dim_intlist(0, false, Kind::Double);
    Tensor::stack(&[sum(images.ones_like()), sum(images.shallow_clone()), sum(images.square())], 0)
}

/// `[2, pixels]`: means and standard deviations.
fn moments(sums: &Tensor) -> Tensor {
    let mean = sums.get(1) / sums.get(0);
    let variance = sums.get(2) / sums.get(0) - mean.square();
    Tensor::stack(&[mean, variance.clamp_min(0.0).sqrt()], 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::base::State as _;

    fn seen(real: &[f32], drawn: &[f32]) -> PixelMoments {
        let column = |numbers: &[f32]| Tensor::from_slice(numbers).unsqueeze(1);
        let mut metric = PixelMoments::default();
        let output = Output::without_loss().tensor("real", &column(real)).tensor("drawn", &column(drawn));
        metric.update(&output, real.len()).unwrap();
        metric
    }

    #[test]
    fn means_and_deviations_are_compared_and_parts_merged_are_the_whole() {
        // means 1 and 4, deviations 1 and 2
        let mut metric = seen(&[0.0, 2.0], &[2.0, 6.0]);
        assert_eq!(metric.compute().unwrap(), [("moments".to_owned(), 10.0)]);
        metric.merge(seen(&[2.0, 0.0], &[6.0, 2.0]).save_state()).unwrap();
        assert_eq!(metric.compute().unwrap()[0].1, 10.0);
        assert_eq!(seen(&[1.0, 3.0], &[3.0, 1.0]).compute().unwrap()[0].1, 0.0);
        metric.reset();
        assert!(metric.compute().is_err());
    }
}
