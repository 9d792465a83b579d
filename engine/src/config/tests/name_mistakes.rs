//! How mistakes of names are shown: of fields, components and variants.

use super::{Experiment, mistakes_of};

#[test]
fn an_unknown_field_is_named_with_the_nearest() {
    let text = r#"(
    name: "x",
    optimizer: AdamW(
        lr: 1e-3,
        lrr: 0.1,
    ),
)"#;
    let shown = r#"error: unknown field `lrr`, expected one of `lr`, `betas`, `weight_decay`, `schedule`
 --> digits.ron:5:9
  |
5 |         lrr: 0.1,
  |         ^^^ did you mean `lr`?
  |
  = note: at `optimizer.lrr`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_misspelt_needed_field_is_one_mistake_not_two() {
    let text = r#"(
    name: "x",
    optimizer: AdamW(lrr: 0.1),
)"#;
    let shown = r#"error: unknown field `lrr`, expected one of `lr`, `betas`, `weight_decay`, `schedule`
 --> digits.ron:3:22
  |
3 |     optimizer: AdamW(lrr: 0.1),
  |                      ^^^ did you mean `lr`?
  |
  = note: at `optimizer.lrr`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn an_unknown_component_in_a_list_is_named_with_the_nearest() {
    let text = r#"(
    name: "x",
    optimizer: Sgd(lr: 1, momentum: 0),
    custom_hooks: [Timer, Emma(decay: 0.9)],
)"#;
    let shown = r#"error: no hook is named `Emma`, expected one of `Checkpoint`, `Clip`, `Dump`, `Ema`, `Timer`
 --> digits.ron:4:27
  |
4 |     custom_hooks: [Timer, Emma(decay: 0.9)],
  |                           ^^^^ did you mean `Ema`?
  |
  = note: at `custom_hooks.1`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn an_unknown_bare_component_within_a_component_is_found() {
    let text = r#"(
    name: "x",
    optimizer: Sgd(lr: 1, momentum: 0),
    custom_hooks: [Checkpoint(interval: 1, then: [Zebra])],
)"#;
    let shown = r#"error: no hook is named `Zebra`, expected one of `Checkpoint`, `Clip`, `Dump`, `Ema`, `Timer`
 --> digits.ron:4:51
  |
4 |     custom_hooks: [Checkpoint(interval: 1, then: [Zebra])],
  |                                                   ^^^^^
  |
  = note: at `custom_hooks.0.then.0`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn missing_fields_are_all_reported_at_the_name_that_lacks_them() {
    let text = r#"Experiment(
    optimizer: Sgd(),
    custom_hooks: [Checkpoint],
)"#;
    let shown = r#"error: missing field `name` of `Experiment`
 --> digits.ron:1:1
  |
1 | Experiment(
  | ^^^^^^^^^^

error: missing field `lr` of `Sgd`
 --> digits.ron:2:16
  |
2 |     optimizer: Sgd(),
  |                ^^^
  |
  = note: at `optimizer`

error: missing field `momentum` of `Sgd`
 --> digits.ron:2:16
  |
2 |     optimizer: Sgd(),
  |                ^^^
  |
  = note: at `optimizer`

error: missing field `interval` of `Checkpoint`
 --> digits.ron:3:20
  |
3 |     custom_hooks: [Checkpoint],
  |                    ^^^^^^^^^^
  |
  = note: at `custom_hooks.0`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_missing_component_is_reported_at_the_root() {
    let text = r#"Experiment(name: "x")"#;
    let shown = r#"error: missing field `optimizer` of `Experiment`
 --> digits.ron:1:1
  |
1 | Experiment(name: "x")
  | ^^^^^^^^^^"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn an_unknown_variant_is_named_with_the_nearest() {
    let text = r#"(
    name: "x",
    optimizer: AdamW(lr: 1, schedule: Cosin(iters: 3)),
)"#;
    let shown = r#"error: unknown variant `Cosin`, expected one of `Constant`, `Linear`, `Cosine`, `Window`
 --> digits.ron:3:39
  |
3 |     optimizer: AdamW(lr: 1, schedule: Cosin(iters: 3)),
  |                                       ^^^^^ did you mean `Cosine`?
  |
  = note: at `optimizer.schedule`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_variant_without_its_value_is_told_so() {
    let text = r#"(
    name: "x",
    optimizer: AdamW(lr: 1, schedule: Linear),
)"#;
    let shown = r#"error: `Linear` needs a value: `Linear(..)`
 --> digits.ron:3:39
  |
3 |     optimizer: AdamW(lr: 1, schedule: Linear),
  |                                       ^^^^^^
  |
  = note: at `optimizer.schedule`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_component_without_its_name_is_refused() {
    let text = r#"(
    name: "x",
    optimizer: (lr: 1),
)"#;
    let shown = r#"error: expected an optimizer by its name, `Name(..)`, found fields `(..: ..)`
 --> digits.ron:3:16
  |
3 |     optimizer: (lr: 1),
  |                ^^^^^^^
  |
  = note: at `optimizer`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn positional_values_for_named_fields_are_refused() {
    let text = r#"(
    name: "x",
    optimizer: AdamW(1e-3),
)"#;
    let shown = r#"error: expected fields by name, `AdamW(lr: ..)`, found a value without a name
 --> digits.ron:3:16
  |
3 |     optimizer: AdamW(1e-3),
  |                ^^^^^^^^^^^
  |
  = note: at `optimizer`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_struct_under_another_name_is_refused() {
    let text = r#"(
    name: "x",
    train: Tain(max_epochs: 1),
    optimizer: Sgd(lr: 1, momentum: 0),
)"#;
    let shown = r#"error: expected `Train(..)` or `(..)` without a name, found `Tain`
 --> digits.ron:3:12
  |
3 |     train: Tain(max_epochs: 1),
  |            ^^^^ did you mean `Train`?
  |
  = note: at `train`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}
