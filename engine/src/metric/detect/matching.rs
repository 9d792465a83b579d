//! Which detections of an image are right: COCO's rules.

/// Thresholds of intersection over union: 0.5, 0.55, …, 0.95.
pub(super) const THRESHOLDS: usize = 10;

/// A detected box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detection {
    pub(super) corners: [f64; 4],
    pub(super) score: f64,
}

/// A box to be found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    pub(super) corners: [f64; 4],
    pub(super) area: f64,
    /// A region with many objects: any number of detections may lie in it, and none of them counts.
    pub(super) crowd: bool,
}

/// The detections and truths of one class in one image.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) detections: Vec<Detection>,
    pub(super) truths: Vec<Truth>,
}

/// What became of a detection at a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Right,
    Wrong,
    /// It counts neither as right nor as wrong.
    Ignored,
}

/// What became of the detections of one class in one image.
pub(super) struct Matches {
    /// Score and outcome at each threshold, from the highest score on.
    pub(super) detections: Vec<(f64, [Outcome; THRESHOLDS])>,
    /// The truths that count.
    pub(super) truths: usize,
}

/// The intersections over union from which on a box is found.
fn thresholds() -> [f64; THRESHOLDS] {
    let step = (0.95 - 0.5) / (THRESHOLDS as f64 - 1.0);
    // as NumPy's `linspace(0.5, 0.95, 10)` computes them
    std::array::from_fn(|index| if index + 1 == THRESHOLDS { 0.95 } else { 0.5 + index as f64 * step })
}

impl Image {
    /// Keeps the detections with the highest scores, sorted. Of equal scores the first comes first.
    pub(super) fn sort(&mut self, most: usize) {
        self.detections.sort_by(|one, other| other.score.total_cmp(&one.score));
        self.detections.truncate(most);
    }

    /// Matches sorted detections with truths whose area is in `range`, both ends included. A detection takes the truth
    /// with the highest overlap that is still free; one that takes a truth that does not count, or that is outside of
    /// the range and takes none, is ignored.
    pub(super) fn matches(&self, range: [f64; 2]) -> Matches {
        let outside = |area: f64| area < range[0] || area > range[1];
        let mut truths: Vec<(bool, &Truth)> =
            self.truths.iter().map(|truth| (truth.crowd || outside(truth.area), truth)).collect();
        // those that count come first
        truths.sort_by_key(|(ignored, _)| *ignored);
        let overlaps: Vec<Vec<f64>> = self
            .detections
            .iter()
            .map(|detection| truths.iter().map(|(_, truth)| overlap(&detection.corners, truth)).collect())
            .collect();
        let mut outcomes = vec![[Outcome::Wrong; THRESHOLDS]; self.detections.len()];
        for (index, threshold) in thresholds().into_iter().enumerate() {
            let mut taken = vec![false; truths.len()];
            for (place, detection) in self.detections.iter().enumerate() {
                outcomes[place][index] = match best(threshold, &overlaps[place], &truths, &taken) {
                    Some(found) => {
                        taken[found] = true;
                        if truths[found].0 { Outcome::Ignored } else { Outcome::Right }
                    }
                    None if outside(area(&detection.corners)) => Outcome::Ignored,
                    None => Outcome::Wrong,
                };
            }
        }
        let scores = self.detections.iter().map(|detection| detection.score);
        Matches {
            detections: scores.zip(outcomes).collect(),
            truths: truths.iter().filter(|(ignored, _)| !ignored).count(),
        }
    }
}

/// The free truth with the highest overlap, the last one among equals. A truth that counts goes before all that do not.
fn best(threshold: f64, overlaps: &[f64], truths: &[(bool, &Truth)], taken: &[bool]) -> Option<usize> {
    let (mut least, mut found) = (threshold.min(1.0 - 1e-10), None);
    for (place, (ignored, truth)) in truths.iter().enumerate() {
        if taken[place] && !truth.crowd {
            continue;
        }
        if *ignored && found.is_some_and(|found: usize| !truths[found].0) {
            break;
        }
        if overlaps[place] >= least {
            (least, found) = (overlaps[place], Some(place));
        }
    }
    found
}

pub(super) fn area(corners: &[f64; 4]) -> f64 {
    (corners[2] - corners[0]) * (corners[3] - corners[1])
}

/// Intersection over union; in a crowd, over the area of the detection.
fn overlap(detection: &[f64; 4], truth: &Truth) -> f64 {
    let side = |low: usize, high: usize| {
        (detection[high].min(truth.corners[high]) - detection[low].max(truth.corners[low])).max(0.0)
    };
    let common = side(0, 2) * side(1, 3);
    let of_detection = area(detection);
    let union = if truth.crowd { of_detection } else { of_detection + area(&truth.corners) - common };
    if union > 0.0 { common / union } else { 0.0 }
}
