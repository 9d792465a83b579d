//! Files over files, and the command line over them.

use super::super::{ConfigErrors, Document, load, load_with};
use super::*;
use std::path::Path;
use tempfile::TempDir;

const DEFAULTS: &str = r#"Experiment(
    name: "defaults",
    seed: 1,
    optimizer: AdamW(lr: 3e-4, weight_decay: 0.1, schedule: Cosine(iters: 1_000)),
    custom_hooks: [Ema(decay: 0.5), Checkpoint(interval: 10, keep: 3, then: [Timer]), Clip(1.0), Timer],
    tags: {"team": "vision"},
    train: (max_epochs: 3, milestones: [1, 2]),
    teacher: Some(Ema(decay: 0.25)),
    data: "set.bin",
)"#;

/// The files of one test, and the folder that they lie in.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// `exp.ron` with its bases and the command line.
fn layered(files: &[(&str, &str)], sets: &[&str]) -> Result<Document, ConfigErrors> {
    load_with(&folder(files).path().join("exp.ron"), sets)
}

/// One file over [`DEFAULTS`].
fn over_defaults(text: &str, sets: &[&str]) -> Result<Document, ConfigErrors> {
    layered(&[("base.ron", DEFAULTS), ("exp.ron", &format!("(base: [\"base.ron\"], {text})"))], sets)
}

