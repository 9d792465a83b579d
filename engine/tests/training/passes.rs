//! Passes: their turns and their batches, whose parameters take gradients, what is clipped, logged and told, and what an
//! experiment may say of them.

use engine::base::Error;
use engine::loops::Role;
use engine::phase::Phase;
use engine::prelude::*;
use engine::run::RunState;
use engine::trainer::{Build, Experiment, Program, build};

/// One number.
struct Number(Tensor);

/// Where it starts.
#[component]
struct NumberConfig {
    #[config(default = 0.0)]
    start: f64,
}

impl Model for Number {
    type Config = NumberConfig;
    fn build(vs: &nn::Path<'_>, config: &NumberConfig) -> Result<Self> {
        Ok(Number(vs.var("w", &[1], nn::Init::Const(config.start))))
    }
}

/// The numbers from 0 on.
struct Counting(usize);

#[component(dataset)]
struct CountingConfig {
    #[config(default = 1000)]
    points: usize,
}

impl Dataset for Counting {
    type Config = CountingConfig;
    type Item = f32;
    fn open(config: &CountingConfig) -> Result<Self> {
        Ok(Counting(config.points))
    }
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<f32> {
        Ok(index as f32)
    }
}

/// What a pass has seen: its name, the finished iters, its number in a row, the first number of its batch.
type Seen = (&'static str, u64, u64, f64);

/// What a trainer of these tests keeps, and does in its steps.
#[derive(Default)]
struct Kept {
    seen: Vec<Seen>,
    phases: Vec<(Phase, Option<&'static str>)>,
    draws: Vec<u64>,
    /// Whether the other model's weight takes gradients in the step.
    others: Vec<bool>,
    /// The pass whose step fails, and whether by a panic.
    fails: Option<(&'static str, bool)>,
}

macro_rules! duel {
    ($name:ident, $clock:ident) => {
        /// Two numbers with an optimizer each. Both losses touch both.
        #[trainer($clock)]
        struct $name {
            #[model]
            critic: Number,
            #[model]
            generator: Number,
            #[optimizer(critic)]
            opt_c: Box<dyn Optimizer>,
            #[optimizer(generator)]
            opt_g: Box<dyn Optimizer>,
            #[scheduler]
            schedule: Schedules,
            #[loader(train)]
            train: Loader<Counting>,
            #[transient]
            kept: Kept,
        }

        #[passes]
        impl $name {
            #[pass(opt_c, times = 2)]
            fn critic(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
                self.kept.step(batch, &self.generator, cx)?;
                Ok(Output::new(((&self.critic.0 - 1.0) + &self.generator.0).square().sum(Kind::Float)).value("x", 2.0))
            }

            #[pass(opt_g)]
            fn generator(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
                self.kept.step(batch, &self.critic, cx)?;
                let distance = &self.generator.0 + &self.critic.0 * 0.1 + 3.0;
                Ok(Output::new(distance.square().sum(Kind::Float)).value("x", 4.0))
            }
        }

        #[phases]
        impl $name {
            fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
                self.kept.phase(cx)
            }
            fn before_train_batch(&mut self, cx: &mut Context<'_>) -> Result<()> {
                self.kept.phase(cx)
            }
            fn after_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
                self.kept.phase(cx)
            }
            fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
                self.kept.phase(cx)
            }
        }

        impl Dueling for $name {
            fn kept(&mut self) -> &mut Kept {
                &mut self.kept
            }
        }
    };
}

/// The part that both trainers share.
trait Dueling: Build {
    fn kept(&mut self) -> &mut Kept;
}

duel!(ByIter, by_iter);
duel!(ByEpoch, by_epoch);

impl Kept {
    fn step(&mut self, batch: &Tensor, other: &Number, cx: &mut Context<'_>) -> Result<()> {
        let (pass, place) = (cx.pass().map_or("none", |pass| pass.name()), cx.pass_place());
        self.seen.push((pass, cx.iter().get(), place.map_or(0, |place| place.time), f64::try_from(batch.get(0))?));
        self.draws.push(cx.generator("noise").next_u64());
        self.others.push(other.0.requires_grad());
        match self.fails {
            Some((failing, false)) if failing == pass => Err(Error::msg("the step gave up")),
            Some((failing, true)) if failing == pass => panic!("the step fell over"),
            _ => Ok(()),
        }
    }

    fn phase(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.phases.push((cx.phase(), cx.pass().map(|pass| pass.name())));
        Ok(())
    }
}

