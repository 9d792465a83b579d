//! What files mean, and that what is written is read back.

use super::super::{
    Diagnostics, Document, Kind, Node, Noted, parse_text, print, print_with_notes, to_named_node, to_node,
};
use super::*;
use serde::de::DeserializeOwned;

pub(super) fn read<T: DeserializeOwned>(text: &str) -> T {
    parse_text("test.ron", text).and_then(|document| document.read()).unwrap_or_else(|errors| panic!("{errors}"))
}

const FULL: &str = r#"Experiment(
    name: "digits",
    seed: 42,
    optimizer: AdamW(lr: 1e-3, betas: (0.9, 0.99), weight_decay: 0.1, schedule: Cosine(iters: 100)),
    custom_hooks: [
        Ema,
        Ema(decay: 0.5, level: HIGH),
        Checkpoint(interval: 2, keep: 3, then: [Timer, Clip(1.0), Ema(level: 15)]),
    ],
    teacher: Ema(decay: 0.25),
    tags: {"team": "vision", "Ema": "no component"},
    train: (max_epochs: 1e2, milestones: [30, 60]),
)"#;

#[test]
fn components_are_read_by_name_bare_positional_and_nested() {
    let experiment: Experiment = read(FULL);
    let shown = format!("{experiment:?}");
    assert!(
        shown
            .contains("EmaConfig { decay: 0.999, level: Priority(30) }, EmaConfig { decay: 0.5, level: Priority(20) }")
    );
    assert!(shown.contains(
        "Checkpoint { interval: 2, keep: Some(3), then: [Timer, Clip(1.0), EmaConfig { decay: 0.999, level: Priority(15) }] }"
    ));
    assert!(shown.contains("teacher: Some(EmaConfig { decay: 0.25"));
    assert!(shown.contains("schedule: Some(Cosine { iters: 100, floor: 0.0 })"));
    assert!(shown.contains("TrainConfig { max_epochs: 100, accumulate: 0, compile: false, milestones: [30, 60] }"));
}

#[test]
fn a_struct_goes_by_its_own_name_by_that_without_config_and_by_none() {
    for text in ["(max_epochs: 3)", "Train(max_epochs: 3)", "TrainConfig(max_epochs: 3)"] {
        assert_eq!(read::<TrainConfig>(text).max_epochs, 3, "{text}");
    }
    assert_eq!(read::<TrainConfig>("Train").max_epochs, 0);
    assert!(parse_text("test.ron", "Optimizer()").unwrap().read::<TrainConfig>().is_err());
}

#[test]
fn a_full_dump_is_read_back_to_the_same_dump() {
    let experiment: Experiment = read(FULL);
    let dump = print(&to_named_node(&experiment).unwrap());
    let again: Experiment = read(&dump);
    assert_eq!(format!("{experiment:?}"), format!("{again:?}"));
    assert_eq!(dump, print(&to_named_node(&again).unwrap()));
    assert!(dump.starts_with("Experiment(\n    name: \"digits\",\n    seed: 42,\n"), "{dump}");
    assert!(dump.contains("\n        Ema(decay: 0.5, level: HIGH),\n"), "{dump}");
    assert!(
        dump.contains(
            "\n        Checkpoint(interval: 2, keep: 3, then: [Timer, Clip(1.0), Ema(decay: 0.999, level: 15)]),\n"
        ),
        "{dump}"
    );
}

/// Every kind of value that serde knows, with its awkward contents.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    numbers: (i8, u64, i128, f32, f64),
    infinite: (f64, f64),
    texts: Vec<String>,
    letters: Vec<char>,
    optional: [Option<u8>; 2],
    twice_optional: [Option<Option<u8>>; 3],
    optional_unit: [Option<()>; 2],
    units: ((), Bare, Newtype, Pair),
    variants: Vec<Schedule>,
    maps: BTreeMap<(u32, char), BTreeMap<String, Bare>>,
    lists: Vec<Vec<Newtype>>,
    r#type: bool,
    #[serde(rename = "true")]
    literal: bool,
    #[serde(rename = "a-b.c")]
    raw: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bare;
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u32);
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u32, String);

