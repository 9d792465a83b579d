//! What `#[hook]`, `#[phases]` and `#[component]` give a struct.

use engine::__private::{Component, HookConfig, Phase, PhaseMask, Phases, Priority, State, StateMap};
use engine::config::{print_line, registry};
use engine::prelude::*;
use engine::trainer::Experiment;
use std::path::PathBuf;

/// Keeps the worst cases.
#[hook(priority = "LOW")]
#[derive(Debug)]
struct WorstCases {
    /// How many are kept.
    #[config(default = 8, range = 1..=100)]
    keep: usize,
    #[config(default = "val/loss")]
    by: String,
    #[config]
    title: Option<String>,
    #[state]
    seen: Vec<f64>,
    #[transient]
    calls: usize,
}

#[phases]
impl WorstCases {
    fn after_val(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.calls += 1;
        Ok(())
    }
}

/// Takes part in everything: the macro's list of phases is the engine's.
#[hook(priority = 25, name = "Everywhere")]
struct All;

#[rustfmt::skip]
#[phases]
impl All {
    fn before_run(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_load_checkpoint(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_train(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_train_epoch(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_train_batch(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_forward(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_backward(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_train_batch(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_optimizer_step(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_optimizer_step(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_train_epoch(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_val(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_val_epoch(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_val_iter(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_val_iter(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_val_epoch(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_save_checkpoint(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_save_checkpoint(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_train(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_test(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_test_epoch(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_test_iter(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_test_iter(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_test_epoch(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_test(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_predict(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn before_predict_iter(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_predict_iter(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_predict(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn on_exception(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> { Ok(()) }
}

/// Has files of its own.
#[hook]
struct Files {
    #[config(default = "a.bin")]
    one: PathBuf,
    #[config(default = Some("b.bin".into()))]
    perhaps: Option<PathBuf>,
    #[config(default = vec!["./c.bin".into(), "/d.bin".into()])]
    several: Vec<PathBuf>,
    #[config]
    none: Option<PathBuf>,
}

#[phases]
impl Files {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Line(nn::Linear);

#[component]
struct LineConfig {
    #[config(default = 1)]
    inputs: i64,
    #[config(default = Norm::None)]
    norm: Norm,
}

#[component]
#[derive(PartialEq)]
enum Norm {
    None,
    Batch { eps: f64, momentum: Option<f64> },
    Group(usize),
    Layer(f64, bool),
}

impl Model for Line {
    type Config = LineConfig;
    fn build(vs: &nn::Path<'_>, config: &LineConfig) -> Result<Self> {
        let bias = config.norm == Norm::None;
        Ok(Line(nn::linear(vs, config.inputs, 1, nn::LinearConfig { bias, ..Default::default() })))
    }
}

struct Noise;

#[component(dataset)]
struct NoiseConfig {}

impl Dataset for Noise {
    type Config = NoiseConfig;
    type Item = Tensor;
    fn open(_: &NoiseConfig) -> Result<Self> {
        Ok(Noise)
    }
    fn len(&self) -> usize {
        4
    }
    fn get(&self, _: usize, rng: &mut SampleRng) -> Result<Tensor> {
        Ok(Tensor::from_slice(&[rng.normal()]))
    }
}

/// Two models, each with its optimizer.
#[trainer(by_iter)]
struct Pair {
    #[model]
    left: Line,
    #[model]
    right: Line,
    #[optimizer(left)]
    a: Box<dyn Optimizer>,
    #[optimizer(right)]
    b: Sgd,
    #[loader(train)]
    train: Loader<Noise>,
    #[config(default = "not/there.bin", exists)]
    #[expect(dead_code, reason = "nothing is trained here")]
    weights: PathBuf,
}

impl Steps for Pair {
    type Batch = Tensor;
    fn train_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok((x.apply(&self.left.0) + x.apply(&self.right.0)).mean(Kind::Float).into())
    }
}

/// The section that every experiment of `Pair` needs.
const OPTIMIZERS: &str = "optimizer: (a: Sgd(lr: 0.1), b: (lr: 0.1))";

/// An experiment with these sections.
fn pair(sections: &str) -> String {
    let rest = "loaders: (train: (dataset: Noise(), batch_size: 2)), train: (max_iters: 1)";
    format!("Experiment(name: \"pair\", {sections}, {rest})")
}

/// What is said of an experiment with these sections.
fn mistakes_of_pair(sections: &str) -> Vec<String> {
    match Experiment::<Pair>::parse("pair.ron", &pair(sections)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.to_string().split("\n\n").map(str::to_owned).collect(),
    }
}

fn worst_cases(ron: &str) -> Result<WorstCases, ron::de::SpannedError> {
    Ok(WorstCases::build(&ron::from_str(ron)?))
}

fn registered(kind: &str, name: &str) -> &'static Component {
    registry::components()
        .into_iter()
        .find(|component| component.kind == kind && component.name == name)
        .unwrap_or_else(|| panic!("no {kind} is registered as `{name}`"))
}

#[test]
fn the_phases_are_exactly_the_methods_of_the_block() {
    assert_eq!(<WorstCases as Phases>::PHASES, PhaseMask::of(&[Phase::AfterVal]));
    assert_eq!(<All as Phases>::PHASES.iter().collect::<Vec<_>>(), Phase::ALL);
}

#[test]
fn the_attribute_gives_name_and_priority() {
    assert_eq!((WorstCases::NAME, WorstCases::PRIORITY), ("WorstCases", Priority::LOW));
    assert_eq!((All::NAME, All::PRIORITY.get()), ("Everywhere", 25));
}

#[test]
fn fields_come_from_the_file_or_their_defaults() {
    let hook = worst_cases("(keep: 20, title: Some(\"worst\"))").unwrap();
    assert_eq!((hook.keep, hook.by.as_str(), hook.title.as_deref()), (20, "val/loss", Some("worst")));
    let hook = worst_cases("()").unwrap();
    assert_eq!((hook.keep, hook.title, hook.seen.len(), hook.calls), (8, None, 0, 0));
}

#[test]
fn what_a_file_says_wrong_is_refused_with_the_reason() {
    let error = worst_cases("(keep: 0)").unwrap_err().to_string();
    assert!(error.contains("`keep` must be in 1..=100, got 0"), "{error}");
    let error = worst_cases("(kept: 3)").unwrap_err().to_string();
    assert!(error.contains("kept"), "{error}");
}

#[test]
fn state_is_saved_and_the_rest_is_not() {
    let mut hook = worst_cases("()").unwrap();
    (hook.seen, hook.calls) = (vec![0.5, f64::INFINITY], 3);
    let saved = State::save_state(&hook);
    assert_eq!(saved.0.keys().collect::<Vec<_>>(), ["seen"]);
    let mut other = worst_cases("()").unwrap();
    State::load_state(&mut other, saved).unwrap();
    assert_eq!((other.seen, other.calls), (vec![0.5, f64::INFINITY], 0));
    let error = State::load_state(&mut hook, StateMap::new()).unwrap_err().to_string();
    assert!(error.contains("has no `seen`"), "{error}");
}

#[test]
fn a_file_can_choose_a_hook_by_name_and_override_its_level() {
    let config: Box<dyn HookConfig> = ron::from_str("{\"Everywhere\": (level: Some(\"HIGH\"))}").unwrap();
    assert_eq!(config.level(), Some(Priority::HIGH));
    let hook = config.build_any();
    assert_eq!((hook.name(), hook.priority().get()), ("Everywhere", 25));
}

#[test]
fn the_registry_describes_the_fields_as_they_were_written() {
    let component = registered("hook", "WorstCases");
    assert_eq!(component.docs, "Keeps the worst cases.");
    assert!(component.origin.contains("macros.rs:"), "{}", component.origin);
    let told = |field: &registry::FieldInfo| {
        let default = field.default.map(|default| print_line(&default().unwrap())).unwrap_or_default();
        let (shape, range) = ((field.shape)().to_string(), field.demand.unwrap_or("any"));
        [field.name, &shape, &default, range, field.docs].join(" | ")
    };
    let fields: Vec<String> = component.fields.iter().map(told).collect();
    assert_eq!(
        fields,
        [
            "keep | u64 | 8 | 1..=100 | How many are kept.",
            "by | text | \"val/loss\" | any | ",
            "title | text or None | None | any | ",
            "level | HIGHEST to LOWEST or 0 to 100 | LOW | any | ",
        ]
    );
}

#[test]
fn a_path_by_default_is_below_the_current_folder_wherever_it_is_saved() {
    let here = std::env::current_dir().unwrap();
    let files = Files::build(&ron::from_str("()").unwrap());
    assert_eq!((files.one, files.perhaps), (here.join("a.bin"), Some(here.join("b.bin"))));
    assert_eq!((files.several, files.none), (vec![here.join("c.bin"), PathBuf::from("/d.bin")], None));

    let pair = Experiment::<Pair>::parse("pair.ron", &pair(OPTIMIZERS)).unwrap();
    assert!(pair.print().unwrap().contains(&format!("weights: {:?}", here.join("not/there.bin"))));

    // to people it is shown as it was written
    let defaults = registered("hook", "Files").fields.iter().filter_map(|field| field.default);
    let defaults: Vec<String> = defaults.map(|default| print_line(&default().unwrap())).collect();
    assert_eq!(defaults[..3], ["\"a.bin\"", "\"b.bin\"", "[\"./c.bin\", \"/d.bin\"]"]);
}

fn too_much() -> f64 {
    1.5
}

/// Its own setting has a default that no file could name.
#[trainer(by_epoch)]
struct Greedy {
    #[model]
    slope: crate::program::Slope,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<crate::program::Line>,
    #[config(default = too_much(), range = 0.0..=1.0)]
    share: f64,
}

impl Steps for Greedy {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok((x * &self.slope.0 * self.share).mean(Kind::Float).into())
    }
}

#[test]
fn a_default_of_a_trainer_that_no_file_could_name_is_refused() {
    let text = r#"(name: "greedy", optimizer: (lr: 0.1), loaders: (train: (dataset: (points: 4), batch_size: 2)), train: (max_epochs: 1))"#;
    let error =
        Experiment::<Greedy>::parse("greedy.ron", text).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(
        error.contains("the default is one that no file could name: `share` must be in 0.0..=1.0, got 1.5"),
        "{error}"
    );
}

#[test]
fn a_path_that_has_to_exist_is_looked_for_where_the_file_names_it() {
    assert_eq!(mistakes_of_pair(OPTIMIZERS), [""; 0]);
    let named = mistakes_of_pair(&format!("{OPTIMIZERS}, trainer: (weights: \"/not/there.bin\")"));
    let said = "error: can't find `/not/there.bin`: there is no folder `/not`";
    assert!(named.len() == 1 && named[0].starts_with(said), "{named:?}");
    assert!(named[0].contains("at `trainer.weights`"), "{named:?}");
}

#[test]
fn one_optimizer_for_several_is_told_how_to_write_them() {
    assert!(mistakes_of_pair("optimizer: (a: AdamW(lr: 0.1), b: Sgd(lr: 0.1))").is_empty());
    for one in ["optimizer: AdamW(lr: 0.1)", "optimizer: AdamW"] {
        let mistakes = mistakes_of_pair(one);
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        for part in [
            "pair.ron:1:",
            "`AdamW` is an optimizer, and the trainer has 2 optimizers: `a`, `b`",
            "write `optimizer: (a: AdamW(..), b: AdamW(..))`",
        ] {
            assert!(mistakes[0].contains(part), "{}", mistakes[0]);
        }
    }
    let mistakes = mistakes_of_pair("optimizer: (a: AdamW(lr: 0.1), c: Sgd(lr: 0.1))");
    assert!(mistakes.iter().any(|mistake| mistake.contains("unknown field `c`")), "{mistakes:#?}");
}

#[test]
fn one_model_for_several_is_told_how_to_write_them() {
    let optimizers = "optimizer: (a: AdamW(lr: 0.1), b: Sgd(lr: 0.1))";
    assert!(mistakes_of_pair(&format!("model: (left: Line(inputs: 1)), {optimizers}")).is_empty());
    let mistakes = mistakes_of_pair(&format!("model: Line(inputs: 1), {optimizers}"));
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    assert!(mistakes[0].contains("write `model: (left: Line(..), right: Line(..))`"), "{}", mistakes[0]);
}

#[test]
fn the_fields_of_an_enum_are_settings() {
    for (text, norm) in [
        ("None", Norm::None),
        ("Batch(eps: 0.5)", Norm::Batch { eps: 0.5, momentum: None }),
        ("Batch(eps: 0.5, momentum: Some(0.1))", Norm::Batch { eps: 0.5, momentum: Some(0.1) }),
        ("Group(8)", Norm::Group(8)),
        ("Layer(0.5, true)", Norm::Layer(0.5, true)),
    ] {
        let read: Norm = ron::from_str(text).unwrap();
        assert_eq!((&read, &read.clone()), (&norm, &norm));
        assert_eq!(ron::from_str::<Norm>(&ron::to_string(&norm).unwrap()).unwrap(), norm);
    }
    assert_eq!(format!("{:?}", Norm::Batch { eps: 0.5, momentum: None }), "Batch { eps: 0.5, momentum: None }");
    assert_eq!(format!("{:?} {:?}", Norm::Group(8), Norm::None), "Group(8) None");
    let optimizers = "optimizer: (a: AdamW(lr: 0.1), b: Sgd(lr: 0.1))";
    let read = |norm: &str| mistakes_of_pair(&format!("model: (left: Line(norm: {norm})), {optimizers}"));
    assert!(read("Batch(eps: 0.5)").is_empty() && read("Group(8)").is_empty());
    for (norm, expected) in
        [("Group(\"8\")", "found"), ("Batch(epps: 0.5)", "did you mean `eps`"), ("Groop(8)", "did you mean `Group`")]
    {
        let mistakes = read(norm);
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        assert!(mistakes[0].contains(expected), "{}", mistakes[0]);
    }
}

/// Full in the first half of its window, and a tenth in the second.
#[schedule]
fn half_then_tenth(position: WindowPosition) -> f64 {
    if position.fraction() < 0.5 { 1.0 } else { 0.1 }
}

/// The count itself, where nobody asks why.
#[schedule(name = "Counted")]
fn a_count(position: WindowPosition) -> f64 {
    (position.begin + position.at) as f64
}

#[test]
fn a_function_is_a_schedule_that_a_file_names_and_list_shows() {
    use engine::base::{Epoch, Iter};
    use engine::optim::{GroupName, PlannedLength, TrainingProgress};

    let text =
        r#"[HalfThenTenth(end: 10), Counted(by: Epoch, begin: 2, end: 4, setting: "weight_decay", groups: ["opt"])]"#;
    let schedules: Schedules = engine::config::parse_text("example", text).unwrap().read().unwrap();
    let planned = PlannedLength::epochs(4, 5);
    let value = |setting, iter| {
        let now = TrainingProgress { epoch: Epoch(iter / 5), iter: Iter(iter), planned };
        schedules.value(setting, GroupName { optimizer: "opt", group: "default" }, 0.5, &now).unwrap()
    };
    assert_eq!([0, 4, 5, 19].map(|iter| value("lr", iter)), [Some(0.5), Some(0.5), Some(0.05), Some(0.05)]);
    assert_eq!([9, 10, 15, 19].map(|iter| value("weight_decay", iter)), [None, Some(1.0), Some(1.5), Some(1.5)]);
    let again: Schedules = serde_json::from_str(&serde_json::to_string(&schedules).unwrap()).unwrap();
    assert_eq!(format!("{schedules:?}"), format!("{again:?}"));
    // it is still a function
    assert_eq!(half_then_tenth(WindowPosition { begin: 0, at: 9, length: 10 }), 0.1);
    let listed = registry::components().into_iter().find(|component| component.name == "HalfThenTenth").unwrap();
    assert_eq!(
        (listed.kind, listed.docs.trim()),
        ("schedule", "Full in the first half of its window, and a tenth in the second.")
    );
    let told =
        engine::config::parse_text("example", "[HalfThenTenth(every: 3)]").unwrap().read::<Schedules>().unwrap_err();
    assert!(told.to_string().contains("unknown field `every`, expected one of `by`, `begin`"), "{told}");
}
