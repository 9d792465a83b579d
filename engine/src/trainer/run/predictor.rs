//! `Predictor`: a trained trainer in another program.

use crate::base::checked::without_looking_for_files;
use crate::base::{Error, ErrorContext as _, Prediction, Result};
use crate::checkpoint::{LATEST, latest_in, newest_valid};
use crate::config;
use crate::data::Batch;
use crate::dist::Process;
use crate::folder::{CHECKPOINTS, FinishedRun};
use crate::hook::PredictStep;
use crate::run::{Command, EvalWeights};
use crate::trainer::run::program::{Program, build_on, prepare};
use crate::trainer::{Build, DeviceChoice, Experiment, Purpose};
use std::path::{Path, PathBuf};

/// A trainer with the weights of a checkpoint, whose `predict_step` another program calls with its own batches: a
/// server, for example, or a test.
///
/// It reads the experiment of the run that the checkpoint is in, opens no loader and no data set, writes no file, and
/// calls no phase of a hook. The weights are those that evaluations use (averages, where there are some;
/// [`Predictor::load_raw`] takes those that were trained). The program
/// must name the crate with the trainer, so that the components of the experiment are linked. `predict_step` of an
/// optional model or loader field finds it as in `predict`, without the loader.
///
/// ```no_run
/// use engine::prelude::*;
/// use engine::trainer::{Build, DeviceChoice, Predictor};
///
/// fn classes<T>(checkpoint: &std::path::Path, pixels: Tensor) -> Result<Tensor>
/// where
///     T: Build + PredictStep<Prompt = Tensor>,
/// {
///     let mut predictor = Predictor::<T>::load(checkpoint, DeviceChoice::Cpu)?;
///     let prediction = predictor.predict(pixels)?; // [n, 1, 28, 28], on any device
///     Ok(prediction.get("class")?.shallow_clone())
/// }
/// # fn main() {}
/// ```
pub struct Predictor<T: Build> {
    program: Program<T>,
}

impl<T: Build> Predictor<T> {
    /// The trainer of a checkpoint: the checkpoint's folder, the file `latest` beside it, or the run's folder, which
    /// means the newest checkpoint.
    ///
    /// # Errors
    /// When there is no such checkpoint, it is not in a run's folder, its experiment is not one of this trainer, the
    /// weights do not fit, or the device does not exist.
    pub fn load(checkpoint: &Path, device: DeviceChoice) -> Result<Self> {
        let (experiment, checkpoint) = Self::found(checkpoint)?;
        Self::of(experiment, &checkpoint, device)
    }

    /// As [`Predictor::load`], with the weights that were trained, also where the training has evaluated an average.
    ///
    /// # Errors
    /// Those of [`Predictor::load`].
    pub fn load_raw(checkpoint: &Path, device: DeviceChoice) -> Result<Self> {
        let (experiment, checkpoint) = Self::found(checkpoint)?;
        Self::of(Experiment { eval_weights: EvalWeights::Trained, ..experiment }, &checkpoint, device)
    }

    /// The experiment of the run that a checkpoint is in, and the checkpoint's folder.
    fn found(checkpoint: &Path) -> Result<(Experiment<T>, PathBuf)> {
        let checkpoint = found(checkpoint)?;
        let run = FinishedRun::of_checkpoint(&checkpoint).ok_or_else(|| {
            Error::msg(format!(
                "`{}` is not in the folder of a run, which has its experiment; keep the run's `experiment.ron` and `checkpoints/` together, or use `Predictor::of`",
                checkpoint.display()
            ))
        })?;
        let document = config::load(&run.experiment())?;
        // the data of the training may be on another machine
        let experiment = without_looking_for_files(|| Experiment::from_document(&document, Purpose::Inspect))?;
        Ok((experiment, checkpoint))
    }

    /// As [`Predictor::load`], with an experiment of one's own: for a bare `.safetensors` file, or other settings, such as
    /// `eval_weights`.
    ///
    /// # Errors
    /// When the weights do not fit, or the device does not exist.
    pub fn of(mut experiment: Experiment<T>, checkpoint: &Path, device: DeviceChoice) -> Result<Self> {
        experiment.device = device;
        let device = prepare(&experiment, &Process::Alone)?;
        let mut program = build_on(device, experiment, &[])?;
        program.run.current.command = Command::Predict;
        program.take_for_evaluation(checkpoint)?;
        Ok(Predictor { program })
    }

    /// The predictions for a batch, which may be on any device. The step runs without gradients and in evaluation mode,
    /// and draws the same random numbers for each batch.
    ///
    /// # Errors
    /// Those of the step; when a part of the prediction has not one entry for each sample.
    pub fn predict(&mut self, batch: T::Prompt) -> Result<Prediction>
    where
        T: PredictStep<Prompt: Batch>,
    {
        self.program.predict_batch(batch)
    }

    /// The trainer.
    pub fn trainer(&self) -> &T {
        &self.program.trainer
    }
}

impl<T: Build> std::fmt::Debug for Predictor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Predictor").field("trainer", &T::NAME).finish_non_exhaustive()
    }
}

/// The checkpoint that a path means.
fn found(path: &Path) -> Result<PathBuf> {
    path.metadata().with_context(|| format!("the checkpoint `{}` can't be read", path.display()))?;
    if path.is_file()
        && path.file_name().is_some_and(|name| name == LATEST)
        && let Some(name) = latest_in(path)
    {
        return Ok(path.with_file_name(name));
    }
    match path.join(CHECKPOINTS).is_dir() {
        false => Ok(path.to_owned()),
        true => match newest_valid(&path.join(CHECKPOINTS))?.found {
            Some((newest, _)) => Ok(newest),
            None => Err(Error::msg(format!("the run in `{}` has no checkpoint that can be read", path.display()))),
        },
    }
}
