//! What steps return: [`Output`] with a loss, named values and tensors, and [`Prediction`].

mod cases;

use crate::base::error::{Error, Result};
use crate::base::scalar::Scalar;
use crate::base::suggest::meant;
use std::sync::atomic::{AtomicBool, Ordering};
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
    texts: Vec<(&'static str, Vec<String>)>,
    weight: Option<f64>,
    /// Whether a name was asked for that is not there: of a metric that fails then, this is why.
    missed: AtomicBool,
}

impl Output {
    /// An output with a loss, which is a tensor of one element. In training, `backward` runs from this loss.
    pub fn new(loss: Tensor) -> Self {
        Output { loss: Some(loss), ..Output::without_loss() }
    }

    /// An output without a loss: for a training step that has called [`cx.backward`](crate::run::Context::backward)
    /// itself, or for a `val_step` that computes no loss. To show a `loss` in rows, add it with [`Output::value`].
    pub fn without_loss() -> Self {
        Output {
            loss: None,
            values: Vec::new(),
            tensors: Vec::new(),
            texts: Vec::new(),
            weight: None,
            missed: AtomicBool::new(false),
        }
    }

    /// Adds a number that is recorded under `name`. A tensor of one element is read only when a row is written.
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
    /// When the step returned no loss: see [`Output::without_loss`].
    pub fn loss(&self) -> Result<&Tensor> {
        self.noted(self.loss.as_ref())
            .ok_or_else(|| Error::msg("the output has no loss: its step made it with `without_loss`"))
    }

    /// Adds texts for metrics such as [`Bleu`](crate::metric::Bleu), one for each sample.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// let output = Output::without_loss()
    ///     .texts("prediction", vec!["a cat".to_owned()])
    ///     .texts("target", vec!["the cat".to_owned()]);
    /// assert_eq!(output.get_texts("target").unwrap(), ["the cat"]);
    /// ```
    #[must_use]
    pub fn texts(mut self, name: &'static str, texts: Vec<String>) -> Self {
        self.texts.push((name, texts));
        self
    }

    /// Whether there is a loss.
    pub fn has_loss(&self) -> bool {
        self.loss.is_some()
    }

    /// The named numbers, in the order in which they were added.
    pub fn values(&self) -> &[(&'static str, Scalar)] {
        &self.values
    }

    /// How much the loss counts in means over several batches: the weight of the batch
    /// ([`Batch::weight`](crate::data::Batch::weight)). `None` until a loop has set it.
    pub fn weight(&self) -> Option<f64> {
        self.weight
    }

    /// Sets the weight. The loops call this with the weight of the batch before metrics get the output.
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
        let found = self.tensors.iter().find(|(known, _)| *known == name).map(|(_, tensor)| tensor);
        self.noted(found)
    }

    /// The names of the tensors.
    pub fn tensor_names(&self) -> impl Iterator<Item = &'static str> {
        self.tensors.iter().map(|(name, _)| *name)
    }

    /// The texts with this name.
    pub fn get_texts(&self, name: &str) -> Option<&[String]> {
        let found = self.texts.iter().find(|(known, _)| *known == name).map(|(_, texts)| texts.as_slice());
        self.noted(found)
    }

    /// The names of the texts.
    pub fn text_names(&self) -> impl Iterator<Item = &'static str> {
        self.texts.iter().map(|(name, _)| *name)
    }

    /// What was found, after noting that it was not there.
    fn noted<P>(&self, found: Option<P>) -> Option<P> {
        if found.is_none() {
            self.missed.store(true, Ordering::Relaxed);
        }
        found
    }

    /// Whether a tensor, a text or the loss was asked for since the last call and is not there.
    pub(crate) fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }

    /// The same with what `copy` makes of each tensor.
    pub(crate) fn copied(&self, copy: &mut dyn FnMut(&Tensor) -> Result<Tensor>) -> Result<Output> {
        let loss = self.loss.as_ref().map(&mut *copy).transpose()?;
        let values = self.values.iter().map(|(name, value)| Ok((*name, value.copied(copy)?)));
        let values = values.collect::<Result<_>>()?;
        let tensors = self.tensors.iter().map(|(name, tensor)| Ok((*name, copy(tensor)?)));
        let (tensors, texts) = (tensors.collect::<Result<_>>()?, self.texts.clone());
        Ok(Output { loss, values, tensors, texts, weight: self.weight, missed: AtomicBool::new(false) })
    }

    /// Detaches the loss from its graph, so that the output keeps no activations alive.
    pub(crate) fn detach(&mut self) {
        // in an evaluation there is no graph, and an operator of libtorch is saved
        if self.loss.as_ref().is_some_and(Tensor::requires_grad) {
            self.loss = self.loss.as_ref().map(Tensor::detach);
        }
    }
}

