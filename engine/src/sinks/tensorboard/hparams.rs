//! The settings of a run, for TensorBoard's HParams: a table of runs with their settings and metrics.

use super::file::now;
use super::proto::{
    Dim, Experiment, HParamInfo, HParams, HParamsData, Held, Known, MetricInfo, MetricName, SessionEnd, SessionStart,
    Setting, Shape, Tensor, Value,
};
use super::values::{held, plugin};
use crate::record::{Cell, Outcome, RunInfo};
use prost::Message as _;

/// `DT_FLOAT` of TensorFlow's `types.proto`.
const DT_FLOAT: i32 = 1;

/// What is known when a run begins: which settings and metrics there are, and what the settings are.
pub(super) fn begin(run: &RunInfo) -> Vec<Value> {
    let infos = run.settings.iter().map(|(name, value)| HParamInfo { name: name.clone(), r#type: type_of(value) });
    let metrics = std::iter::once("train/loss").chain(run.measures.iter().map(String::as_str));
    let metrics = metrics.map(|tag| MetricInfo { name: Some(MetricName { tag: tag.to_owned() }) });
    let experiment =
        Experiment { time_created_secs: now(), hparam_infos: infos.collect(), metric_infos: metrics.collect() };
    let settings = run.settings.iter().map(|(name, value)| (name.clone(), Setting { kind: Some(known(value)) }));
    let start = SessionStart { hparams: settings.collect(), start_time_secs: now() };
    vec![
        value("_hparams_/experiment", HParamsData::Experiment(experiment)),
        value("_hparams_/session_start_info", HParamsData::Start(start)),
    ]
}

/// How a run has ended. One that was interrupted goes on when it is resumed: it has no end yet.
pub(super) fn end(how: Outcome) -> Option<Value> {
    let status = match how {
        Outcome::Finished | Outcome::Stopped => 1,
        Outcome::Failed => 2,
        Outcome::Interrupted => return None,
    };
    let end = SessionEnd { status, end_time_secs: now() };
    Some(value("_hparams_/session_end_info", HParamsData::End(end)))
}

fn type_of(value: &Cell) -> i32 {
    match value {
        Cell::Text(_) => 1,
        Cell::Bool(_) => 2,
        Cell::Number(_) => 3,
    }
}

fn known(value: &Cell) -> Known {
    match value {
        Cell::Text(text) => Known::Text(text.clone()),
        Cell::Bool(flag) => Known::Bool(*flag),
        Cell::Number(number) => Known::Number(*number),
    }
}

/// The plugin reads the metadata; the value itself is a tensor without elements.
fn value(tag: &str, data: HParamsData) -> Value {
    let nothing = Tensor { dtype: DT_FLOAT, shape: Some(Shape { dim: vec![Dim { size: 0 }] }), string_val: Vec::new() };
    let content = HParams { data: Some(data) }.encode_to_vec();
    Value { metadata: Some(plugin("hparams", content)), ..held(tag, Held::Tensor(nothing)) }
}
