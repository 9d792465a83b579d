//! Damage, full disks and files that are no experiments.

use crate::bench::Bench;
use crate::left::{assert_same, checkpoints, log, newest};
use std::path::Path;

/// A run of two epochs with two regular checkpoints, and the arguments that take it to its end.
fn half_done() -> Bench {
    let bench = Bench::by_epoch();
    bench.train(&["--set", "trainer.fault=Error", "--set", "trainer.fault_at=25"]).exits(1);
    let found = checkpoints(&bench.path("runs/run"));
    assert_eq!(found[found.len() - 2..], ["iter_000000003", "iter_000000006"]);
    bench
}

fn cut(file: &Path, by: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(file.metadata().unwrap().len() - by).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_told_and_the_one_before_it_is_used() {
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    for (file, by) in [("net.safetensors", 1), ("run/state.safetensors", 100), ("manifest", 5), ("run/state.ron", 2)] {
        let bench = half_done();
        // the best one is of the same iter, and would do as well
        std::fs::remove_dir_all(bench.path("runs/run/checkpoints/best_val_accuracy")).unwrap();
        cut(&bench.path(&format!("runs/run/checkpoints/iter_000000006/{file}")), by);
        let ended = bench.train(&["--resume"]).exits(0);
        let said = log(&bench.path("runs/run"));
        let warned =
            said.iter().any(|line| line.starts_with("warning: a checkpoint can't be used") && line.contains(file));
        assert!(warned, "{file}: {ended}");
        assert!(
            said.iter()
                .any(|line| line.starts_with("resumed from ") && line.ends_with("iter_000000003 at epoch 1, iter 3")),
            "{ended}"
        );
        assert_same(&whole.path("runs/run"), &bench.path("runs/run"), file);
    }
}

#[test]
fn an_evaluation_tells_of_a_damaged_newest_checkpoint() {
    let bench = half_done();
    for name in checkpoints(&bench.path("runs/run")).iter().filter(|name| *name != "iter_000000003") {
        cut(&bench.path(&format!("runs/run/checkpoints/{name}/net.safetensors")), 1);
    }
    let ended = bench.run(&["test", "exp.ron", "--checkpoint", "runs/run"]).exits(0);
    assert!(
        ended.stderr.starts_with("warning: a checkpoint can't be used: ") && ended.stderr.contains("iter_000000006"),
        "{ended}"
    );
    // asked for by name, it is an error
    bench.run(&["test", "exp.ron", "--checkpoint", "runs/run/checkpoints/iter_000000006"]).exits(1).says("is damaged");
}

#[test]
fn when_all_checkpoints_are_damaged_nothing_begins_anew_in_silence() {
    let bench = half_done();
    let found = checkpoints(&bench.path("runs/run"));
    for name in &found {
        cut(&bench.path(&format!("runs/run/checkpoints/{name}/net.safetensors")), 1);
    }
    let rows = bench.read("runs/run/metrics.jsonl");
    let ended = bench.train(&["--resume"]).exits(1);
    ended.says(&format!("none of the {} checkpoints in", found.len())).says("`--fresh`").says("net.safetensors");
    assert_eq!(bench.read("runs/run/metrics.jsonl"), rows);
    bench.run(&["val", "exp.ron", "--checkpoint", "runs/run"]).exits(1).says("can be read");
}

#[test]
fn a_full_disk_is_an_error_and_the_run_goes_on_once_there_is_space() {
    let whole = Bench::by_epoch();
    whole.train(&["--set", "model.hidden=512"]).exits(0);
    // so wide that weights and state are by far the largest files: the limit hits a checkpoint, not a row
    let bench = Bench::by_epoch();
    bench.train(&["--set", "model.hidden=512", "--max-iters", "4"]).exits(0);
    let before = newest(&bench.path("runs/run"));
    // blocks of 512 bytes; the program takes the system's signal as the error that a full disk is
    let limit = "ulimit -f 16";
    let ended = bench.run_after(limit, &["train", "exp.ron", "--set", "model.hidden=512", "--resume"]).exits(1);
    ended.says("can't be written").says("safetensors");
    assert_eq!(newest(&bench.path("runs/run")), before);
    bench.train(&["--set", "model.hidden=512", "--resume"]).exits(0);
    assert_eq!(
        std::fs::read(newest(&whole.path("runs/run")).join("net.safetensors")).unwrap(),
        std::fs::read(newest(&bench.path("runs/run")).join("net.safetensors")).unwrap()
    );
}

#[test]
fn data_that_make_no_batch_are_told_with_their_loader() {
    let bench = Bench::by_epoch();
    let empty = ["--set", "loaders.train.dataset.samples=0"];
    bench.train(&empty).exits(1).says("loader `train` has no samples");
    let large = ["--set", "loaders.train.batch_size=64", "--set", "loaders.train.drop_last=true"];
    bench.train(&large).exits(1).says("`batch_size` is 64").says("a pass has 40 samples");
    bench.train(&["--set", "loaders.hard.dataset.samples=0"]).exits(1).says("loader `hard` has no samples");
    // without `drop_last` a batch is what there is; one iter an epoch is too little for the warm-up of three iters
    bench.train(&["--set", "loaders.train.batch_size=64", "--set", "schedule=[]"]).exits(0);
}

#[test]
fn files_that_are_no_experiments_are_refused_with_2() {
    let bench = Bench::by_epoch();
    let garbage: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let deep = "(".repeat(100_000);
    let texts: [(&str, &[u8]); 7] = [
        ("empty.ron", b""),
        ("garbage.ron", &garbage),
        ("list.ron", b"[1, 2]"),
        ("other.ron", b"Other(name: \"x\")"),
        ("cut.ron", b"Experiment(name: \"x\", model: Mlp("),
        ("deep.ron", deep.as_bytes()),
        ("huge.ron", &vec![b' '; 2 << 20]),
    ];
    for (name, bytes) in texts {
        bench.write(name, bytes);
        for command in ["check", "train", "plan"] {
            let ended = bench.run(&[command, name]).exits(2).says("error: ");
            assert!(ended.stderr.contains(name) && ended.stderr.len() < 20_000, "{name}: {ended}");
        }
    }
    bench.run(&["train", "nowhere.ron"]).exits(2).says("can't read `nowhere.ron`");
    bench.run(&["train", "."]).exits(2).says("`.` is a folder without an `experiment.ron`");
    bench.run(&["check", "."]).exits(2).says("can't read `.`");
    assert!(!bench.path("runs").exists());
}

#[test]
fn names_that_leave_the_work_dir_are_refused() {
    let bench = Bench::by_epoch();
    for name in ["../x", "a/b", ""] {
        bench.train(&["--set", &format!("name={name:?}")]).says("the run name");
    }
    assert!(!bench.path("runs").exists() && !bench.path("x").exists());
}
