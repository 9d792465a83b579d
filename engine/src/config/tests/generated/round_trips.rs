//! From any value to text and back: the same value, and the same text.

use super::super::super::{Node, parse_text, print, to_named_node, to_node};
use super::super::*;
use super::random::Random;
use super::shapes::Shape;
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(seed: u64, text: &str) -> T {
    let document = parse_text("printed.ron", text).unwrap_or_else(|errors| panic!("seed {seed}: {errors}\n{text}"));
    assert_eq!(print(&document.root), text, "seed {seed}");
    document.read().unwrap_or_else(|errors| panic!("seed {seed}: {errors}\n{text}"))
}

fn comes_back<T: Serialize + DeserializeOwned + Debug>(seed: u64, value: &T) {
    for node in [to_node(value), to_named_node(value)] {
        let node: Node = node.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let again: T = read(seed, &print(&node));
        assert_eq!(format!("{again:?}"), format!("{value:?}"), "seed {seed}:\n{}", print(&node));
    }
}

#[test]
fn every_value_is_read_back_from_its_text() {
    for seed in 0..3_000 {
        comes_back(seed, &Shape::any(&mut Random::new(seed), 4));
    }
}

#[test]
fn what_we_print_the_ron_crate_reads_as_the_same_value() {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    for seed in 0..3_000 {
        let shape = Shape::any(&mut Random::new(seed), 4);
        let text = print(&to_node(&shape).unwrap());
        let theirs = options.from_str::<Shape>(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        assert_eq!(format!("{theirs:?}"), format!("{shape:?}"), "seed {seed}:\n{text}");
    }
}

fn hook(random: &mut Random, depth: usize) -> Box<dyn HookConfig> {
    match random.below(if depth == 0 { 4 } else { 6 }) {
        0 => Box::new(Timer),
        1 => Box::new(Clip(random.float())),
        2 => Box::new(EmaConfig {
            decay: random.below(1001) as f64 / 1000.0,
            level: random.pick(&[Priority::HIGH, Priority::LOWEST, Priority::new(15).unwrap()]),
        }),
        3 => Box::new(Dump {
            folders: (0..random.below(3)).map(|_| path(random)).collect(),
            log: random.one_in(2).then(|| path(random)),
        }),
        _ => Box::new(Checkpoint {
            interval: random.integer(32) as u32,
            keep: random.one_in(2).then(|| random.integer(8) as u8),
            then: (0..random.below(3)).map(|_| hook(random, depth - 1)).collect(),
        }),
    }
}

/// An absolute one: others are made so when they are read.
fn path(random: &mut Random) -> PathBuf {
    let name: String = random.text().chars().filter(|c| !matches!(c, '\0' | '/' | '.')).collect();
    PathBuf::from(format!("/data/{name}x/set.bin"))
}

fn experiment(random: &mut Random) -> Experiment {
    let schedule = match random.below(5) {
        0 => None,
        1 => Some(Schedule::Constant),
        2 => Some(Schedule::Linear(random.integer(32) as u32)),
        3 => Some(Schedule::Cosine { iters: random.integer(32) as u32, floor: random.float() }),
        _ => Some(Schedule::Window(random.integer(32) as u32, 0)),
    };
    let optimizer: Box<dyn Optimizer> = match random.one_in(2) {
        true => Box::new(Sgd { lr: random.float(), momentum: random.float() }),
        false => Box::new(AdamW {
            lr: random.float(),
            betas: (random.float(), random.float()),
            weight_decay: random.float() as f32,
            schedule,
        }),
    };
    Experiment {
        name: random.text(),
        seed: random.integer(64) as u64,
        optimizer,
        custom_hooks: (0..random.below(4)).map(|_| hook(random, 4)).collect(),
        teacher: random.one_in(2).then(|| hook(random, 2)),
        tags: (0..random.below(4)).map(|_| (random.text(), random.text())).collect(),
        data: path(random),
        train: TrainConfig {
            max_epochs: random.integer(32) as u32,
            accumulate: random.integer(8) as u8,
            compile: random.one_in(2),
            milestones: (0..random.below(4)).map(|_| random.integer(64) as u64).collect(),
        },
    }
}

#[test]
fn every_experiment_is_read_back_from_its_text() {
    for seed in 0..2_000 {
        comes_back(seed, &experiment(&mut Random::new(seed)));
    }
}