#[test]
fn every_kind_of_value_is_read_back_equal() {
    let everything = Everything {
        numbers: (-128, u64::MAX, i128::MIN, 0.1, 1e300),
        infinite: (f64::INFINITY, f64::NEG_INFINITY),
        texts: vec!["é \"quoted\" \\ \n\t\0\u{1}\u{1f600}".into(), String::new(), "// no comment".into()],
        letters: vec!['\'', '"', '\\', 'é', '\n'],
        optional: [Some(1), None],
        twice_optional: [Some(Some(2)), Some(None), None],
        optional_unit: [Some(()), None],
        units: ((), Bare, Newtype(1), Pair(2, "x".into())),
        variants: vec![
            Schedule::Constant,
            Schedule::Linear(1),
            Schedule::Cosine { iters: 2, floor: -0.0 },
            Schedule::Window(3, 4),
        ],
        maps: BTreeMap::from([((1, 'a'), BTreeMap::from([("Bare".to_owned(), Bare)])), ((2, 'b'), BTreeMap::new())]),
        lists: vec![vec![], vec![Newtype(5), Newtype(6)]],
        r#type: true,
        literal: true,
        raw: true,
    };
    for node in [to_node(&everything).unwrap(), to_named_node(&everything).unwrap()] {
        assert_eq!(read::<Everything>(&print(&node)), everything, "{}", print(&node));
    }
}

#[test]
fn floats_are_read_back_to_the_bit() {
    let floats = vec![f64::MIN_POSITIVE, 5e-324, 0.1 + 0.2, f64::MAX, -1e16, 123_456_789.125];
    assert_eq!(read::<Vec<f64>>(&print(&to_node(&floats).unwrap())), floats);
    let singles = vec![0.1_f32, f32::MIN_POSITIVE, 16_777_217.0, f32::MAX];
    assert_eq!(read::<Vec<f32>>(&print(&to_node(&singles).unwrap())), singles);
    assert!(read::<f64>(&print(&to_node(&f64::NAN).unwrap())).is_nan());
}

#[test]
fn notes_stand_after_their_fields() {
    let document = parse_text("test.ron", "(lr: 0.1, nested: (a: 1), list: [(b: 2)])").unwrap();
    let noted = print_with_notes(&document.root, &|noted| match noted {
        Noted::Field(field) if matches!(field.value.kind, Kind::Int(_)) => Some(format!("from\n{}", field.key)),
        _ => None,
    });
    let expected = "(\n    lr: 0.1,\n    nested: (\n        a: 1,  // from a\n    ),\n    list: [\n        (\n            b: 2,  // from b\n        ),\n    ],\n)\n";
    assert_eq!(noted, expected);
    assert_eq!(print(&parse_text("noted.ron", &noted).unwrap().root), print(&document.root));
}

#[test]
fn a_path_finds_its_value() {
    let document = parse_text("test.ron", FULL).unwrap();
    let found = |path: &str| document.root.find(path).map(Node::what);
    assert_eq!(found("optimizer.betas.1").as_deref(), Some("float `0.99`"));
    assert_eq!(found("custom_hooks.1.level").as_deref(), Some("`HIGH`"));
    assert_eq!(found("custom_hooks.Checkpoint.then.Clip.0").as_deref(), Some("float `1.0`"));
    assert_eq!(found("custom_hooks.Ema"), None, "there are two");
    assert_eq!(found("tags.team").as_deref(), Some("string `\"vision\"`"));
    assert_eq!(found("optimizer.momentum"), None);
}

