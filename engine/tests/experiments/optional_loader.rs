//! `Option<Loader<…>>`: a loader that an experiment may leave out.

use crate::program::{Line, Slope};
use engine::loops::Role;
use engine::prelude::*;
use engine::trainer::{Experiment, build, run_val};

/// Fits a slope; validates when there is something to validate with.
#[trainer(by_epoch)]
pub struct Fit {
    #[model]
    slope: Slope,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Line>,
    #[loader(val)]
    val: Option<Loader<Line>>,
    #[loader(val)]
    hard: Option<Loader<Line>>,
    #[metric]
    loss: MeanLoss,
}

impl Fit {
    fn fit(&self, (x, y): &(Tensor, Tensor)) -> Output {
        (x * &self.slope.0).squeeze_dim(-1).mse_loss(y, Reduction::Mean).into()
    }
}

impl Steps for Fit {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.fit(batch))
    }
}

impl ValStep for Fit {
    fn val_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.fit(batch))
    }
}

const LOADER: &str = "(dataset: Line(points: 2), batch_size: 2)";

/// Reads an experiment with these loaders besides that of training.
fn read(loaders: &str, more: &str) -> Result<Experiment<Fit>, String> {
    let text = format!(
        "(name: \"fit\", device: Cpu, optimizer: (lr: 0.1), train: (max_epochs: 1),
            loaders: (train: {LOADER}, {loaders}), {more})"
    );
    Experiment::parse("fit.ron", &text).map_err(|errors| errors.to_string())
}

/// What a training measures, of all that it could.
fn measured(loaders: &str) -> Vec<&'static str> {
    let mut program = build(read(loaders, "").unwrap(), &[Role::Train, Role::Val]).unwrap();
    program.run(|program| program.train()).unwrap();
    let names = ["val/hard/loss", "val/loss", "val/val/loss"];
    names.into_iter().filter(|name| program.context().metric(name).is_some()).collect()
}

#[test]
fn a_loader_that_the_file_leaves_out_is_not_validated_with() {
    assert!(measured("").is_empty());
    let both = ["val/hard/loss", "val/loss", "val/val/loss"];
    assert_eq!(measured(&format!("val: {LOADER}, hard: {LOADER}")), both);
    // names stay those of a trainer with two, and the short one is that of the first that there is
    assert_eq!(measured(&format!("val: {LOADER}")), ["val/loss", "val/val/loss"]);
    assert_eq!(measured(&format!("hard: {LOADER}")), ["val/hard/loss", "val/loss"]);
    // what a base has, a file over it leaves out
    for word in ["None", "Off"] {
        assert_eq!(measured(&format!("val: {word}, hard: {LOADER}")), ["val/hard/loss", "val/loss"]);
    }
}

#[test]
fn what_needs_a_loader_that_is_left_out_is_refused() {
    let refused = |more: &str| read("", more).err().unwrap();
    let text = refused("val: (interval: 2),");
    assert!(
        text.contains("this experiment has no `loaders.val`, `loaders.hard`, so there is nothing to validate"),
        "{text}"
    );
    let text = refused("custom_hooks: [EarlyStopping(monitor: \"val/loss\")],");
    assert!(text.contains("this experiment has no val loader, so no metric can be watched"), "{text}");
    // only one of them is missing
    let hard = format!("hard: {LOADER}");
    assert!(read(&hard, "val: (interval: 2), custom_hooks: [EarlyStopping(monitor: \"val/hard/loss\")],").is_ok());
    let text = read(&hard, "custom_hooks: [EarlyStopping(monitor: \"val/val/loss\")],").err().unwrap();
    assert!(text.contains("`val/val/loss`") && text.contains("val/hard/loss"), "{text}");

    let weights = tempfile::NamedTempFile::new().unwrap();
    let error = run_val(read("", "").unwrap(), weights.path(), engine::sinks::ConsoleOptions::default()).unwrap_err();
    assert!(format!("{error:#}").contains("so there is nothing to val"), "{error:#}");
}

#[test]
fn an_experiment_without_an_optional_loader_is_printed_and_read_again() {
    let printed = read(&format!("hard: {LOADER}"), "").unwrap().print().unwrap();
    assert!(printed.contains("hard: (") && !printed.contains("        val: ("), "{printed}");
    let again = Experiment::<Fit>::parse("again.ron", &printed).unwrap();
    assert_eq!(again.print().unwrap(), printed);
    // `new` and `list` know of it
    let schema = Experiment::<Fit>::schema();
    let section = schema.sections.iter().find(|section| section.path == "loaders.hard").unwrap();
    assert!(section.absent);
}
