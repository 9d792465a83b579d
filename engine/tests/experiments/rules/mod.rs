//! Rules across the fields of an experiment: each is told when the experiment is read, with its place.
//!
//! What is printed is compared as a whole with the files in `golden`; `OVERWRITE=1` writes them.

mod limits;
mod metrics;
mod places;
mod plan;
mod programs;
mod schedules;
mod words;

use engine::base::Clock;
use engine::trainer::{Build, Experiment};
use std::path::Path;

const LOADER: &str = "(dataset: (), batch_size: 4)";

/// The experiment of a trainer with these lines; what they don't say and every experiment needs is put before them.
fn experiment<T: Build>(lines: &str) -> String {
    let loaders = |role| T::loaders(role).iter().map(|name| format!("{name}: {LOADER}"));
    let roles = [engine::loops::Role::Train, engine::loops::Role::Val, engine::loops::Role::Test];
    let loaders: Vec<String> = roles.into_iter().flat_map(loaders).collect();
    let plan = match T::CLOCK {
        Clock::Epoch => "train: (max_epochs: 3)",
        _ => "train: (max_iters: 100)",
    };
    let needed = ["name: \"rules\"", "optimizer: Sgd(lr: 0.1)", plan];
    let says = |key: &str| lines.lines().any(|line| line.starts_with(&format!("    {key}:")));
    let unsaid = needed.iter().filter(|line| !says(line.split_once(':').unwrap().0));
    let unsaid: Vec<String> = unsaid.map(|line| format!("{line}, ")).collect();
    let loaders = match says("loaders") {
        true => String::new(),
        false => format!("loaders: ({}),", loaders.join(", ")),
    };
    format!("Experiment(\n    {}{loaders}\n{lines}\n)", unsaid.concat())
}

/// What is said of an experiment with these lines, against the file of this name.
#[track_caller]
fn refused<T: Build>(name: &str, lines: &str) {
    let Err(errors) = Experiment::<T>::parse("exp.ron", &experiment::<T>(lines)) else { panic!("it is read") };
    compared(name, &errors.to_string());
}

#[track_caller]
fn compared(name: &str, found: &str) {
    let found = format!("{found}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/experiments/rules/golden").join(format!("{name}.txt"));
    if std::env::var_os("OVERWRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is not what was said:\n{found}", path.display());
}

#[track_caller]
fn read<T: Build>(lines: &str) {
    if let Err(errors) = Experiment::<T>::parse("exp.ron", &experiment::<T>(lines)) {
        panic!("{errors}");
    }
}
