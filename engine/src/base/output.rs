//! What a step gives back: by type, always a loss; named values and tensors ride along.

use crate::base::error::{Error, Result};
use crate::base::scalar::Scalar;
use tch::Tensor;

/// The result of a `train_step`, a pass or a `val_step`.
///
/// ```
/// # use engine::prelude::*;
/// # fn step(logits: Tensor, target: Tensor) -> Result<Output> {
/// let loss = logits.cross_entropy_for_logits(&target);
/// Ok(Output::new(loss).tensor("logits", &logits).tensor("target", &target))
/// # }
/// ```
#[derive(Debug)]
pub struct Output {
    loss: Option<Tensor>,
    values: Vec<(&'static str, Scalar)>,
    tensors: Vec<(&'static str, Tensor)>,
    weight: Option<f64>,
}

impl Output {
    /// An output with its loss, a tensor of one element. In training its graph is what `backward` runs through.
    pub fn new(loss: Tensor) -> Self {
        Output { loss: Some(loss), ..Output::without_loss() }
    }

    /// An output without a loss, of a training step that has called [`cx.backward`](crate::run::Context::backward)
    /// itself, or of a `val_step` that has none. What rows are to show as `loss` is added by [`Output::value`].
    pub fn without_loss() -> Self {
        Output { loss: None, values: Vec::new(), tensors: Vec::new(), weight: None }
    }

    /// Adds a number to be recorded under `name`. A tensor of one element is not read until a log line needs it.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// let (reconstruction, divergence) = (Tensor::from(0.5), Tensor::from(0.25));
    /// let output = Output::new(&reconstruction + &divergence)
    ///     .value("reconstruction", &reconstruction) // stays on the device
    ///     .value("beta", 1.0);
    /// let names: Vec<&str> = output.values().iter().map(|(name, _)| *name).collect();
    /// assert_eq!(names, ["reconstruction", "beta"]);
    /// ```
    #[must_use]
    pub fn value(mut self, name: &'static str, value: impl Into<Scalar>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// Adds a tensor for metrics and hooks (`logits`, `target`), detached from the graph.
    #[must_use]
    pub fn tensor(mut self, name: &'static str, tensor: &Tensor) -> Self {
        self.tensors.push((name, tensor.detach()));
        self
    }

    /// The loss, with its graph until `backward` has run.
    ///
    /// # Errors
    /// When the step gave none: see [`Output::without_loss`].
    pub fn loss(&self) -> Result<&Tensor> {
        self.loss.as_ref().ok_or_else(|| Error::msg("the output has no loss: its step made it with `without_loss`"))
    }

    /// Whether there is a loss.
    pub fn has_loss(&self) -> bool {
        self.loss.is_some()
    }

    /// The named numbers, in the order in which they were added.
    pub fn values(&self) -> &[(&'static str, Scalar)] {
        &self.values
    }

    /// How much the loss counts in means over several batches: what the batch states
    /// ([`Batch::weight`](crate::data::Batch::weight)). `None` where no loop has given the output on yet.
    pub fn weight(&self) -> Option<f64> {
        self.weight
    }

    /// States the weight; the loops do that with what the batch says, before metrics see the output.
    #[must_use]
    pub fn weighing(mut self, weight: f64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// The tensor with this name.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// let output = Output::new(Tensor::from(0.5)).tensor("logits", &Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)));
    /// assert_eq!(output.get("logits").unwrap().size(), [2, 3]);
    /// assert!(output.get("target").is_none());
    /// ```
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|(known, _)| *known == name).map(|(_, tensor)| tensor)
    }

    /// The names of the tensors that ride along.
    pub fn tensor_names(&self) -> impl Iterator<Item = &'static str> {
        self.tensors.iter().map(|(name, _)| *name)
    }

    /// Lets go of the loss's graph: what is left holds no activations.
    pub(crate) fn detach(&mut self) {
        self.loss = self.loss.as_ref().map(Tensor::detach);
    }
}

impl From<Tensor> for Output {
    fn from(loss: Tensor) -> Self {
        Output::new(loss)
    }
}

/// What `predict_step` gives back for one batch: named tensors and texts, written to `predictions.jsonl`.
///
/// ```
/// use engine::prelude::*;
///
/// let logits = Tensor::from_slice2(&[[0.1, 2.0], [3.0, 0.2]]);
/// let names = ["a.png", "b.png"].map(str::to_owned).to_vec();
/// let prediction = Prediction::new().tensor("class", &logits.argmax(1, false)).texts("file", names);
/// assert_eq!(prediction.named_tensors()[0].1.size(), [2]);
/// assert_eq!(prediction.named_texts()[0].1, ["a.png", "b.png"]);
/// ```
#[derive(Debug, Default)]
pub struct Prediction {
    tensors: Vec<(&'static str, Tensor)>,
    texts: Vec<(&'static str, Vec<String>)>,
}

impl Prediction {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor whose first dimension is the batch.
    #[must_use]
    pub fn tensor(mut self, name: &'static str, tensor: &Tensor) -> Self {
        self.tensors.push((name, tensor.detach()));
        self
    }

    /// Adds one text for each item of the batch.
    #[must_use]
    pub fn texts(mut self, name: &'static str, texts: Vec<String>) -> Self {
        self.texts.push((name, texts));
        self
    }

    /// The named tensors.
    pub fn named_tensors(&self) -> &[(&'static str, Tensor)] {
        &self.tensors
    }

    /// The named texts.
    pub fn named_texts(&self) -> &[(&'static str, Vec<String>)] {
        &self.texts
    }
}
