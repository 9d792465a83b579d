//! Numbers and answers that may still lie on the device.

use tch::{Kind, Tensor};

/// One number: known on the host, or a 0-d tensor that is not read until somebody asks.
///
/// ```
/// use engine::base::Scalar;
/// use tch::Tensor;
///
/// let loss = Tensor::from_slice(&[1.0f32, 3.0]).mean(tch::Kind::Float);
/// let kept = Scalar::from(&loss); // nothing is read yet
/// assert_eq!(kept.read()?, 2.0);
/// assert_eq!(Scalar::from(0.5).read()?, 0.5);
/// # Ok::<(), tch::TchError>(())
/// ```
#[derive(Debug)]
pub enum Scalar {
    /// Known on the host.
    Number(f64),
    /// A detached tensor of one element, on any device.
    Lazy(Tensor),
}

impl Scalar {
    /// The number. Reads from the device when it is lazy: this waits for the device.
    ///
    /// # Errors
    /// When the tensor has not exactly one element, or libtorch fails.
    pub fn read(&self) -> Result<f64, tch::TchError> {
        match self {
            Scalar::Number(number) => Ok(*number),
            Scalar::Lazy(tensor) => f64::try_from(tensor.f_to_kind(Kind::Double)?),
        }
    }
}

impl Clone for Scalar {
    fn clone(&self) -> Self {
        match self {
            Scalar::Number(number) => Scalar::Number(*number),
            Scalar::Lazy(tensor) => Scalar::Lazy(tensor.shallow_clone()),
        }
    }
}

impl From<f64> for Scalar {
    fn from(number: f64) -> Self {
        Scalar::Number(number)
    }
}

/// Detached: a recorded number never keeps a graph alive.
impl From<&Tensor> for Scalar {
    fn from(tensor: &Tensor) -> Self {
        Scalar::Lazy(tensor.detach())
    }
}

impl From<Tensor> for Scalar {
    fn from(tensor: Tensor) -> Self {
        Scalar::from(&tensor)
    }
}

/// Yes or no: known on the host, or known to the device alone until somebody reads it.
#[derive(Debug)]
pub enum Flag {
    /// Known on the host.
    Known(bool),
    /// A detached tensor of one element, on any device: 0 is no, everything else yes.
    Lazy(Tensor),
}

impl Flag {
    /// The answer, when the host has it.
    pub fn known(&self) -> Option<bool> {
        match self {
            Flag::Known(answer) => Some(*answer),
            Flag::Lazy(_) => None,
        }
    }

    /// The answer. Reads from the device when it is lazy: this waits for the device.
    ///
    /// # Errors
    /// When the tensor has not exactly one element, or libtorch fails.
    pub fn read(&self) -> Result<bool, tch::TchError> {
        match self {
            Flag::Known(answer) => Ok(*answer),
            Flag::Lazy(tensor) => Ok(f64::try_from(tensor.f_to_kind(Kind::Double)?)? != 0.0),
        }
    }
}

impl Clone for Flag {
    fn clone(&self) -> Self {
        match self {
            Flag::Known(answer) => Flag::Known(*answer),
            Flag::Lazy(tensor) => Flag::Lazy(tensor.shallow_clone()),
        }
    }
}
