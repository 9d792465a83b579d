//! Test-time augmentation: one answer from several views of a picture.

use crate::base::{Error, Result};
use engine_macros::component;
use tch::Tensor;

/// Test-time augmentation: a network sees each picture mirrored and in several sizes too, and its answers are averaged.
///
/// It is a setting of the trainer, and wraps the forward pass in `val_step`, `test_step` or `predict_step`:
///
/// ```
/// use engine::model::TestTimeAugmentation;
/// use engine::prelude::*;
///
/// let text = "(horizontal: true, scales: [1.0, 1.5])";
/// let tta: TestTimeAugmentation = engine::config::parse_text("example", text)?.read()?;
/// let pixels = Tensor::ones([2, 3, 8, 8], (Kind::Float, Device::Cpu));
/// let mut seen = Vec::new();
/// let logits = tta.mean(&pixels, |view| {
///     seen.push(view.size()[2]);
///     Ok(view.mean_dim([2i64, 3].as_slice(), false, Kind::Float)) // a network: [n, 3, h, w] to [n, classes]
/// })?;
/// assert_eq!((seen, logits.size()), (vec![8, 8, 12, 12], vec![2, 3]));
/// # Ok::<(), Error>(())
/// ```
///
/// To merge answers in another way, go through [`TestTimeAugmentation::views`].
#[component]
#[derive(PartialEq)]
pub struct TestTimeAugmentation {
    /// Each view also mirrored from left to right.
    #[config(default = true)]
    pub horizontal: bool,
    /// Each view also mirrored from top to bottom.
    #[config(default = false)]
    pub vertical: bool,
    /// The sizes of the views, as factors of height and width; resized bilinearly, as PyTorch's `interpolate` with
    /// `align_corners=False`.
    #[config(default = vec![1.0])]
    pub scales: Vec<f64>,
}

/// One view of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The dimensions that are mirrored: -1 from left to right, -2 from top to bottom.
    mirrored: Vec<i64>,
    /// Height and width of the view.
    size: [i64; 2],
    /// Height and width of the pictures.
    whole: [i64; 2],
}

impl TestTimeAugmentation {
    /// The views of pictures `[n, c, h, w]`: of each size as it is, mirrored from left to right, from top to bottom,
    /// and both.
    ///
    /// # Errors
    /// When the pictures are not `[n, c, h, w]`, or a scale is not above 0, or there is none.
    pub fn views(&self, pixels: &Tensor) -> Result<Vec<View>> {
        let [_, _, height, width] = pixels.size()[..] else {
            return Err(Error::msg(format!("views are of pictures [n, c, h, w], got {:?}", pixels.size())));
        };
        let mut views = Vec::new();
        for scale in &self.scales {
            let side = |side: i64| (side as f64 * scale).round().max(1.0) as i64;
            if !(scale.is_finite() && *scale > 0.0) {
                return Err(Error::msg(format!("a view can't have the scale {scale}; scales are above 0")));
            }
            for vertical in [false, true].into_iter().filter(|vertical| self.vertical || !vertical) {
                for horizontal in [false, true].into_iter().filter(|horizontal| self.horizontal || !horizontal) {
                    let mirrored = [(horizontal, -1), (vertical, -2)].into_iter();
                    let mirrored = mirrored.filter(|(mirrored, _)| *mirrored).map(|(_, dimension)| dimension).collect();
                    views.push(View { mirrored, size: [side(height), side(width)], whole: [height, width] });
                }
            }
        }
        match views.is_empty() {
            true => Err(Error::msg("`scales` is empty, so there is no view; give `scales: [1.0]`")),
            false => Ok(views),
        }
    }

    /// The mean of the answers for all views: for answers that say something of a whole picture, such as logits
    /// `[n, classes]`. To average probabilities, let `forward` return them.
    ///
    /// # Errors
    /// Those of [`TestTimeAugmentation::views`] and of `forward`; when the answers have several shapes.
    pub fn mean(&self, pixels: &Tensor, mut forward: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        self.averaged(pixels, |view| forward(&view.of(pixels)?))
    }

    /// The mean of the answers for all views, each mirrored back and resized to the pictures' size: for answers
    /// `[n, c, h, w]` that say something of each pixel, such as the logits of a segmentation.
    ///
    /// # Errors
    /// As [`TestTimeAugmentation::mean`].
    pub fn mean_of_pixels(
        &self,
        pixels: &Tensor,
        mut forward: impl FnMut(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        self.averaged(pixels, |view| view.back(&forward(&view.of(pixels)?)?))
    }

    fn averaged(&self, pixels: &Tensor, mut answer: impl FnMut(&View) -> Result<Tensor>) -> Result<Tensor> {
        let views = self.views(pixels)?;
        let mut sum: Option<Tensor> = None;
        for view in &views {
            let answer = answer(view)?;
            sum = Some(match sum {
                Some(sum) if sum.size() != answer.size() => {
                    let text = "the answers for two views have the shapes";
                    return Err(Error::msg(format!(
                        "{text} {:?} and {:?}; merge them yourself",
                        sum.size(),
                        answer.size()
                    )));
                }
                Some(sum) => sum.f_add(&answer)?,
                None => answer,
            });
        }
        let sum = sum.ok_or_else(|| Error::msg("there is no view"))?;
        Ok(sum.f_div_scalar(views.len() as f64)?)
    }
}

impl View {
    /// The view of pictures `[n, c, h, w]`.
    ///
    /// # Errors
    /// When the tensor has other dimensions.
    pub fn of(&self, pixels: &Tensor) -> Result<Tensor> {
        mirrored(&resized(pixels, self.size)?, &self.mirrored)
    }

