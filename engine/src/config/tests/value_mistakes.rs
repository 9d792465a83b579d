//! How mistakes of types and ranges are shown.

use super::{Experiment, mistakes_of};
use serde::Deserialize;

/// `low` is at most `high`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Bounds", rename = "Ordered")]
struct Ordered {}

#[derive(Debug, Deserialize)]
#[serde(rename = "Ordered")]
struct Bounds {
    low: u32,
    high: u32,
}

impl TryFrom<Bounds> for Ordered {
    type Error = String;

    fn try_from(Bounds { low, high }: Bounds) -> Result<Self, String> {
        match low <= high {
            true => Ok(Ordered {}),
            false => Err(format!("`low` ({low}) is above `high` ({high})")),
        }
    }
}

#[test]
fn the_message_of_a_validator_points_at_the_value() {
    let text = r#"(
    name: "x",
    optimizer: Sgd(lr: 1, momentum: 0),
    custom_hooks: [
        Checkpoint(interval: 1, then: [Ema(decay: 1.5)]),
    ],
)"#;
    let shown = r#"error: expected a number from 0 to 1, got 1.5
 --> digits.ron:5:51
  |
5 |         Checkpoint(interval: 1, then: [Ema(decay: 1.5)]),
  |                                                   ^^^
  |
  = note: at `custom_hooks.0.then.0.decay`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_value_of_the_wrong_type_is_told_what_was_expected() {
    let text = r#"(
    name: "x",
    seed: "many",
    optimizer: Sgd(lr: 1, momentum: 0),
)"#;
    let shown = r#"error: expected an integer, found string `"many"`
 --> digits.ron:3:11
  |
