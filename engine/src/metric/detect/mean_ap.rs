//! Mean average precision of boxes.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::detect::matching::{Detection, Image, THRESHOLDS, Truth, area};
use crate::metric::detect::summary::{Curve, curve};
use crate::metric::error::{MetricError, tensor};
use crate::metric::kept::Kept;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;
use std::collections::BTreeMap;
use tch::{Kind, TchError, Tensor};

/// The mean average precision of detected boxes by COCO's rules: over the classes and over ten thresholds of
/// intersection over union, 0.5 to 0.95, of the precision at 101 recalls. The numbers are those of pycocotools'
/// `COCOeval`.
///
/// Reads of the step's output, for `n` images with places for `q` detections and `g` truths each:
///
/// | tensor | shape | content |
/// |---|---|---|
/// | `boxes` | `[n, q, 4]` | detections, in pixels: left, top, right, bottom |
/// | `scores` | `[n, q]` | their scores |
/// | `labels` | `[n, q]`, `Int64` | their classes; negative where a place is empty |
/// | `target_boxes` | `[n, g, 4]` | truths |
/// | `target_labels` | `[n, g]`, `Int64` | their classes; negative where a place is empty |
/// | `target_crowd` | `[n, g]` | may be left out: 1 for regions in which detections don't count |
/// | `target_areas` | `[n, g]` | may be left out: areas of the objects in square pixels, in the place of those of the boxes |
///
/// Its values are `map`, `map_50`, `map_75` (at thresholds of 0.5 and 0.75) and `mar_1`, `mar_10`, `mar_100`: the mean
/// recall with so many detections of each image and class. With `sizes` there are also `map_small`, `map_medium`,
/// `map_large`, `mar_small`, … of objects below 32², up to 96², and above 96² square pixels. Classes without a truth
/// are left out, and a value over no class is NaN (pycocotools says −1). A NaN among scores or detected boxes makes all
/// values NaN.
///
/// It keeps all boxes until the end of the evaluation, 48 bytes for each place of a detection. Among equal scores in
/// different images the order of the images decides, which is another one with several ranks.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{MeanAp, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut map = MeanAp::build(&parse_text("example", "()")?.read()?);
/// let boxes = Tensor::from_slice(&[10.0, 10.0, 50.0, 50.0]).reshape([1, 1, 4]);
/// let label = Tensor::from_slice(&[0i64]).reshape([1, 1]);
/// let output = Output::without_loss()
///     .tensor("boxes", &boxes)
///     .tensor("scores", &Tensor::from_slice(&[0.9]).reshape([1, 1]))
///     .tensor("labels", &label)
///     .tensor("target_boxes", &boxes)
///     .tensor("target_labels", &label);
/// map.update(&output, 1)?;
/// assert!((map.compute()?[0].1 - 1.0).abs() < 1e-9);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct MeanAp {
    /// Gives the values of small, medium and large objects too.
    #[config(default = false)]
    sizes: bool,
    /// The number of classes: gives the average precision of each of them too, as `map/0`, `map/1`, ….
    #[config(default, range = 1..=10_000)]
    per_class: Option<usize>,
    /// `[n, q, 6]` of each batch: box, score and class.
    #[state]
    detections: Kept,
    /// `[n, g, 7]` of each batch: box, class, area or −1, and whether it is a crowd.
    #[state]
    truths: Kept,
}

const METRIC: &str = "map";
const ALL: [f64; 2] = [0.0, 1e10];
const SIZES: [(&str, [f64; 2]); 3] =
    [("small", [0.0, 1024.0]), ("medium", [1024.0, 9216.0]), ("large", [9216.0, 1e10])];
/// Detections of each image and class that count.
const MOST: usize = 100;