/// The experiment with these lines.
fn text(lines: &str) -> String {
    let needed = [
        ("optimizer", "optimizer: (opt_c: Sgd(lr: 0.1), opt_g: Sgd(lr: 0.1))"),
        ("train", "train: (max_iters: 3)"),
        ("loaders", "loaders: (train: (dataset: (), batch_size: 1))"),
        ("model", "model: (critic: (), generator: ())"),
    ];
    let unsaid = needed.iter().filter(|(key, _)| !lines.lines().any(|line| line.starts_with(&format!("{key}:"))));
    let unsaid: Vec<String> = unsaid.map(|(_, line)| format!("{line},\n")).collect();
    format!("Experiment(\nname: \"duel\", device: Cpu,\n{}{lines}\n)", unsaid.concat())
}

fn program<T: Dueling>(lines: &str) -> Program<T> {
    let experiment = Experiment::parse("duel.ron", &text(lines)).unwrap_or_else(|errors| panic!("{errors}"));
    build(experiment, &[Role::Train]).unwrap()
}

/// What the passes of a whole training have seen.
fn seen<T: Dueling>(lines: &str) -> Vec<Seen> {
    let mut program = program::<T>(lines);
    program.run(|program| program.train()).unwrap();
    std::mem::take(&mut program.trainer.kept().seen)
}