impl From<Tensor> for Output {
    fn from(loss: Tensor) -> Self {
        Output::new(loss)
    }
}

/// What `predict_step` returns for one batch: named tensors and texts, which are written to `predictions.jsonl`.
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
    /// A prediction without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor whose first dimension is the samples of the batch: `[n, …]`.
    #[must_use]
    pub fn tensor(mut self, name: &'static str, tensor: &Tensor) -> Self {
        self.tensors.push((name, tensor.detach()));
        self
    }

    /// Adds texts, one for each sample of the batch.
    #[must_use]
    pub fn texts(mut self, name: &'static str, texts: Vec<String>) -> Self {
        self.texts.push((name, texts));
        self
    }

    /// Checks that each part has one entry for each of `samples` samples, that names are unique, and that none is
    /// `index`, which every line of `predictions.jsonl` already has. A 0-d tensor counts as one entry. A prediction
    /// must have at least one part.
    ///
    /// # Errors
    /// When one of these is not true: entries would be written to the lines of wrong samples.
    pub fn check(&self, samples: usize) -> Result<()> {
        let of_tensor = |tensor: &Tensor| tensor.size().first().map_or(1, |first| *first as usize);
        let parts = self.texts.iter().map(|(name, texts)| (*name, texts.len()));
        let parts = parts.chain(self.tensors.iter().map(|(name, tensor)| (*name, of_tensor(tensor))));
        let mut names = vec!["index"];
        for (name, entries) in parts {
            if entries != samples {
                return Err(Error::msg(format!(
                    "`{name}` of the prediction has {entries} entries, the batch has {samples} samples; give one entry for each sample, in their order"
                )));
            }
            if names.contains(&name) {
                return Err(Error::msg(match name {
                    "index" => "`index` is what each line of `predictions.jsonl` begins with; name that part of the prediction otherwise".to_owned(),
                    _ => format!("the prediction has two parts named `{name}`; name one of them otherwise"),
                }));
            }
            names.push(name);
        }
        Ok(())
    }

    /// The tensor with this name.
    ///
    /// # Errors
    /// When there is none; the message lists those that there are.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.tensors.iter().find(|(known, _)| *known == name).map(|(_, tensor)| tensor).ok_or_else(|| {
            let names: Vec<&str> = self.tensors.iter().map(|(name, _)| *name).collect();
            Error::msg(format!("the prediction has no tensor `{name}`{}", meant(name, &names)))
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn a_prediction_has_one_entry_for_each_sample_under_a_name_of_its_own() {
        let rows = |n: i64| Tensor::zeros([n, 2], (Kind::Float, Device::Cpu));
        let check = |prediction: Prediction| prediction.check(3).map_err(|error| error.to_string());
        assert_eq!(check(Prediction::new().tensor("logits", &rows(3)).texts("file", vec![String::new(); 3])), Ok(()));
        assert_eq!(check(Prediction::new()), Ok(()));
        let short = check(Prediction::new().tensor("logits", &rows(3)).tensor("boxes", &rows(2))).unwrap_err();
        assert!(short.starts_with("`boxes` of the prediction has 2 entries, the batch has 3 samples;"), "{short}");
        let index = check(Prediction::new().tensor("index", &rows(3))).unwrap_err();
        assert!(index.starts_with("`index` is what each line"), "{index}");
        let twice = check(Prediction::new().tensor("a", &rows(3)).texts("a", vec![String::new(); 3])).unwrap_err();
        assert!(twice.starts_with("the prediction has two parts named `a`;"), "{twice}");
    }
}
