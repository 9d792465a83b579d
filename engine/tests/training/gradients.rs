//! `GradientCheck` and `Anomaly`.

use crate::support::{ByIter, Full, Setup, Toyed as _, from_ron};
use engine::base::Output;
use engine::hooks::{Anomaly, GradientCheck};
use tch::Kind;

/// What the loss of an iter is multiplied by, and whether only the second layer has a part in it.
fn trained(settings: &str, factors: &'static [f64], without_first: bool) -> (Full<ByIter>, Vec<String>) {
    let mut driver = Setup { logger: "(interval: 1)", ..Setup::iters(factors.len() as u64) }.full::<ByIter>();
    driver.add(from_ron::<GradientCheck>(settings));
    driver.toy().on_train = Some(Box::new(move |output: Output, cx| {
        let factor = factors[cx.iter().get() as usize];
        let second = cx.model("net")?.variables().iter().find(|(name, _)| name == "second.weight").unwrap().1.square();
        let loss = if without_first { second.sum(Kind::Float) } else { output.loss()?.shallow_clone() };
        Ok((loss * factor).into())
    }));
    let (rows, lines) = driver.keep_rows();
    driver.train_all().unwrap();
    drop(rows);
    let lines = lines.lock().unwrap().iter().filter(|line| line.starts_with("gradients of iter")).cloned().collect();
    (driver, lines)
}

#[test]
fn a_gradient_is_named_when_it_gets_into_another_state() {
    // the weights of the later iters are not finite either
    let (_, said) = trained("(interval: 1, large: 1e6)", &[1.0, 1e9, f64::NAN, 1.0], false);
    let all = "`net.first.bias`, `net.first.weight`, `net.second.bias`, `net.second.weight`";
    assert_eq!(
        said,
        [format!("gradients of iter 2 are very large: {all}"), format!("gradients of iter 3 are not finite: {all}")]
    );
}

#[test]
fn zero_and_missing_gradients_are_told_apart_and_only_due_iters_are_looked_at() {
    let (_, said) = trained("(interval: 2)", &[1.0, 0.0, 1.0, 0.0], true);
    assert_eq!(
        said,
        [
            "gradients of iter 2 are zero: `net.second.weight`",
            "gradients of iter 2 are missing: the loss does not depend on the parameter: `net.first.bias`, `net.first.weight`, `net.second.bias`",
        ]
    );
}

#[test]
fn rows_show_the_norm_of_each_gradient_when_asked() {
    let (driver, _) = trained("(interval: 1, log: true)", &[1.0, 2.0], true);
    let names: Vec<&str> = driver.run.record().names().filter(|name| name.contains("grad/")).collect();
    assert_eq!(names, ["train/grad/net.second.weight"]);
}

#[test]
fn a_backward_that_makes_a_nan_is_an_error_that_names_the_operator() {
    let mut driver = Setup::iters(3).full::<ByIter>();
    driver.add(from_ron::<Anomaly>("(from: 2)"));
    driver.toy().on_train = Some(Box::new(|output: Output, cx| {
        // the gradient of a root at zero is infinite, and nothing times that is no number
        let bad = (output.loss()? * 0.0).sqrt() * 0.0;
        Ok((output.loss()? + if cx.iter().get() == 0 { bad.detach() } else { bad }).into())
    }));
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.contains("`train_step`") || error.contains("backward"), "{error}");
    assert!(error.contains("SqrtBackward0") && error.contains("nan"), "{error}");
    assert_eq!(driver.run.clocks().iter().get(), 1);
}