3 |     seed: "many",
  |           ^^^^^^
  |
  = note: at `seed`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn carets_stand_under_the_right_characters_after_multi_byte_ones() {
    let text = r#"(name: "größer", sd: 1, optimizer: Sgd(lr: "Ünï", momentum: 0))"#;
    let shown = r#"error: unknown field `sd`, expected one of `name`, `seed`, `optimizer`, `custom_hooks`, `teacher`, `tags`, `data`, `train`
 --> digits.ron:1:18
  |
1 | (name: "größer", sd: 1, optimizer: Sgd(lr: "Ünï", momentum: 0))
  |                  ^^
  |
  = note: at `sd`

error: expected a number, found string `"Ünï"`
 --> digits.ron:1:44
  |
1 | (name: "größer", sd: 1, optimizer: Sgd(lr: "Ünï", momentum: 0))
  |                                            ^^^^^
  |
  = note: at `optimizer.lr`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_tuple_of_another_length_is_refused() {
    let text = r#"(
    name: "x",
    optimizer: AdamW(lr: 1, betas: (0.9, 0.99, 0.999)),
)"#;
    let shown = r#"error: expected 2 values, found 3
 --> digits.ron:3:36
  |
3 |     optimizer: AdamW(lr: 1, betas: (0.9, 0.99, 0.999)),
  |                                    ^^^^^^^^^^^^^^^^^^
  |
  = note: at `optimizer.betas`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn an_integer_beyond_its_type_is_told_the_range() {
    let text = r#"(
    name: "x",
    train: (accumulate: 300),
    optimizer: Sgd(lr: 1, momentum: 0),
)"#;
    let shown = r#"error: `300` does not fit `u8`, expected 0 to 255
 --> digits.ron:3:25
  |
3 |     train: (accumulate: 300),
  |                         ^^^
  |
  = note: at `train.accumulate`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_level_is_checked_by_name_and_number() {
    let text = r#"(
    name: "x",
    custom_hooks: [Ema(level: HIGHT), Ema(level: 101), Ema(level: 1.5)],
    optimizer: Sgd(lr: 1, momentum: 0),
)"#;
    let shown = r#"error: unknown level `HIGHT`, did you mean `HIGH`?
 --> digits.ron:3:31
  |
3 |     custom_hooks: [Ema(level: HIGHT), Ema(level: 101), Ema(level: 1.5)],
  |                               ^^^^^
  |
  = note: at `custom_hooks.0.level`

error: a level is 0 to 100, got 101
 --> digits.ron:3:50
  |
3 |     custom_hooks: [Ema(level: HIGHT), Ema(level: 101), Ema(level: 1.5)],
  |                                                  ^^^
  |
  = note: at `custom_hooks.1.level`

error: expected a level: `HIGHEST`, `HIGHER`, `HIGH`, `NORMAL`, `LOW`, `LOWER`, `LOWEST` or an integer 0 to 100, found float `1.5`
 --> digits.ron:3:67
  |
3 |     custom_hooks: [Ema(level: HIGHT), Ema(level: 101), Ema(level: 1.5)],
  |                                                                   ^^^
  |
  = note: at `custom_hooks.2.level`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_text_without_quotes_is_told_to_have_them() {
    let text = r#"(
    name: digits,
    optimizer: Sgd(lr: 1, momentum: 0),
)"#;
    let shown = r#"error: expected a string, found `digits`
 --> digits.ron:2:11
  |
2 |     name: digits,
  |           ^^^^^^ write `"digits"`
  |
  = note: at `name`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_rule_of_a_whole_struct_points_at_its_name() {
    let text = r#"Ordered(
    low: 3,
    high: 2,
)"#;
    let shown = r#"error: `low` (3) is above `high` (2)
 --> digits.ron:1:1
  |
1 | Ordered(
  | ^^^^^^^"#;
    assert_eq!(mistakes_of::<Ordered>(text), shown);
}

#[test]
fn one_bad_value_hides_no_other_mistake() {
    let text = r#"(
    name: 1,
    optimizer: AdamW(lr: "a", betas: (0.9, "b"), weight_decay: [], decay: 1),
    custom_hooks: [Ema(decay: 2, lvl: 3), Clip("x"), Checkpoint(interval: -1, then: [Emma])],
    teacher: Some(Ema(decay: None)),
    tags: {"a": 1, "b": "c", 3: "d"},
    train: (max_epochs: 1.5, milestones: [1, "x", 3, -1]),
)"#;
    let shown = r#"error: expected a string, found integer `1`
 --> digits.ron:2:11
  |
2 |     name: 1,
  |           ^
  |
  = note: at `name`

error: expected a number, found string `"a"`
 --> digits.ron:3:26
  |
3 |     optimizer: AdamW(lr: "a", betas: (0.9, "b"), weight_decay: [], decay: 1),
  |                          ^^^
  |
  = note: at `optimizer.lr`

error: expected a number, found string `"b"`
 --> digits.ron:3:44
  |
3 |     optimizer: AdamW(lr: "a", betas: (0.9, "b"), weight_decay: [], decay: 1),
  |                                            ^^^
  |
  = note: at `optimizer.betas.1`

error: expected a number, found a list `[..]`
 --> digits.ron:3:64
  |
3 |     optimizer: AdamW(lr: "a", betas: (0.9, "b"), weight_decay: [], decay: 1),
  |                                                                ^^
  |
  = note: at `optimizer.weight_decay`

error: unknown field `decay`, expected one of `lr`, `betas`, `weight_decay`, `schedule`
 --> digits.ron:3:68
  |
3 |     optimizer: AdamW(lr: "a", betas: (0.9, "b"), weight_decay: [], decay: 1),
  |                                                                    ^^^^^
  |
  = note: at `optimizer.decay`

error: expected a number from 0 to 1, got 2
 --> digits.ron:4:31
  |
4 |     custom_hooks: [Ema(decay: 2, lvl: 3), Clip("x"), Checkpoint(interval: -1, then: [Emma])],
  |                               ^
  |
  = note: at `custom_hooks.0.decay`

error: unknown field `lvl`, expected one of `decay`, `level`
 --> digits.ron:4:34
  |
4 |     custom_hooks: [Ema(decay: 2, lvl: 3), Clip("x"), Checkpoint(interval: -1, then: [Emma])],
  |                                  ^^^
  |
  = note: at `custom_hooks.0.lvl`

error: expected a number, found string `"x"`
 --> digits.ron:4:48
  |
4 |     custom_hooks: [Ema(decay: 2, lvl: 3), Clip("x"), Checkpoint(interval: -1, then: [Emma])],
  |                                                ^^^
  |
  = note: at `custom_hooks.1`

error: `-1` does not fit `u32`, expected 0 to 4294967295
 --> digits.ron:4:75
  |
4 |     custom_hooks: [Ema(decay: 2, lvl: 3), Clip("x"), Checkpoint(interval: -1, then: [Emma])],
  |                                                                           ^^
  |
  = note: at `custom_hooks.2.interval`

error: no hook is named `Emma`, expected one of `Checkpoint`, `Clip`, `Dump`, `Ema`, `Timer`
 --> digits.ron:4:86
  |
4 |     custom_hooks: [Ema(decay: 2, lvl: 3), Clip("x"), Checkpoint(interval: -1, then: [Emma])],
  |                                                                                      ^^^^ did you mean `Ema`?
  |
  = note: at `custom_hooks.2.then.0`

error: expected a number, found `None`
 --> digits.ron:5:30
  |
5 |     teacher: Some(Ema(decay: None)),
  |                              ^^^^
  |
  = note: at `teacher.decay`

error: expected a string, found integer `1`
 --> digits.ron:6:17
  |
6 |     tags: {"a": 1, "b": "c", 3: "d"},
  |                 ^
  |
  = note: at `tags.a`

error: expected a string, found integer `3`
 --> digits.ron:6:30
  |
6 |     tags: {"a": 1, "b": "c", 3: "d"},
  |                              ^
  |
  = note: at `tags`

error: expected an integer, found float `1.5`
 --> digits.ron:7:25
  |
7 |     train: (max_epochs: 1.5, milestones: [1, "x", 3, -1]),
  |                         ^^^
  |
  = note: at `train.max_epochs`

error: expected an integer, found string `"x"`
 --> digits.ron:7:46
  |
7 |     train: (max_epochs: 1.5, milestones: [1, "x", 3, -1]),
  |                                              ^^^
  |
  = note: at `train.milestones.1`

error: `-1` does not fit `u64`, expected 0 to 18446744073709551615
 --> digits.ron:7:54
  |
7 |     train: (max_epochs: 1.5, milestones: [1, "x", 3, -1]),
  |                                                      ^^
  |
  = note: at `train.milestones.3`"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}