/// What the value at a path is, in one line.
fn at(document: &Document, path: &str) -> String {
    let value = document.root.find(path).unwrap_or_else(|| panic!("nothing at {path} in\n{}", document.show()));
    super::super::print(value).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The mistakes, each in one line, without the name of the folder.
fn short(errors: &ConfigErrors, folder: Option<&Path>) -> Vec<String> {
    let prefix = folder.map(|folder| format!("{}/", folder.display())).unwrap_or_default();
    let strip = |line: String| if prefix.is_empty() { line } else { line.replace(&prefix, "") };
    errors.short().into_iter().map(strip).collect()
}

fn mistakes(files: &[(&str, &str)], sets: &[&str]) -> Vec<String> {
    let folder = folder(files);
    let read = load_with(&folder.path().join("exp.ron"), sets).and_then(|document| document.read::<Experiment>());
    short(&read.err().unwrap_or_else(|| panic!("no mistake was found")), Some(folder.path()))
}

fn mistakes_over_defaults(text: &str, sets: &[&str]) -> Vec<String> {
    mistakes(&[("base.ron", DEFAULTS), ("exp.ron", &format!("(\n  base: [\"base.ron\"],\n  {text}\n)"))], sets)
}

#[test]
fn a_struct_without_a_name_patches_field_by_field() {
    let text = "optimizer: (lr: 1e-3, schedule: (floor: 0.1)), train: (accumulate: 2), tags: {\"run\": \"a\"}, teacher: (level: LOW)";
    let document = over_defaults(text, &[]).unwrap();
    assert_eq!(at(&document, "optimizer.lr"), "0.001");
    assert_eq!(at(&document, "optimizer.weight_decay"), "0.1");
    assert_eq!(at(&document, "optimizer.schedule"), "Cosine( iters: 1000, floor: 0.1, )");
    assert_eq!(at(&document, "train"), "( max_epochs: 3, milestones: [1, 2], accumulate: 2, )");
    assert_eq!(at(&document, "tags"), "{\"team\": \"vision\", \"run\": \"a\"}");
    assert_eq!(at(&document, "teacher"), "Some(Ema(decay: 0.25, level: LOW))");
    document.read::<Experiment>().unwrap();
}

#[test]
fn the_same_name_patches_and_another_one_replaces() {
    let same = over_defaults("optimizer: AdamW(lr: 1), train: TrainConfig(accumulate: 2)", &[]).unwrap();
    assert_eq!(at(&same, "optimizer.weight_decay"), "0.1");
    assert_eq!(at(&same, "train.max_epochs"), "3");
    let other = over_defaults("optimizer: Sgd(lr: 1, momentum: 0.9), teacher: None", &[]).unwrap();
    assert_eq!(at(&other, "optimizer"), "Sgd( lr: 1, momentum: 0.9, )");
    assert_eq!(at(&other, "teacher"), "None");
    let anew = over_defaults("optimizer: Replace(AdamW(lr: 1)), train: Replace((max_epochs: 9))", &[]).unwrap();
    assert_eq!(at(&anew, "optimizer"), "AdamW( lr: 1, )");
    assert_eq!(at(&anew, "train"), "( max_epochs: 9, )");
}

#[test]
fn lists_are_replaced_extended_or_patched() {
    let replaced = over_defaults("custom_hooks: [Timer]", &[]).unwrap();
    assert_eq!(at(&replaced, "custom_hooks"), "[Timer]");
    let extended = over_defaults("train: (milestones: Append([3])), custom_hooks: Prepend([Clip(2.0)])", &[]).unwrap();
    assert_eq!(at(&extended, "train.milestones"), "[1, 2, 3]");
    assert_eq!(at(&extended, "custom_hooks.0"), "Clip(2.0)");
    assert_eq!(at(&extended, "custom_hooks.4"), "Timer");
    let patch =
        "custom_hooks: Patch({\"Ema\": (level: 30), 1: (keep: None, then: Append([Clip(3.0)])), \"Timer\": Ema})";
    let patched = over_defaults(patch, &[]).unwrap();
    assert_eq!(at(&patched, "custom_hooks.0"), "Ema( decay: 0.5, level: 30, )");
    assert_eq!(at(&patched, "custom_hooks.1.then"), "[Timer, Clip(3.0)]");
    assert_eq!(at(&patched, "custom_hooks.1.keep"), "None");
    assert_eq!(at(&patched, "custom_hooks.3"), "Ema");
    patched.read::<Experiment>().unwrap();
}

#[test]
fn operators_of_a_file_without_bases_reach_the_list_of_the_base_before_it() {
    let files = [
        ("base.ron", DEFAULTS),
        ("more.ron", "(train: (milestones: Append([3])), optimizer: Replace((AdamW(lr: 7))))"),
        ("exp.ron", "(base: [\"base.ron\", \"more.ron\", \"most.ron\"])"),
        ("most.ron", "(train: (milestones: Append([4])), optimizer: (weight_decay: 0.3))"),
    ];
    let document = layered(&files, &[]).unwrap();
    assert_eq!(at(&document, "train.milestones"), "[1, 2, 3, 4]");
    let alone = layered(&[("exp.ron", "(train: (milestones: Append([4, 5])), list: Replace([1]))")], &[]).unwrap();
    assert_eq!(at(&alone, "train.milestones"), "[4, 5]");
    assert_eq!(at(&alone, "list"), "[1]");
}

#[test]
fn different_operators_of_several_files_wait_for_their_list_together() {
    let files = [
        ("base.ron", DEFAULTS),
        ("inner.ron", "(train: (milestones: Append([3])), custom_hooks: Append([Clip(2.0)]))"),
        (
            "more.ron",
            "(base: [\"inner.ron\"], train: (milestones: Prepend([0])), custom_hooks: Patch({\"Ema\": (level: 3)}))",
        ),
        ("exp.ron", "(base: [\"base.ron\", \"more.ron\"], train: (milestones: Append([4])))"),
    ];
    let document = layered(&files, &[]).unwrap();
    assert_eq!(at(&document, "train.milestones"), "[0, 1, 2, 3, 4]");
    assert_eq!(at(&document, "custom_hooks.0"), "Ema( decay: 0.5, level: 3, )");
    assert_eq!(at(&document, "custom_hooks.4"), "Clip(2.0)");
    // and without a list they make one
    let alone = layered(&[files[1], ("exp.ron", "(base: [\"inner.ron\"], train: (milestones: Prepend([0])))")], &[]);
    assert_eq!(at(&alone.unwrap(), "train.milestones"), "[0, 3]");
    let nothing = "(base: [\"patch.ron\"], train: (milestones: Append([0])))";
    let found = mistakes(&[("patch.ron", "(train: (milestones: Patch({0: 1})))"), ("exp.ron", nothing)], &[]);
    assert_eq!(found, ["patch.ron:1:22: there is nothing to patch: no base has this value"]);
}

#[test]
fn elements_of_a_list_that_layers_have_joined_say_where_they_come_from() {
    let patch = "custom_hooks: Patch({3: Clip(2.0)}), train: (milestones: Append([3]))";
    let folder = folder(&[("base.ron", DEFAULTS), ("exp.ron", &format!("(base: [\"base.ron\"],\n{patch})"))]);
    let shown = load(&folder.path().join("exp.ron")).unwrap().show();
    let shown = shown.replace(&format!("{}/", folder.path().display()), "");
    assert!(shown.contains("Clip(1.0),  // base.ron:5:87\n        Clip(2.0),  // exp.ron:2:25\n    ],\n"), "{shown}");
    let milestones =
        "[\n            1,  // base.ron:7:41\n            2,  // base.ron:7:44\n            3,\n        ],  // exp.ron";
    assert!(shown.contains(milestones), "{shown}");
}

#[test]
fn settings_over_what_is_absent_or_off_make_it_present() {
    let base = "(teacher: None, tags: None, hooks: (ema: Off, timer: Off), optimizer: (lr: 1))";
    let over = "(base: [\"base.ron\"], teacher: (decay: 0.5), hooks: (ema: (decay: 0.9)), optimizer: AdamW())";
    let files = [("base.ron", base), ("exp.ron", over)];
    let document = layered(&files, &["hooks.timer.window=3"]).unwrap();
    assert_eq!(at(&document, "teacher"), "( decay: 0.5, )");
    assert_eq!(at(&document, "hooks.ema"), "( decay: 0.9, )");
    assert_eq!(at(&document, "hooks.timer"), "( window: 3, )");
    // an empty bracket says nothing at all
    let files =
        [("base.ron", "(custom_hooks: [Timer])"), ("exp.ron", "(base: \"base.ron\", custom_hooks: Patch({0: ()}))")];
    assert_eq!(at(&layered(&files, &[]).unwrap(), "custom_hooks"), "[Timer]");
    // a name alone says nothing of the fields
    assert_eq!(at(&document, "optimizer"), "AdamW( lr: 1, )");
    let off = layered(&[("base.ron", "(ema: (decay: 0.9))"), ("exp.ron", "(base: \"base.ron\", ema: Off)")], &[]);
    assert_eq!(at(&off.unwrap(), "ema"), "Off");
}

#[test]
fn later_bases_win_over_earlier_ones_and_files_over_their_bases_three_files_deep() {
    let files = [
        ("exp.ron", "(base: [\"sub/b.ron\", \"c.ron\"], name: \"exp\")"),
        (
            "sub/b.ron",
            "(base: \"../a/a.ron\", name: \"b\", seed: 2, train: (accumulate: 2),
              custom_hooks: [Dump(folders: [\"x\", \"/y\"], log: \"log.txt\")])",
        ),
        ("a/a.ron", "(base: [\"root.ron\"], name: \"a\", seed: 3, data: \"a.bin\")"),
        ("a/root.ron", DEFAULTS),
        ("c.ron", "(train: (accumulate: 4))"),
    ];
    let folder = folder(&files);
    let document = load(&folder.path().join("exp.ron")).unwrap();
    let experiment: Experiment = document.read().unwrap();
    assert_eq!((experiment.name.as_str(), experiment.seed), ("exp", 2));
    assert_eq!((experiment.train.accumulate, experiment.train.max_epochs), (4, 3));
    // relative to the file that wrote it, not to the one that was loaded
    assert_eq!(experiment.data, folder.path().join("sub/../a/a.bin"));
    // and so within a component
    let sub = folder.path().join("sub");
    let hook = format!("[Dump {{ folders: [{:?}, \"/y\"], log: Some({:?}) }}]", sub.join("x"), sub.join("log.txt"));
    assert_eq!(format!("{:?}", experiment.custom_hooks), hook);
}

#[test]
fn a_mistake_three_files_deep_is_shown_there() {
    let files = [
        ("exp.ron", "(base: [\"b.ron\"], name: \"exp\")"),
        ("b.ron", "(base: [\"sub/a.ron\"],\n  optimizer: (lr: \"x\"))"),
        ("sub/a.ron", "(base: [\"root.ron\"],\n  seed: -1,\n  custom_hooks: Append([Emma]))"),
        ("sub/root.ron", DEFAULTS),
    ];
    let found = mistakes(&files, &[]);
    let expected = [
        "b.ron:2:19: expected a number, found string `\"x\"`",
        "sub/a.ron:2:9: `-1` does not fit `u64`, expected 0 to 18446744073709551615",
        "sub/a.ron:3:25: no hook is named `Emma`, expected one of `Checkpoint`, `Clip`, `Dump`, `Ema`, `Timer`; did you mean `Ema`?",
    ];
    assert_eq!(found, expected);
}

#[test]
fn syntax_mistakes_of_all_files_are_found() {
    let found = mistakes(&[("exp.ron", "(base: [\"a.ron\", \"b.ron\"])"), ("a.ron", "(x: )"), ("b.ron", "(y: 1")], &[]);
    assert_eq!(found, ["a.ron:1:5: expected a value, found `)`", "b.ron:1:6: missing `)`"]);
}

#[test]
fn a_circle_of_bases_is_named_with_its_chain() {
    let files =
        [("exp.ron", "(base: [\"a.ron\"])"), ("a.ron", "(base: [\"b.ron\"])"), ("b.ron", "(base: [\"./a.ron\"])")];
    let expected =
        "b.ron:1:9: `./a.ron` is its own base; the files that led here: `exp.ron`, `a.ron`, `b.ron`, `./a.ron`";
    assert_eq!(mistakes(&files, &[]), [expected]);
    let itself = mistakes(&[("exp.ron", "(base: [\"exp.ron\"])")], &[]);
    assert_eq!(itself, ["exp.ron:1:9: `exp.ron` is its own base; the files that led here: `exp.ron`, `exp.ron`"]);
}

#[test]
fn a_missing_base_is_named_with_its_chain_and_the_nearest_file() {
    let files = [("exp.ron", "(base: [\"a.ron\"])"), ("a.ron", "(base: [\"adamv.ron\", 3])"), ("adamw.ron", "()")];
    let expected = [
        "a.ron:1:9: can't read the base `adamv.ron`: No such file or directory (os error 2); did you mean `adamw.ron`?; the files that led here: `exp.ron`, `a.ron`, `adamv.ron`",
        "a.ron:1:22: expected the path of a base in quotes, found integer `3`",
    ];
    assert_eq!(mistakes(&files, &[]), expected);
}

#[test]
fn bases_are_bounded_in_depth_and_number() {
    let deep: Vec<(String, String)> = (0..40)
        .map(|level| (format!("{level}.ron"), format!("(base: [\"{}.ron\"])", level + 1)))
        .chain([("exp.ron".to_owned(), "(base: [\"0.ron\"])".to_owned())])
        .collect();
    let deep: Vec<(&str, &str)> = deep.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(mistakes(&deep, &[])[0].contains("bases are nested more than 32 files deep"));
    let wide: Vec<(String, String)> = (0..20)
        .map(|level| (format!("{level}.ron"), format!("(base: [\"{0}.ron\", \"{0}.ron\"])", level + 1)))
        .chain([("exp.ron".to_owned(), "(base: [\"0.ron\"])".to_owned()), ("20.ron".to_owned(), "()".to_owned())])
        .collect();
    let wide: Vec<(&str, &str)> = wide.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(mistakes(&wide, &[])[0].contains("more than 256 files"));
}

#[test]
fn operators_that_do_not_fit_point_at_both_places() {
    let one = |text: &str| mistakes_over_defaults(text, &[]).remove(0);
    assert_eq!(one("seed: Append([1]),"), "exp.ron:3:16: there is no list to extend in the base, found integer `1`");
    assert_eq!(
        one("custom_hooks: Append(3),"),
        "exp.ron:3:24: `Append` takes a list: `Append([..])`, found integer `3`"
    );
    assert_eq!(
        one("custom_hooks: Patch({\"Emma\": ()}),"),
        "exp.ron:3:24: the list has no `Emma`, expected one of `Ema`, `Checkpoint`, `Clip`, `Timer`; did you mean `Ema`?"
    );
    assert_eq!(one("custom_hooks: Patch({4: ()}),"), "exp.ron:3:24: there is no element 4, the list has 4");
    assert_eq!(
        one("custom_hooks: Patch([1]),"),
        "exp.ron:3:23: `Patch` takes a map from names or indices: `Patch({\"Name\": (..), 0: (..)})`"
    );
    assert_eq!(one("more: Patch({0: 1}),"), "exp.ron:3:9: there is nothing to patch: no base has this value");
    let folder =
        folder(&[("base.ron", DEFAULTS), ("exp.ron", "(base: [\"base.ron\"], train: (max_epochs: Patch({0: 1})))")]);
    let errors = load(&folder.path().join("exp.ron")).unwrap_err().to_string();
    let shown = errors.replace(&format!("{}/", folder.path().display()), "");
    let expected = r#"error: there is no list to patch in the base, found integer `3`
 --> exp.ron:1:48
  |
1 | (base: ["base.ron"], train: (max_epochs: Patch({0: 1})))
  |                                                ^^^^^^
  |
 ::: base.ron:7:25
  |
7 |     train: (max_epochs: 3, milestones: [1, 2]),
  |                         - the base
  |
  = note: at `train.max_epochs`"#;
    assert_eq!(shown, expected);
}

#[test]
fn files_of_different_kinds_are_not_laid_over_each_other() {
    let found = mistakes(&[("exp.ron", "Experiment(base: [\"a.ron\"])"), ("a.ron", "Experimint()")], &[]);
    assert_eq!(found, ["exp.ron:1:1: expected `Experimint(..)` as in the base, found `Experiment`"]);
}

#[test]
fn the_command_line_wins_over_files_and_its_later_values_over_earlier_ones() {
    let sets = [
        "optimizer.lr=0.5",
        "optimizer.lr=0.25",
        "custom_hooks.0.decay=0.125",
        "custom_hooks.Checkpoint.then.0=Ema(level: HIGH)",
        "custom_hooks=Append([Ema])",
        "custom_hooks.Timer=Clip(5)",
        "train.accumulate=8",
        "teacher.level=LOW",
        "tags.run=b",
        "tags={\"x\": \"y\"}",
    ];
    let document = over_defaults("name: \"exp\"", &sets).unwrap();
    assert_eq!(at(&document, "optimizer.lr"), "0.25");
    assert_eq!(at(&document, "optimizer.weight_decay"), "0.1");
    assert_eq!(at(&document, "custom_hooks.0.decay"), "0.125");
    assert_eq!(at(&document, "custom_hooks.1.then"), "[Ema(level: HIGH)]");
    assert_eq!(at(&document, "custom_hooks.3"), "Clip(5)");
    assert_eq!(at(&document, "custom_hooks.4"), "Ema");
    assert_eq!(at(&document, "teacher"), "Some(Ema(decay: 0.25, level: LOW))");
    let experiment: Experiment = document.read().unwrap();
    assert_eq!(experiment.train.accumulate, 8);
    assert_eq!(experiment.tags.get("run").map(String::as_str), Some("b"));
    assert_eq!(experiment.tags.len(), 3);
}

#[test]
fn a_bare_component_takes_fields_from_the_command_line() {
    let document =
        over_defaults("custom_hooks: [Ema]", &["custom_hooks.Ema.decay=0.5", "train=(compile: true)"]).unwrap();
    assert_eq!(at(&document, "custom_hooks.0"), "Ema( decay: 0.5, )");
    assert!(document.read::<Experiment>().unwrap().train.compile);
}

#[test]
fn a_text_needs_no_quotes_on_the_command_line() {
    let read = |sets: &[&str]| over_defaults("name: \"exp\"", sets).and_then(|document| document.read::<Experiment>());
    assert_eq!(read(&["name=digits"]).unwrap().name, "digits");
    assert_eq!(read(&["name=run-7b of_digits"]).unwrap().name, "run-7b of_digits");
    assert_eq!(read(&["name=\"a b\""]).unwrap().name, "a b");
    assert_eq!(read(&["data=/mnt/set.bin"]).unwrap().data, Path::new("/mnt/set.bin"));
    assert_eq!(read(&["data=sub/set"]).unwrap().data, std::env::current_dir().unwrap().join("sub/set"));
    assert_eq!(read(&["data=set"]).unwrap().data, std::env::current_dir().unwrap().join("set"));
    assert_eq!(read(&["tags.a=b"]).unwrap().tags.get("a").map(String::as_str), Some("b"));
    // but only there
    assert!(mistakes_over_defaults("name: digits,", &[])[0].contains("expected a string, found `digits`"));
}

#[test]
fn mistakes_of_the_command_line_point_into_it() {
    let one = |set: &str| mistakes_over_defaults("name: \"exp\",", &[set]).remove(0);
    assert_eq!(one("seed=many"), "--set:1:6: expected an integer, found `many`");
    assert_eq!(
        one("optimizer.lrr=1"),
        "--set:1:11: unknown field `lrr`, expected one of `lr`, `betas`, `weight_decay`, `schedule`; did you mean `lr`?"
    );
    assert_eq!(
        one("trian.max_epochs=1"),
        "--set:1:1: unknown field `trian`, expected one of `name`, `seed`, `optimizer`, `custom_hooks`, `teacher`, `tags`, `data`, `train`; did you mean `train`?"
    );
    assert_eq!(
        one("custom_hooks.Emma.decay=1"),
        "--set:1:14: the list has no `Emma`, expected one of `Ema`, `Checkpoint`, `Clip`, `Timer`; did you mean `Ema`?"
    );
    assert_eq!(one("custom_hooks.9=Ema"), "--set:1:14: there is no element 9, the list has 4");
    assert_eq!(one("seed.x=1"), "--set:1:6: there is no `x` in integer `1`");
    assert_eq!(one("optimizer.=1"), "--set:1:11: a name is missing in the path");
    assert_eq!(one("optimizer.lr"), "--set:1:1: expected `path=value`; for example `--set optimizer.lr=0.01`");
    assert_eq!(one("optimizer.lr="), "--set:1:14: expected a value, found the end of the text");
    assert_eq!(one("optimizer.lr=1e-"), "--set:1:14: `1e-` is not a number");
    assert_eq!(one("optimizer=AdamW(lr: 1"), "--set:1:22: missing `)`");
    assert_eq!(one("custom_hooks.Ema.level=HIGHT"), "--set:1:24: unknown level `HIGHT`, did you mean `HIGH`?");
    let both = mistakes_over_defaults("name: \"exp\",", &["a.b", "custom_hooks.7=1"]);
    assert_eq!(both.len(), 2);
}

#[test]
fn any_path_and_value_of_the_command_line_is_set_or_refused() {
    let deep = format!("{}=1", vec!["a"; 200].join("."));
    assert_eq!(mistakes_over_defaults("", &[&deep]), ["--set:1:129: the path has more than 64 names"]);
    for set in
        ["=", "==", ".=.", "é.ü=ö", "optimizer.betas.7=1", "name.x=1", "teacher.0=Ema", "tags.\"=1", "x=\u{1F600}"]
    {
        if let Err(errors) = over_defaults("", &[set]).and_then(|document| document.read::<Experiment>()) {
            assert!(errors.to_string().starts_with("error: "), "{set}");
        }
    }
}

#[test]
fn a_file_that_is_only_a_base_of_itself_by_link_is_found() {
    let folder = folder(&[("exp.ron", "(base: [\"link.ron\"])")]);
    std::os::unix::fs::symlink(folder.path().join("exp.ron"), folder.path().join("link.ron")).unwrap();
    let errors = load(&folder.path().join("exp.ron")).unwrap_err();
    assert!(short(&errors, Some(folder.path()))[0].contains("`link.ron` is its own base"));
}

#[test]
fn what_is_shown_says_where_each_value_was_written_and_is_read_back() {
    let folder = folder(&[("base.ron", DEFAULTS), ("exp.ron", "(base: [\"base.ron\"],\n  optimizer: (lr: 1e-3))")]);
    let document = load_with(&folder.path().join("exp.ron"), &["train.max_epochs=7", "name=x"]).unwrap();
    let shown = document.show().replace(&format!("{}/", folder.path().display()), "");
    let expected = r#"Experiment(
    name: "x",  // --set:1:6
    seed: 1,  // base.ron:3:11
    optimizer: AdamW(
        lr: 0.001,  // exp.ron:2:19
        weight_decay: 0.1,  // base.ron:4:46
        schedule: Cosine(
            iters: 1000,  // base.ron:4:75
        ),
    ),
    custom_hooks: [
        Ema(
            decay: 0.5,  // base.ron:5:31
        ),
        Checkpoint(
            interval: 10,  // base.ron:5:58
            keep: 3,  // base.ron:5:68
            then: [Timer],  // base.ron:5:77
        ),
        Clip(1.0),  // base.ron:5:87
        Timer,  // base.ron:5:98
    ],
    tags: {"team": "vision"},  // base.ron:6:11
    train: (
        max_epochs: 7,  // --set:1:18
        milestones: [1, 2],  // base.ron:7:40
    ),
    teacher: Some(
        Ema(
            decay: 0.25,  // base.ron:8:30
        ),
    ),
    data: "set.bin",  // base.ron:9:11
)
"#;
    assert_eq!(shown, expected);
    assert_eq!(parse_text("shown.ron", &shown).unwrap().read::<Experiment>().unwrap().train.max_epochs, 7);
}
