//! `#[only_ok]`: a closing phase that is called only when a run ends well.

use crate::program::{Line, Slope};
use engine::loops::Role;
use engine::prelude::*;
use engine::trainer::{Experiment, build, plan_of};
use std::cell::RefCell;

thread_local! {
    /// What was called, in order.
    static CALLED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn called(name: &'static str) -> Result<()> {
    CALLED.with_borrow_mut(|called| called.push(name));
    Ok(())
}

/// Fails where it is told to; notes its phases.
#[hook]
#[derive(Debug)]
pub struct Noting {
    /// Whether training fails in its first iter.
    #[config(default = false)]
    fails: bool,
}

#[phases]
impl Noting {
    fn before_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        if self.fails { Err(Error::msg("the fault")) } else { called("before_train_iter") }
    }
    #[only_ok]
    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        called("after_train_iter")
    }
    fn after_train(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        called("after_train")
    }
    #[only_ok]
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        called("after_run")
    }
}

/// Fits a slope; has a good ending of its own.
#[trainer(by_epoch)]
pub struct Fit {
    #[model]
    slope: Slope,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Line>,
    #[hook]
    noting: Noting,
}

#[phases]
impl Fit {
    #[only_ok]
    fn after_train(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        called("the trainer's after_train")
    }
}

impl Steps for Fit {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok((x * &self.slope.0).mean(Kind::Float).into())
    }
}

fn read(more: &str) -> Experiment<Fit> {
    let text = format!(
        "(name: \"fit\", device: Cpu, optimizer: (lr: 0.1), train: (max_epochs: 1),
            loaders: (train: (dataset: Line(points: 2), batch_size: 2)), {more})"
    );
    Experiment::parse("fit.ron", &text).unwrap()
}

/// What a training calls, and whether it ends well.
fn trained(more: &str) -> (Vec<&'static str>, bool) {
    CALLED.take();
    let mut program = build(read(more), &[Role::Train]).unwrap();
    let well = program.run(|program| program.train()).is_ok();
    (CALLED.take(), well)
}

#[test]
fn only_ok_leaves_a_closing_phase_out_on_the_way_out_of_a_failure() {
    let all = ["before_train_iter", "after_train_iter", "after_train", "the trainer's after_train", "after_run"];
    assert_eq!(trained(""), (all.to_vec(), true));
    let whatever_happens = vec!["after_train"];
    assert_eq!(trained("hooks: (noting: (fails: true)),"), (whatever_happens.clone(), false));
    // through the table that another level makes, and for a hook that the file chooses
    assert_eq!(trained("hooks: (noting: (fails: true, level: LOWER)),"), (whatever_happens, false));
    let chosen = vec!["before_train_iter", "after_train", "after_train"];
    assert_eq!(trained("custom_hooks: [Noting(fails: true)],"), (chosen, false));
}

#[test]
fn a_plan_tells_which_phases_are_only_for_good_ends() {
    let plan = plan_of(read("")).unwrap();
    let origin = |phase: &str, hook: &str| {
        let (_, hooks) = plan.phases.iter().find(|(of, _)| of.name() == phase).unwrap();
        hooks.iter().find(|planned| planned.name == hook).unwrap().origin.clone()
    };
    assert_eq!(origin("after_train_iter", "noting"), "field of `Fit`, only when all is well");
    assert_eq!(origin("after_train", "noting"), "field of `Fit`");
    assert_eq!(origin("after_train", "Fit"), "the trainer's own phases, only when all is well");
    assert_eq!(origin("after_train_iter", "timer"), "engine, only when all is well");
}
