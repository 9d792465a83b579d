//! Schedules of settings of hooks and of the trainer.

use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{BuildErrors, Experiment, run_train, scheduled};
use std::path::Path;

#[component(dataset)]
pub struct OnesConfig {}

pub struct Ones;

impl Dataset for Ones {
    type Config = OnesConfig;
    type Item = Vec<f32>;
    fn open(_: &OnesConfig) -> Result<Self> {
        Ok(Ones)
    }
    fn len(&self) -> usize {
        4
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Vec<f32>> {
        Ok(vec![1.0])
    }
}

#[component]
pub struct OneConfig {}

#[derive(Debug)]
pub struct One(Tensor);

impl Model for One {
    type Config = OneConfig;
    fn build(vs: &nn::Path<'_>, _: &OneConfig) -> Result<Self> {
        Ok(One(vs.var("one", &[1], nn::Init::Const(1.0))))
    }
}

/// Has a setting that is scheduled, and writes down what it is.
#[hook]
pub struct Noise {
    /// How strong.
    #[config(default = 0.5, range = 0.0..=1.0, scheduled)]
    strength: f64,
    /// Not scheduled.
    #[config(default = 0.5)]
    other: f64,
}

#[phases]
impl Noise {
    fn before_train_batch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.log("strength", self.strength + 0.0 * self.other);
        Ok(())
    }
}

#[trainer(by_epoch)]
pub struct Weighted {
    #[model]
    net: One,
    #[optimizer]
    opt: Sgd,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Ones>,
    #[hook]
    noise: Noise,
    /// Of a second loss.
    #[config(default = 2.0, scheduled)]
    weight: f64,
}

impl Steps for Weighted {
    type Batch = Tensor;
    fn train_step(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
        cx.log("weight", self.weight);
        Ok(Output::new(((batch * &self.net.0).mean(Kind::Float) * self.weight).square()))
    }
}

fn read(dir: &Path, schedule: &str, hooks: &str) -> Experiment<Weighted> {
    let text = format!(
        "Experiment(
            name: \"run\", work_dir: {dir:?}, device: Cpu,
            model: One(),
            optimizer: Sgd(lr: 0.01),
            loaders: (train: (dataset: Ones(), batch_size: 2)),
            train: (max_epochs: 4),
            schedule: [{schedule}],
            hooks: (logger: (interval: 1)),
            custom_hooks: [{hooks}],
        )",
        dir = dir.display().to_string()
    );
    Experiment::parse("exp.ron", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

const BOTH: &str = r#"
    Linear(setting: "trainer.weight", iters: 4, start: 0.0),
    Step(setting: "hooks.noise.strength", by: Epoch, every: 2, gamma: 0.5),
    Constant(setting: "custom_hooks.Noise.strength", factor: 0.5, iters: 3),
"#;

/// The numbers of the train rows under a name.
fn column(dir: &Path, name: &str) -> Vec<f64> {
    let rows = std::fs::read_to_string(dir.join("run/metrics.jsonl")).unwrap();
    let rows = rows.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    rows.map(|row| row[name].as_f64().unwrap()).collect()
}

#[test]
fn settings_of_hooks_and_of_the_trainer_follow_their_schedules() {
    let dir = tempfile::tempdir().unwrap();
    run_train(read(dir.path(), BOTH, ""), Mode::New).unwrap_err();
    let both = BOTH.replace("custom_hooks.Noise", "custom_hooks.Ema").replace("strength\", factor", "decay\", factor");
    let dir = tempfile::tempdir().unwrap();
    run_train(read(dir.path(), &both, "Ema()"), Mode::New).unwrap();
    let weights = [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0];
    let strengths = [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25];
    // what the step and the hook have seen, and what rows tell of it
    for name in ["weight", "trainer/weight"] {
        assert_eq!(column(dir.path(), name), weights, "{name}");
    }
    for name in ["strength", "hooks/noise/strength"] {
        assert_eq!(column(dir.path(), name), strengths, "{name}");
    }
    let decays = column(dir.path(), "custom_hooks/Ema/decay");
    assert_eq!(decays, [0.4995, 0.4995, 0.4995, 0.999, 0.999, 0.999, 0.999, 0.999]);
}

#[test]
fn a_resumed_run_has_the_same_values() {
    let both = BOTH.replace("    Constant(setting: \"custom_hooks.Noise.strength\", factor: 0.5, iters: 3),\n", "");
    let [whole, parts] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    run_train(read(whole.path(), &both, ""), Mode::New).unwrap();
    let mut cut = read(parts.path(), &both, "");
    cut.stop_after = Some(3);
    run_train(cut, Mode::New).unwrap();
    run_train(read(parts.path(), &both, ""), Mode::Resume).unwrap();
    for name in ["loss", "weight", "strength"] {
        assert_eq!(column(parts.path(), name), column(whole.path(), name), "{name}");
    }
}

#[test]
fn what_no_schedule_can_change_is_told_at_its_place() {
    let refused = |schedule: &str| {
        let dir = tempfile::tempdir().unwrap();
        let error = run_train(read(dir.path(), schedule, ""), Mode::New).unwrap_err();
        let mistakes = error.downcast_ref::<BuildErrors>().map(|errors| errors.mistakes.clone());
        mistakes.map_or_else(|| format!("{error:#}"), |all| format!("{}: {}", all[0].path, all[0].text))
    };
    assert_eq!(
        refused(r#"Cosine(setting: "hooks.noise.strenght")"#),
        "schedule.0.setting: there is no setting `hooks.noise.strenght` that a schedule can change, did you mean `hooks.noise.strength`?"
    );
    let other = refused(r#"Cosine(setting: "hooks.noise.other")"#);
    assert!(other.contains("there is no setting `hooks.noise.other` that a schedule can change"), "{other}");
    let wide = refused(r#"Linear(setting: "hooks.noise.strength", iters: 4, start: 1.0, finish: 3.0)"#);
    assert!(
        wide.contains("the schedule of `hooks.noise.strength` gives 1.25, and the setting must be in 0.0..=1.0"),
        "{wide}"
    );
    let text = r#"Experiment(
        name: "run", device: Cpu, model: One(), optimizer: Sgd(lr: 0.01),
        loaders: (train: (dataset: Ones(), batch_size: 2)), train: (max_epochs: 4),
        schedule: [Cosine(setting: "trainer.weight", groups: ["default"])],
    )"#;
    let errors = Experiment::<Weighted>::parse("exp.ron", text).err().unwrap().to_string();
    assert!(
        errors.contains("`trainer.weight` is no setting of optimizers, so it has no groups; remove this"),
        "{errors}"
    );
}

#[test]
fn a_schedule_of_a_setting_is_shown_without_a_training() {
    let both = BOTH.replace("    Constant(setting: \"custom_hooks.Noise.strength\", factor: 0.5, iters: 3),\n", "");
    let dir = tempfile::tempdir().unwrap();
    let shown = scheduled(read(dir.path(), &both, ""), "trainer.weight", 100).unwrap();
    assert_eq!(shown.groups.len(), 1);
    assert_eq!(shown.groups[0].name, "trainer.weight");
    assert_eq!(shown.groups[0].values, [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0]);
    let error = scheduled(read(dir.path(), "", ""), "trainer.wait", 100).unwrap_err();
    assert!(format!("{error:#}").contains("did you mean `trainer.weight`?"), "{error:#}");
}