fn refused<T: Dueling>(lines: &str) -> String {
    match Experiment::<T>::parse("duel.ron", &text(lines)) {
        Ok(_) => panic!("it is read"),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn the_first_pass_reads_fresh_batches_and_the_others_take_the_last_of_them() {
    let expected = [
        ("critic", 0, 0, 0.0),
        ("critic", 0, 1, 1.0),
        ("generator", 0, 0, 1.0),
        ("critic", 1, 0, 2.0),
        ("critic", 1, 1, 3.0),
        ("generator", 1, 0, 3.0),
    ];
    assert_eq!(seen::<ByIter>("train: (max_iters: 2),"), expected);
}

#[test]
fn a_file_changes_times_turns_and_batches() {
    let several =
        seen::<ByIter>("train: (max_iters: 1),\npasses: (critic: (times: 3, batches: Same), generator: (times: 2)),");
    let expected = [("critic", 0.0), ("critic", 0.0), ("critic", 0.0), ("generator", 0.0), ("generator", 0.0)];
    assert_eq!(several.iter().map(|(name, _, _, x)| (*name, *x)).collect::<Vec<_>>(), expected);
    let fresh = seen::<ByIter>("train: (max_iters: 2),\npasses: (critic: (times: 1), generator: (batches: Fresh)),");
    let expected = [("critic", 0.0), ("generator", 1.0), ("critic", 2.0), ("generator", 3.0)];
    assert_eq!(fresh.iter().map(|(name, _, _, x)| (*name, *x)).collect::<Vec<_>>(), expected);
}

#[test]
fn every_third_iter_is_the_third_the_sixth_and_so_on() {
    let seen = seen::<ByIter>("train: (max_iters: 7),\npasses: (critic: (times: 1), generator: (every: 3)),");
    let generators: Vec<(u64, f64)> =
        seen.iter().filter(|(name, ..)| *name == "generator").map(|(_, iter, _, x)| (*iter, *x)).collect();
    assert_eq!(generators, [(2, 2.0), (5, 5.0)]);
    assert_eq!(seen.len(), 9);
}

/// A pass that comes first in an iter reads, whatever it is set to.
#[test]
fn a_pass_that_finds_no_batch_reads_one() {
    let seen = seen::<ByIter>("train: (max_iters: 2),\npasses: (critic: (every: 2, times: 1), generator: (every: 1)),");
    let expected = [("generator", 0, 0, 0.0), ("critic", 1, 0, 1.0), ("generator", 1, 0, 1.0)];
    assert_eq!(seen, expected);
}

#[test]
fn a_pass_accumulates_for_itself_and_others_take_all_of_its_last_update() {
    let lines = "train: (max_iters: 1, accumulate: 2),\npasses: (critic: (accumulate: 3)),";
    let names: Vec<(&str, u64, f64)> =
        seen::<ByIter>(lines).iter().map(|(name, _, time, x)| (*name, *time, *x)).collect();
    let critic = (0..6).map(|n| ("critic", n / 3, n as f64));
    let generator = (3..6).map(|n| ("generator", 0, f64::from(n)));
    assert_eq!(names, critic.chain(generator).collect::<Vec<_>>());
}

#[test]
fn the_tail_of_an_epoch_has_as_many_updates_as_batches_and_each_batch_comes_once() {
    let lines = "train: (max_epochs: 2),\nloaders: (train: (dataset: (points: 5), batch_size: 1)),";
    let seen = seen::<ByEpoch>(lines);
    let of_epoch = |first_iter: u64| {
        let all = seen.iter().filter(|(_, iter, ..)| (first_iter..first_iter + 3).contains(iter));
        all.map(|(name, iter, time, x)| (*name, iter - first_iter, *time, *x)).collect::<Vec<_>>()
    };
    let expected = [
        ("critic", 0, 0, 0.0),
        ("critic", 0, 1, 1.0),
        ("generator", 0, 0, 1.0),
        ("critic", 1, 0, 2.0),
        ("critic", 1, 1, 3.0),
        ("generator", 1, 0, 3.0),
        ("critic", 2, 0, 4.0),
        ("generator", 2, 0, 4.0),
    ];
    assert_eq!(of_epoch(0), expected);
    assert_eq!(of_epoch(3), expected);
}

#[test]
fn an_epoch_is_planned_with_the_batches_that_an_iter_takes() {
    let lines = "train: (max_epochs: 2),\nloaders: (train: (dataset: (points: 7), batch_size: 1)),\npasses: (critic: (times: 3)),";
    let mut program = program::<ByEpoch>(lines);
    program.run(|program| program.train()).unwrap();
    let clocks = program.run.clocks();
    assert_eq!((clocks.iters_per_epoch(), clocks.max_iters(), clocks.iter().get()), (3, Some(6), 6));
    assert_eq!(clocks.epoch().get(), 2);
}

/// The weight of a model of the run.
fn weight(run: &RunState, model: &str) -> Tensor {
    run.models.get(model).unwrap().variables()[0].1.shallow_clone()
}

#[test]
fn in_a_pass_only_the_parameters_of_its_optimizers_take_gradients() {
    let mut program = program::<ByIter>("train: (max_iters: 2),");
    program.run(|program| program.train()).unwrap();
    assert_eq!(program.trainer.kept.others, [false; 6]);
    for model in ["critic", "generator"] {
        assert!(weight(&program.run, model).requires_grad(), "{model}");
    }
}

#[test]
fn what_was_switched_off_is_on_again_after_an_error_and_after_a_panic() {
    for panics in [false, true] {
        for pass in ["critic", "generator"] {
            let mut program = program::<ByIter>("train: (max_iters: 2),");
            program.trainer.kept.fails = Some((pass, panics));
            let error = format!("{:#}", program.run(|program| program.train()).unwrap_err());
            assert!(error.starts_with(&format!("`{pass}` failed at iter 0, batch ")), "{error}");
            assert!(
                weight(&program.run, "critic").requires_grad() && weight(&program.run, "generator").requires_grad()
            );
        }
    }
}

#[test]
fn a_frozen_parameter_stays_frozen() {
    let mut program = program::<ByIter>("train: (max_iters: 2),");
    let _ = weight(&program.run, "generator").set_requires_grad(false);
    program.trainer.kept.fails = Some(("generator", false));
    let _ = program.run(|program| program.train());
    assert!(!weight(&program.run, "generator").requires_grad());
    assert!(weight(&program.run, "critic").requires_grad());
}

/// One update by hand: the gradients are those of the losses, the other weight stands still.
#[test]
fn a_pass_steps_its_own_optimizers_and_no_others() {
    let lines = "train: (max_iters: 1),\npasses: (critic: (times: 1)),\nmodel: (critic: (start: 0.5), generator: (start: -2.0)),";
    let mut program = program::<ByIter>(lines);
    program.run(|program| program.train()).unwrap();
    let (mut c, mut g) = (0.5f64, -2.0f64);
    c -= 0.1 * 2.0 * (c - 1.0 + g);
    g -= 0.1 * 2.0 * (g + 3.0 + 0.1 * c);
    assert!((weight(&program.run, "critic").double_value(&[0]) - c).abs() < 1e-6);
    assert!((weight(&program.run, "generator").double_value(&[0]) - g).abs() < 1e-6);
}

#[test]
fn a_clip_of_a_pass_clips_its_gradient_alone() {
    let lines = "train: (max_iters: 1),\npasses: (critic: (times: 1, clip: Norm(0.5))),\nmodel: (critic: (start: 5.0), generator: (start: 5.0)),";
    let mut program = program::<ByIter>(lines);
    program.run(|program| program.train()).unwrap();
    let moved = |model| 5.0 - weight(&program.run, model).double_value(&[0]);
    assert!((moved("critic") - 0.05).abs() < 1e-5, "{}", moved("critic"));
    assert!(moved("generator") > 1.0, "{}", moved("generator"));
}

#[test]
fn the_clip_of_the_training_holds_for_each_pass_apart() {
    let lines = "train: (max_iters: 1, clip: Norm(0.5)),\npasses: (critic: (times: 1), generator: (clip: Value(0.25))),\nmodel: (critic: (start: 5.0), generator: (start: 5.0)),";
    let mut program = program::<ByIter>(lines);
    program.run(|program| program.train()).unwrap();
    let moved = |model| 5.0 - weight(&program.run, model).double_value(&[0]);
    assert!((moved("critic") - 0.05).abs() < 1e-5 && (moved("generator") - 0.025).abs() < 1e-5);
}

#[test]
fn what_is_logged_in_a_pass_has_its_name_before_it() {
    let mut program = program::<ByIter>("train: (max_iters: 2),\npasses: (critic: (clip: Norm(1.0))),");
    program.run(|program| program.train()).unwrap();
    let names: Vec<&str> = program.run.record().names().collect();
    for name in ["critic/loss", "critic/x", "critic/grad_norm", "generator/loss", "generator/x", "lr/opt_c", "lr/opt_g"]
    {
        assert!(names.contains(&format!("train/{name}").as_str()), "{name} in {names:?}");
    }
    for name in ["loss", "x", "grad_norm", "generator/grad_norm"] {
        assert!(!names.contains(&format!("train/{name}").as_str()), "{name} in {names:?}");
    }
    assert_eq!(
        (program.run.record().latest("train/critic/x"), program.run.record().latest("train/generator/x")),
        (Some(2.0), Some(4.0))
    );
}

#[test]
fn phases_of_an_update_tell_its_pass() {
    let mut program = program::<ByIter>("train: (max_iters: 1),\npasses: (critic: (times: 1)),");
    program.run(|program| program.train()).unwrap();
    let expected = [
        (Phase::BeforeTrainIter, None),
        (Phase::BeforeTrainBatch, Some("critic")),
        (Phase::AfterOptimizerStep, Some("critic")),
        (Phase::BeforeTrainBatch, Some("generator")),
        (Phase::AfterOptimizerStep, Some("generator")),
        (Phase::AfterTrainIter, None),
    ];
    assert_eq!(program.trainer.kept.phases, expected);
}

/// Also where they work on one batch.
#[test]
fn every_update_draws_other_numbers() {
    let mut program = program::<ByIter>("train: (max_iters: 3),\npasses: (critic: (times: 4, batches: Same)),");
    program.run(|program| program.train()).unwrap();
    let draws = &program.trainer.kept.draws;
    let different: std::collections::BTreeSet<u64> = draws.iter().copied().collect();
    assert_eq!((draws.len(), different.len()), (15, 15));
}

#[test]
fn a_schedule_may_be_that_of_one_optimizer() {
    let lines = "train: (max_iters: 4),\nschedule: [Linear(start: 0.0, finish: 1.0, groups: [\"opt_g\"])],";
    let mut program = program::<ByIter>(lines);
    program.run(|program| program.train()).unwrap();
    let lr = |optimizer: usize| program.run.updates.optimizers()[optimizer].groups()[0].settings().get("lr").unwrap();
    assert_eq!(lr(0), 0.1);
    assert!((lr(1) - 0.075).abs() < 1e-9, "{}", lr(1));
}

#[test]
fn mistakes_about_passes_are_told_at_their_places() {
    let told = |lines: &str, place: &str, text: &str| {
        let errors = refused::<ByIter>(lines);
        assert!(errors.contains(text), "{text}\nin\n{errors}");
        assert!(errors.contains(place), "{place}\nin\n{errors}");
    };
    told("passes: (critc: (times: 3)),", "critc", "did you mean `critic`?");
    told("passes: (critic: (tmes: 3)),", "tmes", "did you mean `times`?");
    told("passes: (critic: (times: 0)),", "times: 0", "`times` must be in 1..=65536, got 0");
    told("passes: (critic: (clip: Norm(-1.0))),", "clip", "`Norm` of `clip` must be above 0");
    told("passes: (critic: (every: 2), generator: (every: 3)),", "every: 2", "some iters would run no pass");
}

#[test]
fn the_epochs_of_a_training_by_epoch_have_one_length() {
    let train = "train: (max_epochs: 2),";
    let errors = refused::<ByEpoch>(&format!("{train}\npasses: (generator: (every: 2, batches: Fresh)),"));
    assert!(errors.contains("different numbers of iters") && errors.contains("the pass `generator`"), "{errors}");
    // by iter nothing hangs on it, and where the other pass reads there is one length
    let fresh = "passes: (generator: (every: 2, batches: Fresh)),";
    assert!(Experiment::<ByIter>::parse("duel.ron", &text(fresh)).is_ok());
    let same = format!("{train}\npasses: (generator: (every: 2)),");
    assert!(Experiment::<ByEpoch>::parse("duel.ron", &text(&same)).is_ok());
}

#[test]
fn what_is_printed_says_what_holds_of_each_pass_and_reads_back() {
    let print = |text: &str| Experiment::<ByIter>::parse("duel.ron", text).unwrap().print().unwrap();
    let printed = print(&text("passes: (generator: (every: 2)),"));
    assert!(printed.contains("passes: ("), "{printed}");
    let flat = printed.split_whitespace().collect::<String>();
    assert!(flat.contains("critic:(times:2,every:1,batches:Fresh,"), "{printed}");
    assert!(flat.contains("generator:(times:1,every:2,batches:Same,"), "{printed}");
    assert_eq!(print(&printed), printed);
}
