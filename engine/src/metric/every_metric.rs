//! What is true of every metric, and the numbers of other libraries (`fixtures/metrics.py`).
//!
//! A new metric needs a case there: `every_metric_has_a_case` says so.

use crate::base::output::Output;
use crate::config::{Document, parse_text, registry};
use crate::metric::{Better, Metric, MetricConfig, MetricError};
use crate::native::DeviceReads;
use serde::Deserialize;
use std::collections::BTreeMap;
use tch::Tensor;

#[derive(Deserialize)]
struct Fixtures {
    inputs: Vec<Vec<BTreeMap<String, Part>>>,
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    metric: String,
    input: usize,
    expected: BTreeMap<String, f64>,
}

/// A tensor or texts of an output.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Part {
    Tensor { kind: String, shape: Vec<i64>, data: Vec<f64> },
    Texts(Vec<String>),
}

type Batch = BTreeMap<String, Part>;

/// The metrics that read the loss alone. Their tests are in their own file.
const OF_LOSS: [&str; 2] = ["MeanLoss", "Perplexity"];

fn fixtures() -> Fixtures {
    serde_json::from_str(include_str!("fixtures/metrics.json")).unwrap()
}

impl Case {
    fn build(&self) -> Box<dyn Metric> {
        let document: Document = parse_text("case", &self.metric).unwrap();
        document.read::<Box<dyn MetricConfig>>().unwrap_or_else(|errors| panic!("{errors}")).build_metric()
    }

    fn fed(&self, batches: &[Batch]) -> Box<dyn Metric> {
        let mut metric = self.build();
        for batch in batches {
            metric.update(&output(batch), 1).unwrap_or_else(|error| panic!("{}: {error}", self.metric));
        }
        metric
    }
}

fn output(batch: &Batch) -> Output {
    batch.iter().fold(Output::without_loss(), |output, (name, part)| {
        let name: &'static str = String::leak(name.clone());
        match part {
            Part::Texts(texts) => output.texts(name, texts.clone()),
            Part::Tensor { kind, shape, data } => {
                let tensor = Tensor::from_slice(data).reshape(shape);
                let whole = kind == "i64";
                output.tensor(name, &if whole { tensor.to_kind(tch::Kind::Int64) } else { tensor })
            }
        }
    })
}

/// The samples of all batches, each as a batch of its own.
fn single(batches: &[Batch]) -> Vec<Batch> {
    let samples = |batch: &Batch| match batch.values().next().unwrap() {
        Part::Tensor { shape, .. } => shape[0] as usize,
        Part::Texts(texts) => texts.len(),
    };
    let of = |part: &Part, sample: usize| match part {
        Part::Texts(texts) => Part::Texts(vec![texts[sample].clone()]),
        Part::Tensor { kind, shape, data } => {
            let numbers = data.len() / shape[0] as usize;
            let data = data[sample * numbers..][..numbers].to_vec();
            Part::Tensor { kind: kind.clone(), shape: [&[1], &shape[1..]].concat(), data }
        }
    };
    let one = |batch: &Batch, sample| batch.iter().map(|(name, part)| (name.clone(), of(part, sample))).collect();
    batches.iter().flat_map(|batch| (0..samples(batch)).map(|sample| one(batch, sample)).collect::<Vec<_>>()).collect()
}

/// The values equal the expected ones. `map` of pycocotools and the numbers of torchmetrics have single precision.
fn same(name: &str, metric: &dyn Metric, expected: &BTreeMap<String, f64>, precision: f64) {
    let values: BTreeMap<String, f64> =
        metric.compute().unwrap_or_else(|error| panic!("{name}: {error}")).into_iter().collect();
    for (key, expected) in expected {
        let value = values.get(key).unwrap_or_else(|| panic!("{name}: no `{key}` in {values:?}"));
        assert!((value - expected).abs() <= precision, "{name}: `{key}` is {value}, expected {expected}");
    }
}

fn values(metric: &dyn Metric) -> BTreeMap<String, f64> {
    metric.compute().unwrap().into_iter().collect()
}

#[test]
fn every_metric_has_a_case() {
    let fixtures = fixtures();
    let metrics = registry::components().into_iter().filter(|component| component.kind == "metric");
    let metrics: Vec<&str> = metrics.map(|component| component.name).filter(|name| !OF_LOSS.contains(name)).collect();
    assert!(metrics.len() > 15, "{metrics:?}");
    for metric in metrics {
        let named = |case: &Case| case.metric.starts_with(&format!("{metric}("));
        assert!(fixtures.cases.values().any(named), "`{metric}` has no case in fixtures/metrics.py");
    }
}

#[test]
fn every_value_is_the_one_of_the_reference() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        let single_precision = ["calibration", "bleu", "wer", "cer", "iou, torchmetrics"];
        let single_precision = single_precision.iter().any(|word| name.starts_with(word));
        same(name, case.fed(&inputs[case.input]).as_ref(), &case.expected, if single_precision { 3e-7 } else { 1e-12 });
    }
}

#[test]
fn any_batches_and_any_parts_merged_are_the_whole() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        let batches = &inputs[case.input];
        let whole = values(case.fed(batches).as_ref());
        let samples = single(batches);
        same(name, case.fed(&samples).as_ref(), &whole, 1e-12);
        // two ranks, and one that got nothing
        let mut joined = case.build();
        joined.merge(case.build().save_state()).unwrap();
        joined.merge(case.fed(&batches[..1]).save_state()).unwrap();
        joined.merge(case.fed(&batches[1..]).save_state()).unwrap();
        same(name, joined.as_ref(), &whole, 1e-12);
        let mut restored = case.build();
        restored.load_state(joined.save_state()).unwrap();
        assert_eq!(values(restored.as_ref()), values(joined.as_ref()), "{name}");
    }
}

