//! The body of [`check_experiments!`](crate::check_experiments): tests that every experiment file of a package is one.

use crate::config;
use crate::trainer::experiment::of_main::OfTrainer;
use crate::trainer::{Build, Experiment, Purpose};
use std::path::Path;

/// The test of one file: panics with every mistake. The function stands for the trainer.
pub fn check_experiment<R: OfTrainer, F: Fn() -> R>(_: &F, package: &str, file: &str) {
    check::<R::Trainer>(package, file);
}

#[expect(clippy::panic, reason = "it is the body of a test, which fails by panicking")]
fn check<T: Build>(package: &str, file: &str) {
    // tests run where the experiment need not: its device is not asked for
    let read = |document: config::Document| Experiment::<T>::from_document(&document, Purpose::Inspect);
    let experiment = match config::load(&Path::new(package).join(file)).and_then(read) {
        Ok(experiment) => experiment,
        Err(errors) => panic!("`{file}` is not an experiment of `{}`:\n\n{errors}\n", T::NAME),
    };
    // every run saves what it was, to be run again
    let printed = experiment.print();
    let again = printed
        .as_ref()
        .map(|text| config::parse_text("as it is saved", text).and_then(read).map(|again| again.print()));
    match (&printed, again) {
        (Ok(text), Ok(Ok(Ok(again)))) if again == *text => {}
        (Ok(_), Ok(Err(errors))) => panic!("`{file}` can't be read again as a run saves it:\n\n{errors}\n"),
        (Ok(text), _) => panic!("`{file}` changes when a run saves it:\n\n{text}\n"),
        (Err(error), _) => panic!("`{file}` can't be saved: {error:#}"),
    }
}

/// The test of all files that a pattern matches now and did not when the package was compiled.
#[expect(clippy::panic, reason = "it is the body of a test, which fails by panicking")]
pub fn check_experiments_besides<R: OfTrainer, F: Fn() -> R>(_: &F, package: &str, pattern: &str, known: &[&str]) {
    let folder = Path::new(package);
    // it was a pattern when the package was compiled
    let matches = glob::glob(&folder.join(pattern).to_string_lossy()).into_iter().flatten();
    let readable = |found: glob::GlobResult| found.unwrap_or_else(|error| panic!("{error}"));
    for path in matches.map(readable).filter(|path| path.is_file()) {
        let file = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        if !known.contains(&file.as_str()) {
            check::<R::Trainer>(package, &file);
        }
    }
}
