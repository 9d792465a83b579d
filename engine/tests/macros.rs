//! What `#[hook]`, `#[phases]` and `#[component]` give a struct.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use engine::__private::{Component, HookConfig, Phase, PhaseMask, Phases, Priority, State, StateMap};
use engine::config::{print_line, registry};
use engine::prelude::*;

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
        let (shape, range) = ((field.shape)().to_string(), field.range.unwrap_or("any"));
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
