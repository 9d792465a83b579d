//! Experiments that nobody wrote: files over files, under a command line, read into the types of a program.
//!
//! `cargo test` tries a fixed number of them. For more, in release mode and with what it saw:
//!
//! ```text
//! FUZZ=5000000 cargo test --release -p engine --test experiments fuzz -- --nocapture
//! ```
//!
//! `FUZZ_FROM` is the first seed, so that another run tries others. What fails is printed and is to become a case.

use crate::program::{EXPERIMENT, Fit};
use crate::random::Random;
use engine::config::{ConfigErrors, load_with, parse_text, print};
use engine::trainer::Experiment;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// In each run of the tests.
const ORDINARY: u64 = 4_000;

/// Texts that are cut up and mixed, beside [`EXPERIMENT`].
const SEEDS: [&str; 8] = [
    "Experiment(base: [\"base.ron\"], optimizer: (lr: 1e-3), custom_hooks: Append([Worst]), hooks: (ema: Off))",
    "(base: \"base.ron\", custom_hooks: Patch({\"Ema\": (level: 30), 1: (monitor: \"x\"), \"Worst\": Replace(Ema())}))",
    "(base: [\"base.ron\", \"base.ron\"], schedule: Prepend([Poly(power: 2.0), Step(every: 3)]), train: Replace((max_epochs: 1)))",
    "(base: \"exp.ron\", name: Env(\"HOME\"), work_dir: Env(\"PATH\"), model: Slope(start: Env(\"HOME\")))",
    "(optimizer: Sgd(lr: 0.1, momentum: 0.9, groups: [(lr: 0.01, include: [\"bias\"])]), schedule: MultiStep(at: [1, 2]))",
    "#![enable(implicit_some, unwrap_newtypes)] /* a /* b */ */ (threads: None, seed: 0b101u64, name: r#\"raw\"#)",
    "({\"a\": 'x', 'é': b\"\\x00\", b'a': br\"b\", (1, 2): [-inf, NaN, +1_000.5e-3, .5, -0x7f, 1e400, r#type]})",
    "(hooks: (timer: Off, scheduler: (level: LOWEST), logger: Off(), checkpoint: None, worst: Off, ema: Ema(level: 101)))",
];

const PATHS: [&str; 14] = [
    "optimizer.lr",
    "optimizer",
    "hooks.ema",
    "hooks.ema.level",
    "custom_hooks",
    "custom_hooks.0.decay",
    "custom_hooks.Ema.level",
    "schedule.1",
    "loaders.train.dataset.noise",
    "train.clip",
    "name",
    "work_dir",
    "base",
    "x.y.z",
];

