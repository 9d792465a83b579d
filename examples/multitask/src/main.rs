//! One network for two tasks: which digit is this, and by how many quarters is this image turned?
//!
//! Each task has a loader of its own. The backbone runs once on the rows of both; each head goes forward and backward by
//! itself; then backward runs through the backbone. `data` has the images, `model` the network.

pub mod data;
pub mod model;

use data::{Labelled, Turned};
use engine::prelude::*;
use model::Heads;

/// The trainer: what an experiment has to describe, field by field.
#[trainer(by_iter)]
pub struct MultiTask {
    #[model]
    net: Heads,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    labelled: Loader<Labelled>,
    #[loader(train)]
    turned: Loader<Turned>,
    #[loader(val)]
    val_digits: Loader<Labelled>,
    #[loader(val)]
    val_turns: Loader<Turned>,
    #[metric]
    accuracy: Accuracy,
    /// What the digits count.
    #[config(default)]
    digits: TaskScale,
    /// What the turns count at the beginning; their weight falls in a straight line to zero at the end.
    #[config(default)]
    turns: TaskScale,
}

impl Steps for MultiTask {
    /// A batch of each train loader: images `[n, 1, 8, 8]`, and digits or turns `[n]`.
    type Batch = ((Tensor, Tensor), (Tensor, Tensor));

    fn train_step(&mut self, (labelled, turned): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let (net, turns) = (&self.net, self.turns_now(cx));
        let rows = [labelled.0.size()[0], turned.0.size()[0]];
        let features = net.features(&Tensor::cat(&[&labelled.0, &turned.0], 0)).split_with_sizes(rows, 0);
        let mut staged = cx.staged(&[&features[0], &features[1]])?;
        staged.task("digits", self.digits, |features, _| {
            Ok(net.digit(&features[0]).cross_entropy_for_logits(&labelled.1))
        })?;
        staged.task("turns", turns, |features, _| Ok(net.turn(&features[1]).cross_entropy_for_logits(&turned.1)))?;
        staged.backward()
    }
}

impl MultiTask {
    fn turns_now(&self, cx: &Context<'_>) -> TaskScale {
        let done = cx.clocks().max_iters().map_or(0.0, |iters| cx.iter().get() as f64 / iters as f64);
        TaskScale { loss: self.turns.loss * (1.0 - done), ..self.turns }
    }
}

impl ValStep<(Tensor, Tensor)> for MultiTask {
    // both val loaders have batches of this type: the name of the loader tells the task
    fn val_step(&mut self, (images, wanted): &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Output> {
        let features = self.net.features(images);
        let logits = if cx.loader() == "val_turns" { self.net.turn(&features) } else { self.net.digit(&features) };
        let loss = logits.cross_entropy_for_logits(wanted);
        Ok(Output::new(loss).tensor("logits", &logits).tensor("target", wanted))
    }
}

engine::main!(MultiTask);
engine::check_experiments!("experiments/*.ron");