    /// An answer `[n, c, h, w]` for the view, mirrored back and resized to the size of the pictures.
    ///
    /// # Errors
    /// When the tensor has other dimensions.
    pub fn back(&self, answer: &Tensor) -> Result<Tensor> {
        resized(&mirrored(answer, &self.mirrored)?, self.whole)
    }

    /// Height and width of the view.
    pub fn size(&self) -> [i64; 2] {
        self.size
    }

    /// Whether left and right are exchanged, and top and bottom: to mirror boxes or key points back.
    pub fn is_mirrored(&self) -> [bool; 2] {
        [-1, -2].map(|dimension| self.mirrored.contains(&dimension))
    }
}

fn resized(pixels: &Tensor, size: [i64; 2]) -> Result<Tensor> {
    match pixels.size()[..] {
        [_, _, height, width] if [height, width] == size => Ok(pixels.shallow_clone()),
        [_, _, _, _] => Ok(pixels.f_upsample_bilinear2d(size, false, None, None)?),
        _ => Err(Error::msg(format!("a view is of tensors [n, c, h, w], got {:?}", pixels.size()))),
    }
}

fn mirrored(pixels: &Tensor, dimensions: &[i64]) -> Result<Tensor> {
    if dimensions.is_empty() { Ok(pixels.shallow_clone()) } else { Ok(pixels.f_flip(dimensions)?) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn tta(horizontal: bool, vertical: bool, scales: &[f64]) -> TestTimeAugmentation {
        TestTimeAugmentation { horizontal, vertical, scales: scales.to_vec() }
    }

    fn pixels() -> Tensor {
        Tensor::arange(2 * 3 * 4 * 6, (Kind::Float, Device::Cpu)).reshape([2, 3, 4, 6])
    }

    #[test]
    fn answers_for_pixels_come_back_to_their_place() {
        // a network that gives its input back: each view must say the same
        let same = tta(true, true, &[1.0]).mean_of_pixels(&pixels(), |view| Ok(view.shallow_clone())).unwrap();
        assert_eq!(same, pixels());
        // a plane is resized without a change, away from the edges
        let views = tta(true, false, &[1.0, 2.0]).mean_of_pixels(&pixels(), |view| Ok(view.shallow_clone())).unwrap();
        assert_eq!(views.size(), pixels().size());
        let inner = |tensor: &Tensor| tensor.narrow(2, 1, 2).narrow(3, 1, 4);
        assert!(inner(&views).allclose(&inner(&pixels()), 1e-5, 1e-4, false));
    }

    #[test]
    fn the_mean_is_over_all_views_and_each_is_seen_once() {
        let mut seen = Vec::new();
        let first = |view: &Tensor| view.narrow(2, 0, 1).narrow(3, 0, 1).flatten(1, -1);
        let mean = tta(true, true, &[1.0]).mean(&pixels(), |view| {
            seen.push(first(view).double_value(&[0, 0]));
            Ok(first(view))
        });
        // the corners of the first picture
        assert_eq!(seen, [0.0, 5.0, 18.0, 23.0]);
        assert_eq!(mean.unwrap().double_value(&[0, 0]), 11.5);
    }

    #[test]
    fn own_merges_know_their_views() {
        let views = tta(true, false, &[1.0, 0.5]).views(&pixels()).unwrap();
        let known: Vec<_> = views.iter().map(|view| (view.size(), view.is_mirrored())).collect();
        let (whole, half) = ([4, 6], [2, 3]);
        assert_eq!(
            known,
            [(whole, [false, false]), (whole, [true, false]), (half, [false, false]), (half, [true, false])]
        );
    }

    #[test]
    fn what_has_no_views_is_told() {
        let refused = |tta: TestTimeAugmentation, pixels: &Tensor| {
            tta.mean(pixels, |view| Ok(view.shallow_clone())).unwrap_err().to_string()
        };
        assert!(refused(tta(true, false, &[]), &pixels()).contains("`scales` is empty"));
        assert!(refused(tta(true, false, &[-1.0]), &pixels()).contains("the scale -1; scales are above 0"));
        assert!(refused(tta(true, false, &[1.0]), &pixels().squeeze_dim(0).get(0)).contains("[n, c, h, w], got"));
        assert!(refused(tta(false, false, &[1.0, 2.0]), &pixels()).contains("merge them yourself"));
    }
}
