//! A hook that every program of a trainer has is one line of a set.

use crate::program::{Line, Slope};
use engine::prelude::*;
use engine::trainer::{Experiment, PlannedHook, plan_of};

/// Says hello at the start.
#[hook(priority = "HIGH")]
#[derive(Debug)]
pub struct Greeter {
    /// How often.
    #[config(default = 1, range = 1..=3)]
    times: u64,
    /// How often so far, over all runs.
    #[state]
    said: u64,
}

#[phases]
impl Greeter {
    fn before_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.said += self.times;
        cx.say("hello")
    }
}

// the two lines of a hook: its key and type here, and nothing elsewhere
engine::hook_set! {
    /// Hooks of good manners.
    pub struct Manners, settings MannersSettings {
        /// Says hello.
        greeter: Greeter,
    }
}

/// Fits a slope politely.
#[trainer(by_epoch, hooks = Manners)]
pub struct Polite {
    #[model]
    slope: Slope,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Line>,
}

impl Steps for Polite {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok((x * &self.slope.0).mean(Kind::Float).into())
    }
}

fn read(hooks: &str) -> Result<Experiment<Polite>, String> {
    let text = format!(
        "Experiment(name: \"polite\", device: Cpu, optimizer: AdamW(lr: 0.1), train: (max_epochs: 1),
            loaders: (train: (dataset: Line(points: 4), batch_size: 2)), {hooks})"
    );
    Experiment::parse("polite.ron", &text).map_err(|errors| errors.to_string())
}

fn planned(hooks: &str) -> Vec<PlannedHook> {
    let plan = plan_of(read(hooks).unwrap()).unwrap();
    plan.phases.into_iter().find(|(phase, _)| phase.name() == "before_run").unwrap().1
}

#[test]
fn a_hook_of_a_set_is_read_printed_planned_and_saved_from_its_one_line() {
    let experiment = read("hooks: (greeter: (times: 2), logger: (interval: 5))").unwrap();
    let text = experiment.print().unwrap();
    assert!(text.contains("greeter: (times: 2"), "{text}");
    assert_eq!(read_again(&text), text);

    let mut program = engine::trainer::build(experiment, &[]).unwrap();
    let mut saved = Vec::new();
    let mut each = |name: &str, state: &mut dyn engine::base::State| {
        saved.push((name.to_owned(), state.save_state().0.len()));
        Ok(())
    };
    engine::hook::EngineHooks::states(&mut program.hooks.engine, &mut each).unwrap();
    assert!(saved.contains(&("hooks.greeter".to_owned(), 1)), "{saved:?}");

    let [hook] = &planned("")[..] else { panic!("one hook") };
    assert_eq!((hook.name.as_str(), hook.origin.as_str()), ("greeter", "bundle of `Polite`"));
    assert!(planned("hooks: (greeter: Off)").is_empty());
    let [hook] = &planned("hooks: (greeter: (level: LOWEST))")[..] else { panic!("one hook") };
    assert!(hook.origin.contains("instead of HIGH"), "{}", hook.origin);
}

#[test]
fn mistakes_in_the_settings_of_a_set_are_those_of_any_hook() {
    let told = read("hooks: (greeter: (times: 9), greter: Off), custom_hooks: [Greeter()]").err().unwrap();
    for part in ["times", "1..=3", "unknown field `greter`", "did you mean `greeter`", "part of every run"] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
    let schema = Experiment::<Polite>::schema();
    assert!(schema.sections.iter().any(|section| section.path == "hooks.greeter"));
}

fn read_again(text: &str) -> String {
    Experiment::<Polite>::parse("again.ron", text).unwrap().print().unwrap()
}
