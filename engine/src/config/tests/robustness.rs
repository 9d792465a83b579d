//! No text makes it panic.

use super::super::merge::Merge;
use super::super::{Diagnostics, from_node, load, load_with, parse_text, print};
use super::generated::Random;
use super::*;

const SEEDS: [&str; 7] = [
    "Experiment(\n    name: \"größe\",\n    optimizer: AdamW(lr: 1e-3, betas: (0.9, 0.99), schedule: Cosine(iters: 0x10)),\n)",
    "(custom_hooks: [Ema, Checkpoint(interval: 1, then: [Clip(1.0), Timer]), Ema(level: HIGH)], teacher: Some(Ema()))",
    "#![enable(implicit_some)] /* a /* b */ */ {\"a\": 'x', 'é': b\"\\x00\", b'a': r#\"raw\"#, (1, 2): br\"b\"} // end",
    "[-inf, NaN, +1_000.5e-3, 0b1010u8, .5, -0x7f, 340282366920938463463374607431768211456, i, r#type, None]",
    "(name: Env(\"HOME\"), data: \"\\u{1F600}\\x41\\\n  \\\"\", tags: {\"k\": \"v\"}, seed: 18446744073709551615)",
    "(seed: Mul(Ref(\"train.max_epochs\"), 2), train: (max_epochs: Add(1, Ref(\"custom_hooks.Clip.0\"))), custom_hooks: [Clip(Ref(\"seed\"))], teacher: Ref(\"custom_hooks.0\"))",
    "Patch({0: Append([\"a\", 'b']), \"Ema\": Replace(())})",
];

fn mutated(random: &mut Random) -> String {
    const PIECES: [&str; 24] = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "'",
        "\\",
        "#",
        "r#\"",
        "/*",
        "*/",
        "//",
        "é",
        "\u{1F600}",
        "-",
        "0x",
        "1e",
        "b'",
        "Ema(",
        "\n",
    ];
    let mut text = random.pick(&SEEDS).to_owned();
    for _ in 0..1 + random.below(3) {
        let at = random.range(&text, 1).start;
        match random.below(5) {
            0 => text.insert(at, random.character()),
            1 => text.truncate(at),
            _ => random.change(&mut text, 8, |random| random.pick(&PIECES).to_owned()),
        }
    }
    text
}

#[test]
fn mutated_texts_never_panic_and_printing_what_was_read_is_a_fixed_point() {
    let mut random = Random::new(1);
    let mut read = 0;
    for _ in 0..20_000 {
        let text = mutated(&mut random);
        match parse_text("fuzz.ron", &text) {
            Ok(document) => {
                read += 1;
                let resolved = document.clone().resolved();
                assert!(!resolved.show().is_empty());
                if let Err(errors) = resolved.read::<Experiment>() {
                    assert!(!errors.to_string().is_empty() && !errors.short().is_empty());
                }
                let printed = print(&document.root);
                let again = parse_text("printed.ron", &printed)
                    .unwrap_or_else(|errors| panic!("{text:?} printed as {printed:?}: {errors}"));
                assert_eq!(print(&again.root), printed, "{text:?}");
                if let Err(errors) = document.read::<Experiment>() {
                    assert!(!errors.to_string().is_empty() && !errors.short().is_empty());
                }
            }
            Err(errors) => assert!(errors.to_string().starts_with("error: ") && !errors.short().is_empty()),
        }
    }
    assert!(read > 2_000, "only {read} of the texts were read at all");
}

