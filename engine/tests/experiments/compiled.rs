//! `experiment!`: keys of a file that are compared when a program is compiled. The comparison is a constant function, so it
//! can be asked here what it would say.

use crate::bundle::Polite;
use crate::program::Fit;
use engine::__private::{named, unknown_keys};

fn said<T: engine::trainer::Build>(found: &[(&str, &str)]) -> Option<String> {
    let found: Vec<_> = found.iter().map(|(under, key)| (*under, *key, "a.ron:2:5")).collect();
    unknown_keys(&named::<T>, &found).map(|text| text.as_str().to_owned())
}

#[test]
fn keys_of_sections_fields_and_settings_of_known_types_are_known() {
    let known = [
        ("", "base"),
        ("", "train"),
        ("train", "max_epochs"),
        ("loaders", "train"),
        ("loaders.train", "batch_size"),
        ("model", "start"),
        ("hooks", "logger"),
        ("hooks.logger", "interval"),
        ("hooks.logger", "level"),
        // what only names in the file decide
        ("metrics", "whatever"),
        ("loaders.train.dataset", "points"),
    ];
    assert_eq!(said::<Polite>(&known), None);
    // of a bundle
    assert_eq!(said::<Polite>(&[("hooks", "greeter"), ("hooks.greeter", "times")]), None);
}

#[test]
fn unknown_keys_are_told_with_their_places_all_at_once() {
    let text =
        said::<Polite>(&[("", "trian"), ("loaders", "trian"), ("hooks", "loger"), ("hooks.greeter", "tims")]).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "a.ron:2:5: unknown field `trian`, did you mean `train`?");
    assert_eq!(lines[1], "a.ron:2:5: unknown field `trian` in `loaders`, did you mean `train`?");
    assert_eq!(lines[2], "a.ron:2:5: unknown field `loger` in `hooks`, did you mean `logger`?");
    assert_eq!(lines[3], "a.ron:2:5: unknown field `tims` in `hooks.greeter`, did you mean `times`?");
    assert_eq!(
        said::<Fit>(&[("loaders.train", "size")]).unwrap().split(", expected").next().unwrap(),
        "a.ron:2:5: unknown field `size` in `loaders.train`"
    );
}
