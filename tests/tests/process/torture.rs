//! Processes that are killed again and again, at any instant of their life and inside saves, and resumed until their training
//! is done: each run has to end with the bytes of one that nothing has disturbed.
//!
//! `cargo xtask torture --kills N --seed S` runs the same with other numbers.

use crate::bench::{Bench, chosen};
use crate::left::{assert_same, newest, state};
use std::path::Path;
use std::time::{Duration, Instant};

/// One way of training.
struct Case {
    name: &'static str,
    bench: fn() -> Bench,
    set: &'static [&'static str],
    /// The loader whose number of workers changes from process to process.
    loader: &'static str,
    checkpoint: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "by epoch, one batch an iter, an average, a best checkpoint",
        bench: Bench::by_epoch,
        set: &["train.accumulate=1", "train.max_epochs=2"],
        loader: "train",
        checkpoint: r#"(interval: 1, by: Iter, keep: 2, save_best: ["val/accuracy"])"#,
    },
    Case {
        name: "by epoch, three batches an iter, the best two of two metrics",
        bench: Bench::by_epoch,
        set: &["train.accumulate=3"],
        loader: "train",
        checkpoint: r#"(interval: 1, by: Iter, keep: 1, keep_every: 3, keep_best: 2, save_best: ["val/accuracy", "val/loss"])"#,
    },
    Case {
        name: "by epoch, ended by patience, without an average",
        bench: Bench::by_epoch,
        set: &[
            "train.max_epochs=9",
            "hooks.ema=Off",
            r#"custom_hooks=[EarlyStopping(monitor: "val/accuracy", patience: 2, min_delta: 2.0)]"#,
        ],
        loader: "train",
        checkpoint: "(interval: 2, by: Iter, keep: 2)",
    },
    Case {
        name: "by epoch, ended by a threshold, written while the training waits",
        bench: Bench::by_epoch,
        set: &[
            "train.max_epochs=9",
            r#"custom_hooks=[EarlyStopping(monitor: "val/accuracy", patience: 9, threshold: Some(0.0))]"#,
        ],
        loader: "train",
        checkpoint: "(interval: 1, by: Iter, background: false)",
    },
    Case {
        name: "by iter, one batch an iter",
        bench: Bench::by_iter,
        set: &["train.accumulate=1"],
        loader: "train",
        checkpoint: "(interval: 1, keep: 2)",
    },
    Case {
        name: "by iter, three batches an iter",
        bench: Bench::by_iter,
        set: &["train.accumulate=3"],
        loader: "train",
        checkpoint: "(interval: 3, keep: 1)",
    },
    Case {
        name: "by epoch, going back where a point is no number, with lower learning rates",
        bench: Bench::by_epoch,
        set: &[
            "train.accumulate=1",
            "train.max_epochs=2",
            "loaders.train.dataset.spoiled=Some(17)",
            "custom_hooks=[Rollback(interval: 4, back: 2, snapshot: Some(1), lr_factor: 0.5)]",
        ],
        loader: "train",
        checkpoint: r#"(interval: 3, by: Iter, keep: 2, save_best: ["val/accuracy"])"#,
    },
    Case {
        name: "by iter, going back in every pass, each checkpoint looked at",
        bench: Bench::by_iter,
        set: &[
            "train.accumulate=2",
            "train.max_iters=20",
            "loaders.train.dataset.spoiled=Some(5)",
            "custom_hooks=[Rollback(interval: 5, back: 3, snapshot: None)]",
        ],
        loader: "train",
        checkpoint: "(interval: 1, keep: 2)",
    },
    Case {
        name: "by epoch, a rate that follows a metric, ended by patience",
        bench: Bench::by_epoch,
        set: &[
            "train.max_epochs=5",
            r#"schedule=[Linear(iters: 3, start: 0.1), Plateau(monitor: "val/loss", factor: 0.5, patience: 0, threshold: 0.9)]"#,
            r#"custom_hooks=[EarlyStopping(monitor: "val/accuracy", patience: 2, min_delta: 2.0)]"#,
        ],
        loader: "train",
        checkpoint: "(interval: 1, by: Iter, keep: 2)",
    },
    Case {
        name: "two passes",
        bench: Bench::two_passes,
        set: &[],
        loader: "train",
        checkpoint: "(interval: 1, keep: 2)",
    },
];

/// Kills of one run at most, before it is left to come to its end.
const KILLS_OF_A_RUN: u64 = 8;

/// Numbers that are functions of a seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % n.max(1)
    }
}