#[test]
fn any_bytes_in_a_file_are_read_or_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bytes.ron");
    std::fs::write(&file, b"(\n  name: \"gr\xF6sse\",\n)").unwrap();
    let errors = load(&file).unwrap_err().short();
    let expected = "2:12: the file is not UTF-8 from here on; save it again with the encoding UTF-8";
    assert_eq!(errors, [format!("{}:{expected}", file.display())]);
    let mut random = Random::new(2);
    for length in 0..500 {
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        std::fs::write(&file, bytes).unwrap();
        if let Err(errors) = load(&file) {
            assert!(!errors.to_string().is_empty());
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_the_deepest_allowed_is_read() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let document = parse_text("deep.ron", &nested(128)).unwrap();
    assert!(print(&document.root).len() > 256);
    assert!(from_node::<Vec<u8>>(&document.root, &document.sources, &Diagnostics::new()).is_none());
    let errors = parse_text("deep.ron", &nested(129)).unwrap_err().short();
    assert_eq!(errors, ["deep.ron:1:129: nested more than 128 levels deep"]);
    assert!(parse_text("deep.ron", &nested(500_000)).is_err());
    assert!(parse_text("deep.ron", &"a(".repeat(100_000)).is_err());
}

#[test]
fn files_that_are_too_large_or_absent_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.ron");
    std::fs::write(&file, " ".repeat(1 << 20) + "1").unwrap();
    let large = load(&file).unwrap_err().to_string();
    assert_eq!(large, format!("error: `{}` is larger than 1024 KiB, the limit for an experiment", file.display()));
    let endless = load(std::path::Path::new("/dev/zero")).unwrap_err().to_string();
    assert_eq!(endless, "error: can't read `/dev/zero`: it is a device or pipe, not a file");
    let absent = load(&folder.path().join("absent.ron")).unwrap_err().to_string();
    assert!(absent.contains("absent.ron`: No such file or directory"), "{absent}");
}

#[test]
fn many_mistakes_are_found_in_bounded_time() {
    let hooks = "Ema(decay: 2, x: 1), ".repeat(300);
    let text = format!("(name: 1, optimizer: Sgd(), custom_hooks: [{hooks}])");
    let errors = parse_text("many.ron", &text).unwrap().read::<Experiment>().unwrap_err();
    // 300 unknown fields, 300 bad values as far as readings reach, and the three others
    assert!(errors.diagnostics.len() > 400, "{}", errors.diagnostics.len());
}

#[test]
fn mutated_files_over_each_other_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exp.ron");
    std::fs::write(
        &file,
        "(optimizer: AdamW(lr: 1), custom_hooks: [Ema, Timer], tags: {\"a\": \"b\"}, teacher: Some(Ema()))",
    )
    .unwrap();
    let mut random = Random::new(3);
    let texts = std::iter::repeat_with(|| mutated(&mut random));
    let read: Vec<_> = texts.filter_map(|text| parse_text("fuzz.ron", &text).ok()).take(300).collect();
    for _ in 0..3_000 {
        let diagnostics = Diagnostics::new();
        let mut merge = Merge::new(&diagnostics);
        let (below, above) = (&read[random.below(read.len())], &read[random.below(read.len())]);
        let over = merge.documents(below.root.clone(), above.root.clone());
        let printed = print(&merge.settle(over));
        assert!(parse_text("printed.ron", &printed).is_ok(), "{printed}");
        let paths = ["custom_hooks.0.decay", "custom_hooks", "teacher.decay", "tags.a", "optimizer", "x.y"];
        let set = format!("{}={}", paths[random.below(paths.len())], mutated(&mut random));
        if let Err(errors) = load_with(&file, &[&set]).and_then(|document| document.read::<Experiment>()) {
            assert!(!errors.to_string().is_empty());
        }
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Maps(BTreeMap<u8, Maps>);

impl Maps {
    fn depth(&self) -> usize {
        self.0.values().map(|inner| 1 + inner.depth()).max().unwrap_or(0)
    }
}

#[test]
fn components_within_components_are_bounded_as_the_stack_is() {
    let nested = |count: usize, last: &str| {
        let hook = format!("{}{last}{}", "Checkpoint(interval: 1, then: [".repeat(count), "])".repeat(count));
        let text = format!("(name: \"x\", optimizer: Sgd(lr: 1, momentum: 0), teacher: {hook})");
        parse_text("deep.ron", &text).unwrap().read::<Experiment>()
    };
    assert_eq!(format!("{:?}", nested(31, "Timer").unwrap()).matches("Checkpoint").count(), 31);
    let wrong = nested(31, "Tmer").unwrap_err().short();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    for count in [32, 62] {
        let refused = nested(count, "Timer").unwrap_err().short();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused[0].ends_with("components are nested more than 32 levels deep"), "{refused:?}");
    }
    // maps are none
    let maps: Maps = parse_text("maps.ron", &("{1: ".repeat(60) + "{}" + &"}".repeat(60))).unwrap().read().unwrap();
    assert_eq!(maps.depth(), 60);
    let as_maps = "{\"Checkpoint\": (interval: 1, then: [".repeat(41) + &"])}".repeat(41);
    assert!(parse_text("deep.ron", &as_maps).unwrap().read::<Box<dyn HookConfig>>().is_err());
}
