//! The folder of a run: never written over, never shared, and enough to run again.

use crate::bench::Bench;
use crate::left::{assert_same, checkpoints, log};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_folder_that_holds_a_run_is_refused_and_left_as_it_is() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "1"]).exits(0);
    let before = (bench.read("runs/run/log.txt"), bench.read("runs/run/metrics.jsonl"));
    bench.train(&[]).exits(1).says("`--resume`").says("`--fresh`").says("already holds a run");
    assert_eq!((bench.read("runs/run/log.txt"), bench.read("runs/run/metrics.jsonl")), before);
}

#[test]
fn a_run_that_came_to_nothing_is_not_in_the_way_and_its_log_stays() {
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let bench = Bench::by_epoch();
    bench.train(&["--set", "trainer.fault=Error", "--set", "trainer.fault_at=1"]).exits(1);
    let before = bench.read("runs/run/log.txt");
    assert!(before.contains("failed: ") && bench.read("runs/run/metrics.jsonl").is_empty());
    bench.train(&[]).exits(0);
    let log = bench.read("runs/run/log.txt");
    assert!(log.starts_with(&before) && log.contains("the earlier run here wrote no row and no checkpoint"), "{log}");
    // no run has changed
    assert!(!log.contains("the experiment has changed") && !bench.path("runs/run/experiment.1.ron").exists());
    assert_same(&whole.path("runs/run"), &bench.path("runs/run"), "after a run that came to nothing");
    // now it is
    bench.train(&[]).exits(1).says("already holds a run");
}

#[test]
fn fresh_moves_the_old_run_aside_and_says_where() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "1"]).exits(0);
    let old = bench.read("runs/run/metrics.jsonl");
    let ended = bench.train(&["--fresh", "--max-iters", "2"]).exits(0);
    assert_eq!(bench.read("runs/run.1/metrics.jsonl"), old);
    // what a limit validates is for looking at: no best is kept of it
    assert_eq!(checkpoints(&bench.path("runs/run.1")), ["iter_000000001"]);
    assert!(ended.stdout.contains("the earlier run was moved to ") && ended.stdout.contains("runs/run.1\n"), "{ended}");
    // one that can't even be built moves nothing
    bench.train(&["--fresh", "--set", "loaders.train.dataset.path=gone"]).exits(1);
    assert!(!bench.path("runs/run.2").exists());
}

#[test]
fn resume_without_a_run_is_refused_and_makes_no_folder() {
    let bench = Bench::by_epoch();
    bench.train(&["--resume"]).exits(1).says("holds no run to resume");
    assert!(!bench.path("runs").exists());
    bench.train(&["--resume", "--fresh"]).exits(2).says("--fresh");
}