#[test]
fn a_relative_path_is_relative_to_its_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    let file = folder.path().join("deep/exp.ron");
    std::fs::write(&file, r#"(name: "x", optimizer: Sgd(lr: 1, momentum: 0), data: "set/a.bin")"#).unwrap();
    let experiment: Experiment = super::super::load(&file).unwrap().read().unwrap();
    assert_eq!(experiment.data, folder.path().join("deep/set/a.bin"));
    // the dump means the same from anywhere
    let again: Experiment = read(&print(&to_node(&experiment).unwrap()));
    assert_eq!(again.data, experiment.data);
}

#[test]
fn a_variable_stands_where_a_text_is_wanted() {
    let read_name = |value: &str| {
        let text = format!(
            r#"(name: {value}, optimizer: Sgd(lr: 1, momentum: 0), data: Env("NO_SUCH_VARIABLE_IS_SET", "a"))"#
        );
        parse_text("test.ron", &text).unwrap().read::<Experiment>()
    };
    let experiment = read_name(r#"Env("CARGO_PKG_NAME")"#).unwrap();
    assert_eq!(experiment.name, "engine");
    assert_eq!(experiment.data, std::env::current_dir().unwrap().join("a"));
    assert_eq!(read_name(r#"Env("NO_SUCH_VARIABLE_IS_SET", "other")"#).unwrap().name, "other");
    let errors = read_name(r#"Env("NO_SUCH_VARIABLE_IS_SET")"#).unwrap_err().short();
    assert!(
        errors[0].starts_with("test.ron:1:8: the environment variable `NO_SUCH_VARIABLE_IS_SET` is not set"),
        "{errors:?}"
    );
}

fn sections(document: &Document) -> (Option<u64>, Vec<String>, Vec<String>) {
    let diagnostics = Diagnostics::new();
    let mut reader = document.reader(&diagnostics);
    let _: Option<String> = reader.required("name");
    let _: Option<Box<dyn Optimizer>> = reader.required("optimizer");
    let seed = reader.optional("seed");
    let mut loaded = Vec::new();
    if let Some(mut loaders) = reader.required_struct("loaders") {
        for key in ["train", "val", "test", "extra"] {
            if let Some(mut loader) = loaders.optional_struct(key) {
                let _: Option<u32> = loader.required("batch_size");
                let _: Option<bool> = loader.optional("shuffle");
                loader.finish();
                loaded.push(key.to_owned());
            }
        }
        loaders.finish();
    }
    reader.finish();
    let errors = diagnostics.into_result(&document.sources).map_err(|errors| errors.short()).err().unwrap_or_default();
    (seed, loaded, errors)
}

#[test]
fn mistakes_of_all_sections_are_found_with_those_of_structs_within() {
    let text = "(\n  nam: \"x\",\n  optimizer: Sgd(lr: \"a\"),\n  seed: None,\n  loaders: (\n    train: (batch_size: 64, shufle: true),\n    val: (),\n    test: (batch_size: -1),\n    extra: 3,\n  ),\n)";
    let (seed, loaded, errors) = sections(&parse_text("s.ron", text).unwrap());
    assert_eq!((seed, loaded.len()), (None, 4));
    let expected = [
        "s.ron:2:3: unknown field `nam`, expected one of `name`, `optimizer`, `seed`, `loaders`; did you mean `name`?",
        "s.ron:3:14: missing field `momentum` of `Sgd`",
        "s.ron:3:22: expected a number, found string `\"a\"`",
        "s.ron:6:29: unknown field `shufle`, expected one of `batch_size`, `shuffle`; did you mean `shuffle`?",
        "s.ron:7:5: missing field `batch_size`",
        "s.ron:8:24: `-1` does not fit `u32`, expected 0 to 4294967295",
        "s.ron:9:12: expected fields by name, `(key: ..)`, found integer `3`",
    ];
    assert_eq!(errors, expected);
}

#[test]
fn sound_sections_have_no_mistakes() {
    let text =
        "Experiment(name: \"x\", optimizer: Sgd(lr: 1, momentum: 0), seed: 7, loaders: (train: (batch_size: 1)))";
    assert_eq!(sections(&parse_text("s.ron", text).unwrap()), (Some(7), vec!["train".to_owned()], Vec::new()));
}