#[test]
fn without_a_batch_there_is_no_value() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        let mut metric = case.fed(&inputs[case.input]);
        metric.reset();
        let error = metric.compute().unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(MetricError::NoBatch { .. })), "{name}: {error}");
    }
}

#[test]
fn the_values_are_those_that_were_declared() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        let metric = case.fed(&inputs[case.input]);
        let declared: Vec<String> = metric.measures().into_iter().map(|measure| measure.name).collect();
        let given: Vec<String> = metric.compute().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(declared, given, "{name}");
    }
}

#[test]
fn what_the_output_lacks_or_has_in_another_shape_is_an_error_that_names_it() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        for part in inputs[case.input][0].keys().filter(|part| !part.starts_with("target_crowd")) {
            let refused = |changed: Batch| case.build().update(&output(&changed), 1).unwrap_err().to_string();
            let mut lacking = inputs[case.input][0].clone();
            let Some(removed) = lacking.remove(part) else { continue };
            if part == "other" && !case.metric.contains("other") || part == "mask" && !case.metric.contains("mask") {
                continue;
            }
            let error = refused(lacking.clone());
            assert!(error.contains("needs the te") && error.contains(&format!("`{part}`")), "{name}: {error}");
            if case.metric == "MeanOf(tensor: \"nll\")" {
                continue; // takes any shape
            }
            let misfit = match removed {
                Part::Texts(texts) => Part::Texts(texts[1..].to_vec()),
                Part::Tensor { kind, mut shape, data } => {
                    shape.insert(0, 1);
                    Part::Tensor { kind, shape, data }
                }
            };
            lacking.insert(part.clone(), misfit);
            let error = refused(lacking);
            assert!(
                error.starts_with("metric `") && error.contains("expected") || error.contains("texts"),
                "{name}: {error}"
            );
        }
    }
}

#[test]
fn no_update_reads_from_the_device() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        let outputs: Vec<Output> = inputs[case.input].iter().map(output).collect();
        let mut metric = case.build();
        let reads = DeviceReads::count().unwrap();
        for output in &outputs {
            metric.update(output, 1).unwrap();
        }
        assert_eq!(reads.so_far(), 0, "{name}");
    }
}

#[test]
fn a_number_that_is_nan_makes_no_value_better() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        let clean = case.fed(&inputs[case.input]);
        for part in ["logits", "prediction", "nll", "scores", "boxes"] {
            let mut batches = inputs[case.input].clone();
            let Some(Part::Tensor { data, .. }) = batches[1].get_mut(part) else { continue };
            data.fill(f64::NAN);
            let broken = case.fed(&batches);
            let (clean, values) = (values(clean.as_ref()), values(broken.as_ref()));
            let main = &broken.measures()[0];
            let counts = ["Accuracy", "Recall", "ConfusionMatrix", "Precision", "FBeta", "MeanIou", "Dice"];
            if counts.iter().any(|metric| case.metric.starts_with(metric)) {
                // without a prediction, which lowers the recall and nothing else for sure
                let finite = values.values().all(|value| value.is_finite());
                assert!(finite, "{name}, `{part}`: {values:?}");
                if main.name != "precision" {
                    assert!(values[&main.name] < clean[&main.name], "{name}, `{part}`: {values:?}");
                }
            } else {
                assert!(values[&main.name].is_nan(), "{name}, `{part}`: {values:?}");
            }
            assert!(
                main.better == Better::Neither || !main.better.is_better(values[&main.name], clean[&main.name], 1.0)
            );
        }
    }
}

#[test]
fn a_target_that_is_no_class_is_told() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        let mut batches = inputs[case.input].clone();
        if !batches[0].contains_key("logits") {
            continue;
        }
        let Some(Part::Tensor { data, .. }) = batches[1].get_mut("target") else { continue };
        data[0] = 77.0;
        let error = case.fed(&batches).compute().unwrap_err().to_string();
        assert!(error.contains("1 targets are") && error.contains("ignore_index"), "{name}: {error}");
    }
}

#[test]
fn what_is_left_out_may_be_anything() {
    let Fixtures { inputs, cases } = fixtures();
    for (name, case) in &cases {
        let batches = inputs[case.input].clone();
        let mark = match case.metric.split("ignore_").nth(1) {
            Some(rest) => rest.split([' ', ')', ',']).nth(1).unwrap().parse::<f64>().unwrap(),
            None => continue,
        };
        let whole = values(case.fed(&batches).as_ref());
        // one more batch, of which nothing counts
        let mut nothing = batches[0].clone();
        for (part, to) in [("target", mark), ("logits", 3.0), ("prediction", f64::NAN)] {
            if let Some(Part::Tensor { data, .. }) = nothing.get_mut(part) {
                data.fill(to);
            }
        }
        same(name, case.fed(&[batches, vec![nothing.clone()]].concat()).as_ref(), &whole, 1e-12);
        let error = case.fed(&[nothing]).compute().unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(MetricError::NoBatch { .. })), "{name}: {error}");
    }
}

#[test]
fn what_grows_with_the_data_is_gone_after_the_evaluation() {
    let Fixtures { inputs, cases } = fixtures();
    for metric in ["Auroc", "AveragePrecision", "MeanAp"] {
        let case = cases.values().find(|case| case.metric.starts_with(metric)).unwrap();
        let mut metric = case.fed(&inputs[case.input]);
        metric.release();
        assert_eq!(format!("{:?}", metric.save_state()), format!("{:?}", case.build().save_state()));
    }
}