#[diagnostic::do_not_recommend]
impl Metric for MeanAp {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        let boxes = shaped(output, "boxes", |shape| matches!(shape, [_, _, 4]), "[n, q, 4]")?;
        let [n, q] = [boxes.size()[0], boxes.size()[1]];
        let of_detections = |name| shaped(output, name, |shape| shape == [n, q], &format!("[{n}, {q}] as `boxes` has"));
        let (scores, labels) = (of_detections("scores")?, of_detections("labels")?);
        let fits = |shape: &[i64]| matches!(shape, [images, _, 4] if *images == n);
        let target_boxes = shaped(output, "target_boxes", fits, &format!("[{n}, g, 4]"))?;
        let g = target_boxes.size()[1];
        let of_truths =
            |name| shaped(output, name, |shape| shape == [n, g], &format!("[{n}, {g}] as `target_boxes` has"));
        let target_labels = of_truths("target_labels")?;
        let optional = |name| output.get(name).map(|_| of_truths(name)).transpose();
        let (areas, crowd) = (optional("target_areas")?, optional("target_crowd")?);
        let or = |given: Option<&Tensor>, value: f64| match given {
            Some(given) => Ok(given.shallow_clone()),
            None => target_labels.f_full_like(value),
        };
        let detections = columns(boxes, &[scores.shallow_clone(), labels.shallow_clone()])?;
        let truths = columns(target_boxes, &[target_labels.shallow_clone(), or(areas, -1.0)?, or(crowd, 0.0)?])?;
        self.detections.add(&detections)?;
        Ok(self.truths.add(&truths)?)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let (classes, broken) = self.images()?;
        let curves = |range, most| -> Vec<Curve> {
            let of_class = |images: &Vec<Image>| if broken { None } else { curve(images, range, most) };
            classes.values().map(of_class).collect()
        };
        let all = curves(ALL, MOST);
        let precision = |curves: &[Curve], thresholds: std::ops::Range<usize>| {
            mean(curves.iter().flatten().flat_map(|(precisions, _)| precisions[thresholds.clone()].to_vec()))
        };
        let recall = |curves: &[Curve]| mean(curves.iter().flatten().flat_map(|(_, recalls)| recalls.to_vec()));
        let mut values = vec![
            ("map".to_owned(), precision(&all, 0..THRESHOLDS)),
            ("map_50".to_owned(), precision(&all, 0..1)),
            ("map_75".to_owned(), precision(&all, 5..6)),
            ("mar_1".to_owned(), recall(&curves(ALL, 1))),
            ("mar_10".to_owned(), recall(&curves(ALL, 10))),
            ("mar_100".to_owned(), recall(&all)),
        ];
        if self.sizes {
            for (name, range) in SIZES {
                let of_size = curves(range, MOST);
                values.push((format!("map_{name}"), precision(&of_size, 0..THRESHOLDS)));
                values.push((format!("mar_{name}"), recall(&of_size)));
            }
        }
        let by_class: BTreeMap<i64, &Curve> = classes.keys().copied().zip(&all).collect();
        for class in 0..self.per_class.unwrap_or(0) {
            let curve = by_class.get(&(class as i64)).copied().and_then(Option::as_ref);
            let value = curve.map_or(f64::NAN, |(precisions, _)| mean(precisions.iter().copied()));
            values.push((format!("map/{class}"), value));
        }
        Ok(values)
    }

    fn reset(&mut self) {
        (self.detections, self.truths) = (Kept::default(), Kept::default());
    }

    fn release(&mut self) {
        self.reset();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        self.detections.merge(other.take("detections")?);
        self.truths.merge(other.take("truths")?);
        Ok(())
    }

    fn measures(&self) -> Vec<Measure> {
        let common = ["map", "map_50", "map_75", "mar_1", "mar_10", "mar_100"].map(str::to_owned).into_iter();
        let sizes = SIZES.iter().filter(|_| self.sizes);
        let sizes = sizes.flat_map(|(name, _)| [format!("map_{name}"), format!("mar_{name}")]);
        let per_class = (0..self.per_class.unwrap_or(0)).map(|class| format!("map/{class}"));
        common.chain(sizes).chain(per_class).map(|name| Measure::new(name, Better::Higher)).collect()
    }
}

impl MeanAp {
    /// The images of each class, sorted; and whether something that was detected is NaN.
    fn images(&self) -> Result<(BTreeMap<i64, Vec<Image>>, bool)> {
        let (mut classes, mut broken) = (BTreeMap::<i64, BTreeMap<usize, Image>>::new(), false);
        let mut first = 0;
        for (detections, truths) in self.detections.on_host()?.iter().zip(self.truths.on_host()?) {
            for row in rows::<6>(detections)? {
                let (place, [left, top, right, bottom, score, class]) = row;
                if class >= 0.0 {
                    broken |= [left, top, right, bottom, score].iter().any(|number| number.is_nan());
                    let image = classes.entry(class as i64).or_default().entry(first + place).or_default();
                    image.detections.push(Detection { corners: [left, top, right, bottom], score });
                }
            }
            for row in rows::<7>(&truths)? {
                let (place, [left, top, right, bottom, class, given, crowd]) = row;
                if class >= 0.0 {
                    let corners = [left, top, right, bottom];
                    let area = if given >= 0.0 { given } else { area(&corners) };
                    let image = classes.entry(class as i64).or_default().entry(first + place).or_default();
                    image.truths.push(Truth { corners, area, crowd: crowd != 0.0 });
                }
            }
            first += detections.size()[0] as usize;
        }
        if first == 0 {
            return Err(MetricError::NoBatch { metric: METRIC.to_owned() }.into());
        }
        let sorted = |images: BTreeMap<usize, Image>| {
            let sort = |mut image: Image| {
                image.sort(MOST);
                image
            };
            images.into_values().map(sort).collect()
        };
        Ok((classes.into_iter().map(|(class, images)| (class, sorted(images))).collect(), broken))
    }
}

/// The rows of a kept tensor `[n, places, N]`, each with the number of its image.
fn rows<const N: usize>(tensor: &Tensor) -> Result<Vec<(usize, [f64; N])>> {
    let places = (tensor.size()[1] as usize).max(1);
    let numbers = Vec::<f64>::try_from(tensor.f_flatten(0, -1)?)?;
    let rows = numbers.chunks_exact(N).enumerate();
    Ok(rows.filter_map(|(row, numbers)| Some((row / places, numbers.try_into().ok()?))).collect())
}

/// `[n, places, 4]` with further columns `[n, places]`, in double precision.
fn columns(boxes: &Tensor, more: &[Tensor]) -> Result<Tensor, TchError> {
    let mut all = vec![boxes.f_to_kind(Kind::Double)?];
    for column in more {
        all.push(column.f_to_device(boxes.device())?.f_to_kind(Kind::Double)?.f_unsqueeze(2)?);
    }
    Tensor::f_cat(&all, 2)
}

/// A tensor of the output, checked for its shape.
fn shaped<'a>(
    output: &'a Output,
    name: &str,
    fits: impl Fn(&[i64]) -> bool,
    expected: &str,
) -> Result<&'a Tensor, MetricError> {
    let found = tensor(METRIC, output, name)?;
    if fits(&found.size()) {
        return Ok(found);
    }
    let why = format!("its shape is {:?}, expected {expected}", found.size());
    Err(MetricError::Unfit { metric: METRIC.to_owned(), tensor: name.to_owned(), why })
}

/// The mean; NaN of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}
