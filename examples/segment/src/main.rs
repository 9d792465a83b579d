//! Finds shapes in pictures, pixel by pixel: segmentation, trained by iter.
//!
//! `data` draws the pictures, `unet` is the network, and here is the trainer with its loss, the pictures that it shows
//! and the test with mirrored pictures.

pub mod data;
pub mod unet;

use data::Shapes;
use engine::metric::{Dice, MeanIou};
use engine::prelude::*;
use unet::UNet;

/// The trainer: what an experiment has to describe, field by field.
#[trainer(by_iter)]
pub struct Segment {
    #[model]
    net: UNet,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Shapes>,
    #[loader(val)]
    val: Loader<Shapes>,
    #[loader(test)]
    test: Loader<Shapes>,
    #[metric]
    iou: MeanIou,
    #[metric]
    dice: Dice,
    #[hook]
    ema: Ema,
    /// How much the Dice loss counts beside the cross entropy.
    #[config(default = 1.0, range = 0.0..)]
    dice_weight: f64,
    /// Whether `test` averages over the picture and its mirror image.
    #[config(default = true)]
    mirrored: bool,
}

impl Steps for Segment {
    /// Pictures `[n, 3, h, w]` in 0 to 1, classes of their pixels `[n, h, w]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (pictures, classes): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let logits = self.net.forward(pictures, cx.is_training());
        let (entropy, dice) = (cross_entropy(&logits, classes), dice_loss(&logits, classes));
        Ok(Output::new(&entropy + self.dice_weight * &dice).value("entropy", &entropy).value("dice_loss", &dice))
    }
}

impl ValStep for Segment {
    fn val_step(&mut self, (pictures, classes): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let logits = self.net.forward(pictures, cx.is_training());
        Ok(Output::new(cross_entropy(&logits, classes)).tensor("logits", &logits).tensor("target", classes))
    }
}

impl TestStep for Segment {
    fn test_step(&mut self, (pictures, classes): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let logits = match self.mirrored {
            true => self.averaged_over_mirror_image(pictures),
            false => self.net.forward(pictures, cx.is_training()).softmax(1, Kind::Float),
        };
        Ok(Output::without_loss().tensor("logits", &logits).tensor("target", classes))
    }
}

// a trainer takes part in phases as a hook does
#[phases]
impl Segment {
    /// Shows the first pictures of a validation: as they are, as they should be seen, as they are seen.
    #[only_ok]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(val) = self.val.dataset() else { return Ok(()) };
        let mut rows = Vec::new();
        for index in 0..val.len().min(4) {
            let mut rng = SampleRng::new(engine::random::Stream::new(0, "shown", 0, index as u64));
            let (picture, classes) = val.get(index, &mut rng)?;
            let input = picture.unsqueeze(0).to_device(cx.device());
            let seen = engine::tch::no_grad(|| self.net.forward(&input, false)).argmax(1, false);
            let seen = seen.squeeze_dim(0).to_device(Device::Cpu);
            rows.push(Tensor::cat(&[picture, painted(&classes), painted(&seen)], 2));
        }
        match rows.is_empty() {
            true => Ok(()),
            false => cx.log_image("seen", &Tensor::cat(&rows, 1)),
        }
    }
}

impl Segment {
    /// The mean probabilities `[n, classes, h, w]` of the pictures and their images mirrored left to right. Not top to
    /// bottom: all triangles of the training stand upright.
    fn averaged_over_mirror_image(&self, pictures: &Tensor) -> Tensor {
        let ways: [&[i64]; 2] = [&[], &[3]];
        let sum =
            ways.into_iter().map(|way| self.net.forward(&pictures.flip(way), false).softmax(1, Kind::Float).flip(way));
        sum.reduce(|sum, next| sum + next).map_or_else(Tensor::new, |sum| sum / ways.len() as f64)
    }
}

/// The mean over all pixels. (`cross_entropy_for_logits` of tch takes no pictures.)
fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Tensor {
    const NOTHING_IGNORED: i64 = -100;
    logits.cross_entropy_loss::<Tensor>(classes, None, Reduction::Mean, NOTHING_IGNORED, 0.0)
}

/// One minus the mean over classes of 2 |A ∩ B| / (|A| + |B|), with probabilities in the place of a prediction (Milletari et
/// al., 2016).
fn dice_loss(logits: &Tensor, classes: &Tensor) -> Tensor {
    let probabilities = logits.softmax(1, Kind::Float);
    let wanted = classes.one_hot(logits.size()[1]).movedim_int(-1, 1).to_kind(Kind::Float);
    let sum = |tensor: Tensor| tensor.sum_dim_intlist([0i64, 2, 3].as_slice(), false, Kind::Float);
    let (both, each) = (sum(&probabilities * &wanted), sum(&probabilities + &wanted));
    let share = both * 2.0 / each.clamp_min(1e-6);
    1.0 - share.mean(Kind::Float)
}

/// The colours of classes `[h, w]`, as a picture `[3, h, w]`.
fn painted(classes: &Tensor) -> Tensor {
    // the ground black; three colours that the colour-blind can tell apart
    const COLOURS: [[f32; 3]; 4] = [[0.0, 0.0, 0.0], [0.9, 0.6, 0.0], [0.35, 0.7, 0.9], [0.0, 0.6, 0.5]];
    Tensor::embedding(&Tensor::from_slice2(&COLOURS), classes, -1, false, false).movedim_int(-1, 0)
}

engine::main!(Segment);
engine::check_experiments!("experiments/*.ron");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dice_loss_is_zero_for_what_is_right_and_one_for_what_is_wrong() {
        let classes = Tensor::from_slice2(&[[0i64, 1], [1, 0]]).unsqueeze(0);
        let sure = |classes: &Tensor| (classes.one_hot(2).movedim_int(-1, 1).to_kind(Kind::Float) - 0.5) * 100.0;
        let right = dice_loss(&sure(&classes), &classes).double_value(&[]);
        let wrong = dice_loss(&sure(&(1 - &classes)), &classes).double_value(&[]);
        assert!(right.abs() < 1e-6 && (wrong - 1.0).abs() < 1e-6, "{right} {wrong}");
    }
}
