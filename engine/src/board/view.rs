//! What the page shows, as JSON: the same for the server and for a report.

use super::shelf::Entry;
use crate::folder::RunPlan;
use crate::readers::{
    Axis, Cost, Costs, Picture, Point, RunReader, SavedState, Summary, checkpoints, costs, plan, settings, smoothed,
};
use serde::Serialize;
use std::sync::Arc;

/// A run in the table.
#[derive(Serialize)]
pub(super) struct RunView {
    id: String,
    #[serde(flatten, serialize_with = "within")]
    summary: Arc<Summary>,
}

fn within<S: serde::Serializer>(summary: &Arc<Summary>, to: S) -> Result<S::Ok, S::Error> {
    summary.serialize(to)
}

/// The table.
#[derive(Serialize)]
pub(super) struct RunsView {
    /// To be given back as `since`.
    version: u64,
    /// The ids of all runs, in the order of their paths.
    order: Vec<String>,
    /// Those that have changed.
    runs: Vec<RunView>,
}

/// The runs that have changed since a version.
pub(super) fn runs(entries: &[Arc<Entry>], version: u64, since: u64) -> RunsView {
    let changed = entries.iter().filter(|entry| since == 0 || entry.changed() > since);
    RunsView {
        version,
        order: entries.iter().map(|entry| entry.id.clone()).collect(),
        runs: changed.map(|entry| RunView { id: entry.id.clone(), summary: entry.summary() }).collect(),
    }
}

/// How curves are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drawing {
    pub(super) axis: Axis,
    /// The weight of what was before, from 0 to 1.
    pub(super) smooth: f64,
    pub(super) from: f64,
    pub(super) to: f64,
    /// Columns of pixels.
    pub(super) columns: usize,
}

impl Default for Drawing {
    fn default() -> Self {
        Drawing { axis: Axis::Iter, smooth: 0.0, from: f64::NEG_INFINITY, to: f64::INFINITY, columns: 600 }
    }
}

/// Where a point lies on the horizontal axis, to a millionth of an epoch or second. Long numbers take a page more memory than
/// all else of its curves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(pub(super) f64);

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        match self.0 {
            x if x.fract() == 0.0 && (0.0..WHOLE).contains(&x) => to.serialize_u64(x as u64),
            x if x.abs() < 1e9 => to.serialize_f64((x * 1e6).round() / 1e6),
            x => to.serialize_f64(x),
        }
    }
}

/// The value of a point: in single precision, except where that is too small or too large for it, or would change a whole
/// number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Height(pub(super) f64);

impl Serialize for Height {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let single = self.0 as f32;
        let is_held = single.is_normal() && (self.0.fract() != 0.0 || f64::from(single) == self.0);
        match is_held || self.0 == 0.0 {
            true => to.serialize_f32(single),
            false => to.serialize_f64(self.0),
        }
    }
}

/// A curve. What is not finite is `null`.
#[derive(Serialize)]
pub(super) struct CurveView {
    run: String,
    key: String,
    x: Vec<Place>,
    y: Vec<Height>,
    /// The points of the smoothed curve, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    smooth: Option<(Vec<Place>, Vec<Height>)>,
    /// How many points there are in the window.
    of: usize,
}

/// The curve of a metric of a run; `None` where the run lacks it.
pub(super) fn curve(id: &str, run: &RunReader, key: &str, drawing: Drawing) -> Option<CurveView> {
    let (group, series) = run.rows().find(key)?;
    let draw = |values: &mut dyn Iterator<Item = f64>| {
        let places = series.places(group, drawing.axis, run.rows().iters_per_epoch());
        let points = places.zip(values).map(|(x, y)| Point { x, y });
        Picture::new(points, drawing.from, drawing.to, drawing.columns)
    };
    let split = |points: &[Point]| points.iter().map(|point| (Place(point.x), Height(point.y))).unzip();
    let picture = draw(&mut series.values().iter().copied());
    let smooth = (drawing.smooth > 0.0).then(|| split(&draw(&mut smoothed(series.values(), drawing.smooth)).points));
    let (x, y) = split(&picture.points);
    Some(CurveView { run: id.to_owned(), key: key.to_owned(), x, y, smooth, of: picture.of })
}

/// A setting with its place.
#[derive(Serialize)]
struct SettingView {
    path: String,
    value: String,
    place: String,
}

/// The settings of a run, or why they can't be told.
#[derive(Serialize)]
pub(super) struct SettingsView {
    run: String,
    error: Option<String>,
    settings: Vec<SettingView>,
}

/// The settings of a run.
pub(super) fn settings_of(id: &str, run: &std::path::Path) -> SettingsView {
    let (error, found) = match settings(run) {
        Ok((_, found)) => (None, found),
        Err(error) => (Some(error), Vec::new()),
    };
    let view =
        |found: crate::readers::Setting| SettingView { path: found.path, value: found.value, place: found.place };
    SettingsView { run: id.to_owned(), error, settings: found.into_iter().map(view).collect() }
}

#[derive(Serialize)]
struct CheckpointView {
    names: Vec<String>,
    epoch: u64,
    iter: u64,
    bytes: u64,
    metrics: Vec<(String, f64)>,
    damage: Option<String>,
}

impl From<SavedState> for CheckpointView {
    fn from(state: SavedState) -> Self {
        let SavedState { names, epoch, iter, bytes, metrics, damage } = state;
        CheckpointView { names, epoch, iter, bytes, metrics, damage }
    }
}

/// What a part of a training took.
#[derive(Serialize)]
struct CostView {
    kind: String,
    name: String,
    calls: u64,
    micros: f64,
}

/// A profile of some iters.
#[derive(Serialize)]
struct CostsView {
    iters: (u64, u64),
    parts: Vec<CostView>,
}

impl From<Costs> for CostsView {
    fn from(Costs { iters, parts }: Costs) -> Self {
        let view = |Cost { kind, name, calls, micros }| CostView { kind, name, calls, micros };
        CostsView { iters, parts: parts.into_iter().map(view).collect() }
    }
}

/// All that is shown of one run.
#[derive(Serialize)]
pub(super) struct DetailView {
    run: String,
    facts: Vec<(String, String)>,
    checkpoints: Vec<CheckpointView>,
    plan: Option<RunPlan>,
    costs: Option<CostsView>,
    log: Vec<String>,
}

/// All that is shown of one run.
pub(super) fn detail(entry: &Entry) -> DetailView {
    let (folder, facts, log) = {
        let run = entry.reader();
        let lines = run.log().lines().map(str::to_owned).collect();
        (run.folder().to_owned(), run.log().session().facts.clone(), lines)
    };
    // read from the disk without holding the run
    let checkpoints = checkpoints(&folder).into_iter().map(CheckpointView::from).collect();
    let (plan, costs) = (plan(&folder), costs(&folder).map(CostsView::from));
    DetailView { run: entry.id.clone(), facts, checkpoints, plan, costs, log }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_points_are_short_and_near_enough_to_draw() {
        let places = [0.0, 20_000.0, 0.002_500_000_000_000_1, 1e300, f64::NAN].map(Place);
        assert_eq!(serde_json::to_string(&places).unwrap(), "[0,20000,0.0025,1e+300,null]");
        let heights = [0.0, -2.5, 0.644_217_687_237_691, 20_000_001.0, 1e300, 1e-300, f64::INFINITY].map(Height);
        assert_eq!(serde_json::to_string(&heights).unwrap(), "[0.0,-2.5,0.64421767,20000001.0,1e+300,1e-300,null]");
    }
}
