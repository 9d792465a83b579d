//! How mistakes of the syntax are shown.

use super::{Experiment, mistakes_of};

#[test]
fn the_end_of_the_text_names_what_is_open() {
    let text = r#"(
    name: "x",
    optimizer: Sgd(lr: 1, momentum: 0
"#;
    let shown = r#"error: missing `)`
 --> digits.ron:3:38
  |
3 |     optimizer: Sgd(lr: 1, momentum: 0
  |                   - opened here      ^"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn an_empty_text_has_no_value() {
    let text = r#"// nothing
"#;
    let shown = r#"error: expected a value, found the end of the text
 --> digits.ron:1:11
  |
1 | // nothing
  |           ^"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_missing_comma_is_reported_where_it_belongs() {
    let text = r#"(
    name: "x"
    seed: 1,
)"#;
    let shown = r#"error: expected `,` or `)`, found `seed`
 --> digits.ron:2:14
  |
1 | (
  | - inside this
2 |     name: "x"
  |              ^ missing `,`?"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_string_that_is_never_closed_is_reported_where_it_begins() {
    let text = r#"(name: "x, seed: 1)"#;
    let shown = r#"error: this string is never closed
 --> digits.ron:1:8
  |
1 | (name: "x, seed: 1)
  |        ^"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn an_unknown_escape_names_the_known_ones() {
    let text = r#"(name: "C:\qata")"#;
    let shown = r#"error: unknown escape, expected one of `\n`, `\r`, `\t`, `\0`, `\\`, `\"`, `\'`, `\x..`, `\u{..}`
 --> digits.ron:1:11
  |
1 | (name: "C:\qata")
  |           ^^
  |
  = help: a raw string `r".."` has no escapes"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_field_given_twice_shows_both_places() {
    let text = r#"(
    name: "x",
    seed: 1,
    seed: 2,
)"#;
    let shown = r#"error: field `seed` is given twice
 --> digits.ron:4:5
  |
3 |     seed: 1,
  |     ---- first given here
4 |     seed: 2,
  |     ^^^^"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}

#[test]
fn a_number_that_is_none_is_shown_whole() {
    let text = r#"(name: "x", seed: 12abc)"#;
    let shown = r#"error: `12abc` is not a number
 --> digits.ron:1:19
  |
1 | (name: "x", seed: 12abc)
  |                   ^^^^^"#;
    assert_eq!(mistakes_of::<Experiment>(text), shown);
}
