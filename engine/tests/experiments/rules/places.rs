//! Folders, paths and devices: what has to be there.

use super::programs::{Epochs, Iters};
use super::{compared, experiment, refused};
use engine::config;
use engine::trainer::{Experiment, Purpose};

#[test]
fn a_name_that_is_no_folder_is_told_with_other_mistakes() {
    refused::<Epochs>("name", "    name: \"../x\",\n    sead: 1,");
}

#[test]
fn a_device_that_is_not_there_is_told_only_to_those_who_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("exp.ron");
    // a number that no machine has, so that the test is the same with and without CUDA
    std::fs::write(&path, experiment::<Epochs>("    device: Cuda(99),\n    sead: 1,")).unwrap();
    let short =
        |purpose| Experiment::<Epochs>::from_document(&config::load(&path).unwrap(), purpose).err().unwrap().short();
    let run = short(Purpose::Run);
    assert_eq!(run.len(), 2, "{run:?}");
    assert!(run[0].contains(":3:13: there is no device `Cuda(99)`: libtorch finds"), "{run:?}");
    assert_eq!(short(Purpose::Inspect).len(), 1);
    // nor is it to the tests of a package's experiments
    std::fs::write(&path, experiment::<Epochs>("    device: Cuda(99),")).unwrap();
    let of = engine::__private::named::<Epochs>;
    engine::__private::check_experiment(&of, &dir.path().display().to_string(), "exp.ron");
}

#[test]
fn an_experiment_that_was_added_is_checked_in_a_folder_of_any_name() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("[wip]");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("added.ron"), experiment::<Epochs>("")).unwrap();
    std::fs::write(folder.join("known.ron"), "Experiment(sead: 1)").unwrap();
    // as `check_experiments!` writes it
    let folder = folder.display().to_string();
    let pattern = format!("{}/*.ron", glob::Pattern::escape(&folder));
    let check = |known: &[&str]| {
        let of = engine::__private::named::<Epochs>;
        engine::__private::check_experiments_besides(&of, &folder, &pattern, known)
    };
    check(&["known.ron"]);
    assert!(std::panic::catch_unwind(|| check(&["added.ron"])).is_err());
}

#[test]
fn paths_that_have_to_be_there_are_looked_for_from_the_file_that_names_them() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("digits.csv"), "").unwrap();
    let train = r#"(dataset: (files: ["digits.csv", "digts.csv"], one: "digits.csv"), batch_size: 0)"#;
    let val = r#"(dataset: (one: "dta/moons.csv"), batch_size: 4)"#;
    let plan = r#"name: "x", optimizer: Sgd(lr: 0.1), train: (max_iters: 5)"#;
    let text = format!("Experiment(\n{plan},\nloaders: (\ntrain: {train},\nval: {val},\n),\n)");
    let path = dir.path().join("exp.ron");
    std::fs::write(&path, text).unwrap();
    let errors = Experiment::<Iters>::load(&path, &[]).err().unwrap();
    let found = errors.to_string().replace(&dir.path().display().to_string(), "DIR");
    compared("paths", &found);
}