#[test]
fn two_processes_never_share_a_folder() {
    let bench = Bench::by_epoch();
    let mut first = bench.start_paused(60_000, &[]);
    first.wait_for("mark train 1");
    let holder = format!("in use by process {}", first.id());
    for more in [&[][..], &["--resume"], &["--fresh"]] {
        bench.train(more).exits(1).says(&holder);
    }
    first.kill();
    first.end();
    // a killed process leaves nothing locked
    bench.train(&["--resume"]).exits(0);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_with_its_path() {
    let bench = Bench::by_epoch();
    std::fs::create_dir(bench.path("runs")).unwrap();
    std::fs::set_permissions(bench.path("runs"), std::fs::Permissions::from_mode(0o555)).unwrap();
    let may_write = std::fs::create_dir(bench.path("runs/try")).is_ok();
    if may_write {
        // permissions do not bind the superuser: a file in the place of the folder does
        std::fs::remove_dir_all(bench.path("runs")).unwrap();
        bench.write("runs", "");
    }
    bench.train(&[]).exits(1).says("runs");
    bench.train(&["--work-dir", "/proc/nowhere"]).exits(1).says("`/proc/nowhere/run`");
}

#[test]
fn the_experiment_of_a_run_runs_again_as_it_is() {
    let bench = Bench::by_epoch();
    // what the command line says is in it too
    bench.train(&["--set", "optimizer.lr=0.01", "--set", "hooks.ema=Off", "--set", "train.max_epochs=2"]).exits(0);
    bench.run(&["check", "runs/run/experiment.ron"]).exits(0);
    bench.run(&["train", "runs/run/experiment.ron", "--work-dir", "again"]).exits(0);
    assert_same(&bench.path("runs/run"), &bench.path("again/run"), "again");
    let text = |folder: &str| bench.read(&format!("{folder}/run/experiment.ron"));
    let place = |folder: &str| format!("work_dir: {:?}", bench.path(folder).display().to_string());
    assert_eq!(text("runs").replace(&place("runs"), ""), text("again").replace(&place("again"), ""));
    let by_iter = Bench::by_iter();
    by_iter.train(&[]).exits(0);
    by_iter.run(&["train", "runs/run/experiment.ron", "--fresh"]).exits(0);
    assert_same(&by_iter.path("runs/run.1"), &by_iter.path("runs/run"), "by iter");
}

#[test]
fn a_run_moved_elsewhere_goes_on_there() {
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let bench = Bench::by_epoch();
    bench.train(&["--set", "trainer.fault=Error", "--set", "trainer.fault_at=15"]).exits(1);
    std::fs::create_dir(bench.path("elsewhere")).unwrap();
    std::fs::rename(bench.path("runs/run"), bench.path("elsewhere/run")).unwrap();
    bench.train(&["--resume"]).exits(1).says("holds no run to resume");
    bench.train(&["--resume", "--work-dir", "elsewhere"]).exits(0);
    assert_same(&whole.path("runs/run"), &bench.path("elsewhere/run"), "moved");
}

#[test]
fn a_run_that_goes_on_with_another_experiment_keeps_both() {
    let bench = Bench::by_epoch();
    bench.train(&["--set", "train.max_epochs=2"]).exits(0);
    let first = bench.read("runs/run/experiment.ron");
    bench.train(&["--resume"]).exits(0);
    assert_eq!(bench.read("runs/run/experiment.1.ron"), first);
    assert_eq!(bench.read("runs/run/experiment.ron"), first.replace("max_epochs: 2", "max_epochs: 3"));
    assert!(log(&bench.path("runs/run")).iter().any(|line| line.starts_with("the experiment has changed")));
    // the same again is no change
    bench.train(&["--resume"]).exits(0);
    assert!(!bench.path("runs/run/experiment.2.ron").exists());
}

#[test]
fn a_work_dir_that_no_experiment_can_name_is_wrong_usage() {
    let bench = Bench::by_epoch();
    let ended = bench.run_after("set -- \"$@\" --work-dir \"$(printf 'runs\\377')\"", &["train", "exp.ron"]);
    ended.exits(2).says("is not UTF-8").says("choose another folder");
    assert_eq!(std::fs::read_dir(bench.path(".")).unwrap().count(), 1);
}

#[test]
fn an_experiment_that_a_run_can_not_go_on_with_leaves_that_of_the_run() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    let before = bench.read("runs/run/experiment.ron");
    let other = bench.train(&["--resume", "--set", "model.hidden=16"]).exits(1);
    other.says("can't be resumed");
    assert_eq!(bench.read("runs/run/experiment.ron"), before);
    assert!(!bench.path("runs/run/experiment.1.ron").exists());
    bench.run(&["val", "runs/run", "--checkpoint", "runs/run"]).exits(0);
}

#[test]
fn a_run_that_is_done_says_so_and_names_its_newest_checkpoint() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    // as a kill leaves it between the checkpoint and its name
    bench.write("runs/run/checkpoints/latest", "iter_000000006\n");
    let ended = bench.train(&["--resume"]).exits(0);
    assert!(ended.stdout.contains("the plan of this run is finished: there is nothing left to train"), "{ended}");
    assert_eq!(bench.read("runs/run/checkpoints/latest"), "iter_000000009\n");
}

#[test]
fn a_run_that_is_named_by_its_folder_goes_on_in_it_wherever_that_is() {
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let bench = Bench::by_epoch();
    bench.train(&["--set", "trainer.fault=Error", "--set", "trainer.fault_at=15"]).exits(1);
    std::fs::rename(bench.path("runs/run"), bench.path("runs/kept")).unwrap();
    bench.train(&[]).exits(0);
    let other = bench.read("runs/run/log.txt");
    bench.run(&["train", "runs/kept", "--resume", "--set", "trainer.fault=Nothing"]).exits(0);
    assert_same(&whole.path("runs/run"), &bench.path("runs/kept"), "named by its folder");
    assert_eq!(bench.read("runs/run/log.txt"), other);
    // what the command line says still counts
    bench.run(&["train", "runs/kept", "--set", "name=again"]).exits(0);
    assert!(bench.path("runs/again/metrics.jsonl").is_file());
    bench.run(&["train", "runs"]).exits(2).says("`runs` is a folder without an `experiment.ron`");
}

#[test]
fn a_run_without_a_checkpoint_says_that_it_begins_anew() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "4"]).exits(0);
    std::fs::remove_dir_all(bench.path("runs/run/checkpoints")).unwrap();
    let ended = bench.train(&["--resume"]).exits(0);
    assert!(ended.stdout.contains("warning: the run has no checkpoint to go on from, so it begins anew"), "{ended}");
}