impl Case {
    fn arguments(&self, workers: u64) -> Vec<String> {
        let mut arguments: Vec<String> = ["train", "exp.ron", "--resume=auto"].map(str::to_owned).into();
        let workers = format!("loaders.{}.workers={workers}", self.loader);
        let checkpoint = format!("hooks.checkpoint={}", self.checkpoint);
        for set in self.set.iter().copied().chain([&*workers, &*checkpoint]) {
            arguments.extend(["--set".to_owned(), set.to_owned()]);
        }
        arguments
    }

    fn start(&self, bench: &Bench, workers: u64) -> crate::bench::Running {
        let arguments = self.arguments(workers);
        bench.start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A run that nothing disturbs, and how long it takes.
    fn undisturbed(&self) -> (Bench, Duration) {
        let bench = (self.bench)();
        let begun = Instant::now();
        self.start(&bench, 1).end().exits(0);
        let life = begun.elapsed();
        let goes_back =
            crate::left::log(&bench.path("runs/run")).iter().any(|line| line.contains("the run goes back to"));
        assert_eq!(goes_back, self.name.contains("going back"), "{}", self.name);
        // the course of a metric is in the state
        let newest = state(&newest(&bench.path("runs/run")));
        assert_eq!(newest.contains("reductions"), self.name.contains("follows a metric"), "{}", self.name);
        (bench, life)
    }
}

/// Whether a checkpoint is being written now.
fn is_saving(run: &Path) -> bool {
    std::fs::read_dir(run.join("checkpoints"))
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(".tmp-")))
}

/// Kills a process at an instant of its life, or inside of a save; tells when.
fn kill(running: &mut crate::bench::Running, run: &Path, life: Duration, draws: &mut Draws) -> String {
    let inside = draws.below(2) == 0;
    let micros = draws.below(life.as_micros() as u64);
    let begun = Instant::now();
    if inside {
        // from an instant on, the next save
        let from = Duration::from_micros(micros);
        while running.is_alive() && begun.elapsed() < 10 * life && !(begun.elapsed() >= from && is_saving(run)) {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(draws.below(8000)));
    } else {
        std::thread::sleep(Duration::from_micros(micros));
    }
    running.kill();
    format!("{} ms{}", begun.elapsed().as_millis(), if inside { " in a save" } else { "" })
}

#[test]
fn sigkill_at_any_instant_of_any_run_ends_in_the_bits_of_one_that_nothing_disturbed() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = number("ENGINE_TORTURE_KILLS").unwrap_or(28);
    let seed = number("ENGINE_TORTURE_SEED").unwrap_or_else(|| chosen(1 << 32));
    println!("torture: {kills} kills, seed {seed}");
    let mut draws = Draws(seed);
    let undisturbed: Vec<(Bench, Duration)> = CASES.iter().map(Case::undisturbed).collect();
    let (mut done, mut runs, mut inside) = (0, 0, 0);
    while done < kills {
        // each way of training in turn, so that a few kills meet all of them
        let place = runs % CASES.len();
        let (case, (whole, life)) = (&CASES[place], &undisturbed[place]);
        let bench = (case.bench)();
        let run = bench.path("runs/run");
        let share = (kills / CASES.len() as u64).clamp(1, KILLS_OF_A_RUN);
        let mut history = Vec::new();
        for _ in 0..share.min(kills - done) {
            let workers = draws.below(3);
            let mut running = case.start(&bench, workers);
            let told = kill(&mut running, &run, *life, &mut draws);
            let ended = running.end();
            history.push(format!("{told}, {workers} workers"));
            let what = format!("seed {seed}, run {runs} ({}), killed after {history:?}", case.name);
            if ended.signal != Some(9) {
                // it has come to its end before the kill
                assert!(ended.code == Some(0), "{what}: {ended}");
                break;
            }
            done += 1;
            inside += u64::from(told.ends_with("save"));
        }
        let what = format!("seed {seed}, run {runs} ({}), killed after {history:?}", case.name);
        let ended = case.start(&bench, draws.below(3)).end();
        assert!(ended.code == Some(0), "{what}: {ended}");
        let whole = whole.path("runs/run");
        assert_same(&whole, &run, &what);
        assert!(state(&newest(&whole)) == state(&newest(&run)), "{what}: the states differ");
        let left = std::fs::read_dir(run.join("checkpoints")).unwrap().flatten();
        let left: Vec<_> =
            left.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with('.')).collect();
        assert!(left.is_empty(), "{what}: {left:?} is left");
        runs += 1;
        if runs.is_multiple_of(20) {
            println!("{done} kills of {runs} runs, {inside} in a save");
        }
    }
    println!("{done} kills of {runs} runs, {inside} in a save: nothing lost");
}
