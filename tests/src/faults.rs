//! Where a program stops for a while or fails: told by its experiment.

use engine::prelude::*;
use std::time::Duration;

/// What goes wrong in the training step.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Nothing,
    /// It returns an error.
    Error,
    /// It panics.
    Panic,
    /// libtorch is asked for what it can't do.
    Shape,
    /// A product of matrices that don't fit.
    Matmul,
    /// The same, as an error and not as a panic.
    Returned,
    /// A target that is no class.
    Target,
    /// A target of another kind.
    Kind,
    /// A device that is not there.
    Device,
    /// It takes 400 milliseconds.
    Slow,
    /// Its loss is NaN.
    Nan,
    /// It asks for more memory than there is.
    Memory,
    /// It uses an operator whose results may differ from run to run.
    Unrepeatable,
}

/// Prints `mark NAME N` and sleeps, so that whoever reads the output can end the process right here.
pub fn mark(name: &str, number: u64, pause: u64) {
    if pause > 0 {
        println!("mark {name} {number}");
        std::thread::sleep(Duration::from_millis(pause));
    }
}

impl Fault {
    /// Lets it happen to a loss.
    ///
    /// # Errors
    /// When that is what is to go wrong.
    #[expect(clippy::panic, reason = "a panic is what is asked for")]
    pub fn happen(self, output: Output) -> Result<Output> {
        match self {
            Fault::Nothing => Ok(output),
            Fault::Error => Err(Error::msg("the step gave up")),
            Fault::Panic => panic!("the step fell over"),
            Fault::Shape => {
                let loss = output.loss()?;
                let ones = |n: i64| loss.new_ones([n], (Kind::Float, Device::Cpu));
                Ok(Output::new(loss + ones(2).dot(&ones(3))))
            }
            Fault::Matmul => Ok(Output::new(zeros(&[32, 29]).matmul(&zeros(&[30, 64])).sum(Kind::Float))),
            Fault::Returned => Ok(Output::new(zeros(&[32, 29]).f_matmul(&zeros(&[30, 64]))?.sum(Kind::Float))),
            Fault::Target => {
                let target = Tensor::full([2], 9, (Kind::Int64, Device::Cpu));
                Ok(Output::new(zeros(&[2, 9]).cross_entropy_for_logits(&target)))
            }
            Fault::Kind => Ok(Output::new(zeros(&[2, 9]).cross_entropy_for_logits(&zeros(&[2])))),
            Fault::Device => Ok(Output::new(zeros(&[2]).to_device(Device::Cuda(99)).sum(Kind::Float))),
            // no machine has 2^60 bytes to address
            Fault::Memory => {
                let much = Tensor::empty([1 << 58], (Kind::Float, Device::Cpu));
                Ok(Output::new(output.loss()? + much.sum(Kind::Float)))
            }
            Fault::Unrepeatable => {
                let mut place = Tensor::zeros([2], (Kind::Float, Device::Cpu));
                let first = Tensor::from_slice(&[0i64]);
                Ok(Output::new(
                    output.loss()? + place.put_(&first, &Tensor::from_slice(&[0f32]), false).sum(Kind::Float),
                ))
            }
            Fault::Slow => {
                std::thread::sleep(Duration::from_millis(400));
                Ok(output)
            }
            Fault::Nan => Ok(Output::new(output.loss()? * f64::NAN)),
        }
    }
}

fn zeros(size: &[i64]) -> Tensor {
    Tensor::zeros(size, (Kind::Float, Device::Cpu))
}