/// One input: files by name, the first of which is read, and values of the command line.
struct Input {
    files: Vec<(&'static str, Vec<u8>)>,
    sets: Vec<String>,
}

impl Input {
    fn of(seed: u64) -> Input {
        let random = &mut Random::new(seed);
        if random.below(4) > 0 {
            return Input { files: vec![("exp.ron", text(random).into_bytes())], sets: Vec::new() };
        }
        let mut files = vec![("exp.ron", text(random).into_bytes()), ("base.ron", text(random).into_bytes())];
        for (_, bytes) in &mut files {
            if random.below(20) == 0 {
                let at = random.below(bytes.len() + 1);
                bytes.insert(at, random.below(256) as u8);
            }
        }
        let set = |random: &mut Random| match random.below(6) {
            0 => text(random),
            1 => format!("{}={}", cut(random, &PATHS.join(".")), piece(random)),
            _ => format!("{}={}", random.pick(&PATHS), piece(random)),
        };
        let sets = (0..random.below(4)).map(|_| set(random)).collect();
        Input { files, sets }
    }
}

/// An experiment, mixed with pieces of others.
fn text(random: &mut Random) -> String {
    let mut text = match random.below(3) {
        0 => random.pick(&SEEDS).to_owned(),
        _ => EXPERIMENT.to_owned(),
    };
    for _ in 0..random.below(5) {
        match random.below(12) {
            0..=3 => random.change(&mut text, 40, piece),
            // another word for a word leaves most texts sound, so that what comes after the parser is tried too
            _ => {
                let word = word_at(&text, random.below(text.len() + 1));
                let other = word_at(EXPERIMENT, random.below(EXPERIMENT.len()));
                text.replace_range(word, &EXPERIMENT[other]);
            }
        }
    }
    text
}

fn piece(random: &mut Random) -> String {
    const TOKENS: [&str; 44] = [
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
        "=",
        "0x",
        "1e",
        "b'",
        "Ema(",
        "Off",
        "None",
        "Some(",
        "Append(",
        "Patch({",
        "Replace(",
        "Env(",
        "Env(\"HOME\")",
        "true",
        "1e400",
        "-1",
        "340282366920938463463374607431768211456",
        "NaN",
        "\u{0}",
        "\u{feff}",
        "\u{301}",
        "\r\n",
        "\t",
        "base: \"exp.ron\",",
        "HIGH",
    ];
    match random.below(3) {
        0 => random.pick(&TOKENS).to_owned(),
        1 => cut(random, EXPERIMENT),
        _ => {
            let seed = random.pick(&SEEDS);
            cut(random, seed)
        }
    }
}

fn cut(random: &mut Random, of: &str) -> String {
    of[random.range(of, 60)].to_owned()
}

/// The word or number at or after a byte.
fn word_at(text: &str, at: usize) -> Range<usize> {
    let part = |c: &char| c.is_alphanumeric() || *c == '_';
    let rest = text.char_indices().skip_while(|(index, c)| *index < at || !part(c));
    let word: Vec<(usize, char)> = rest.take_while(|(_, c)| part(c)).collect();
    match (word.first(), word.last()) {
        (Some((first, _)), Some((last, c))) => *first..last + c.len_utf8(),
        _ => 0..0,
    }
}

/// What became of an input.
#[derive(Default)]
struct Seen {
    parsed: u64,
    read: u64,
    mistakes: u64,
}

fn try_input(input: &Input, folder: &Path, seen: &mut Seen) {
    let path = folder.join("exp.ron");
    let document = match input.files.as_slice() {
        [(name, bytes)] => parse_text(name, std::str::from_utf8(bytes).unwrap()),
        files => {
            for (name, bytes) in files {
                std::fs::write(folder.join(name), bytes).unwrap();
            }
            load_with(&path, &input.sets)
        }
    };
    let document = match document {
        Ok(document) => document,
        Err(errors) => return told(&errors, seen),
    };
    seen.parsed += 1;
    let printed = print(&document.root);
    let again = parse_text("printed.ron", &printed).unwrap_or_else(|errors| panic!("{errors}\n{printed}"));
    assert_eq!(print(&again.root), printed);
    assert_eq!(parse_text("shown.ron", &document.show()).map(|shown| print(&shown.root)).ok(), Some(printed));
    let read = match input.files.as_slice() {
        [(name, bytes)] => Experiment::<Fit>::parse(name, std::str::from_utf8(bytes).unwrap()),
        _ => Experiment::<Fit>::load(&path, &input.sets),
    };
    match read {
        Ok(_) => seen.read += 1,
        Err(errors) => told(&errors, seen),
    }
}

fn told(errors: &ConfigErrors, seen: &mut Seen) {
    assert!(!errors.diagnostics.is_empty());
    assert!(errors.to_string().starts_with("error: ") && errors.short().iter().all(|line| !line.is_empty()));
    seen.mistakes += errors.diagnostics.len() as u64;
}

#[test]
fn no_experiment_makes_the_reader_panic() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let (from, count) = (number("FUZZ_FROM").unwrap_or(0), number("FUZZ").unwrap_or(ORDINARY));
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Seen::default();
    let mut slowest = (Duration::ZERO, 0);
    for seed in from..from + count {
        let input = Input::of(seed);
        let began = Instant::now();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| try_input(&input, folder.path(), &mut seen))) {
            for (name, bytes) in &input.files {
                eprintln!("seed {seed}, {name}:\n{}", String::from_utf8_lossy(bytes));
            }
            eprintln!("--set {:?}", input.sets);
            resume_unwind(panic);
        }
        slowest = slowest.max((began.elapsed(), seed));
    }
    let Seen { parsed, read, mistakes } = seen;
    println!("{count} inputs: {parsed} parsed, {read} read, {mistakes} mistakes told; slowest {slowest:?}");
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
    // most of what is tried goes through each part
    assert!(parsed > count / 4 && read > count / 50, "{parsed} parsed, {read} read of {count}");
}

#[test]
fn the_experiment_that_is_mixed_is_sound() {
    if let Err(errors) = Experiment::<Fit>::parse("fit.ron", EXPERIMENT) {
        panic!("{errors}");
    }
}
