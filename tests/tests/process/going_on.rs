//! Jobs that are started again and again, runs that go on from another checkpoint, and runs that begin with one.

use crate::bench::Bench;
use crate::left::{assert_same, checkpoints, log, newest, rows, tensors};

fn whole() -> Bench {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    bench
}

const EACH: [&str; 4] = ["--set", "hooks.checkpoint.by=Iter", "--set", "hooks.checkpoint.keep=20"];

#[test]
fn with_auto_a_run_begins_where_there_is_none_and_goes_on_where_there_is_one() {
    let whole = whole();
    for (more, edit) in [(&["--resume=auto"][..], false), (&[], true)] {
        let bench = Bench::by_epoch();
        if edit {
            bench.edit("seed: 7,", "seed: 7, resume: Auto,");
        }
        bench.train(&[more, &["--max-iters", "4"]].concat()).exits(0);
        let ended = bench.train(more).exits(0);
        assert!(ended.stdout.contains("resumed from ") && ended.stdout.contains("iter_000000004"), "{ended}");
        assert_same(&whole.path("runs/run"), &bench.path("runs/run"), "auto");
        // a run that is done stays as it is
        let done = bench.train(more).exits(0);
        assert!(done.stdout.contains("there is nothing left to train"), "{done}");
        // a run that came to no checkpoint begins anew
        std::fs::remove_dir_all(bench.path("runs/run/checkpoints")).unwrap();
        bench.train(more).exits(0);
        assert_same(&whole.path("runs/run"), &bench.path("runs/run"), "auto, without checkpoints");
    }
}

#[test]
fn the_file_says_auto_and_the_command_line_has_the_last_word() {
    let bench = Bench::by_epoch();
    bench.edit("seed: 7,", "seed: 7, resume: Auto,");
    bench.train(&["--max-iters", "2"]).exits(0);
    bench.train(&["--fresh", "--max-iters", "1"]).exits(0);
    assert!(bench.path("runs/run.1").is_dir());
    bench.train(&["--resume"]).exits(0);
    let refused = Bench::by_epoch();
    refused.edit("seed: 7,", "seed: 7, resume: Auto,");
    refused.train(&["--resume"]).exits(1).says("holds no run to resume");
    refused.train(&["--set", "resume=Sometimes"]).exits(2).says("OnRequest");
}

#[test]
fn a_run_goes_on_from_the_checkpoint_that_is_named_and_leaves_later_ones_behind() {
    let bench = Bench::by_epoch();
    bench.train(&[&EACH[..], &["--max-iters", "7"]].concat()).exits(0);
    let run = bench.path("runs/run");
    let resume = format!("--resume={}", run.join("checkpoints/iter_000000005").display());
    let ended = bench.train(&[&EACH[..], &[&resume, "--max-iters", "6"]].concat()).exits(0);
    assert!(ended.stdout.contains("iter_000000005 at epoch 1, iter 5"), "{ended}");
    assert!(ended.stdout.contains("left behind: what was "), "{ended}");
    let found = checkpoints(&run);
    for name in ["left-iter_000000006", "left-iter_000000007", "iter_000000005", "iter_000000006"] {
        assert!(found.contains(&name.to_owned()), "{name} in {found:?}");
    }
    assert_eq!(newest(&run), run.join("checkpoints/iter_000000006"));
    bench.train(&[&EACH[..], &["--resume"]].concat()).exits(0);
    let whole = whole();
    assert_eq!((rows(&whole.path("runs/run")), tensors(&whole.path("runs/run"))), (rows(&run), tensors(&run)));
}

#[test]
fn a_checkpoint_of_another_run_or_none_at_all_is_refused_for_a_resume() {
    let (bench, other) = (Bench::by_epoch(), Bench::by_epoch());
    bench.train(&["--max-iters", "4"]).exits(0);
    other.train(&["--max-iters", "4"]).exits(0);
    let of_other = format!("--resume={}", other.path("runs/run/checkpoints/iter_000000004").display());
    bench.train(&[&of_other]).exits(1).says("is no checkpoint of the run in").says("`--fork`");
    bench.train(&["--resume=nowhere"]).exits(2).says("the checkpoint `nowhere` can't be read");
    let weights = "--resume=runs/run/checkpoints/iter_000000004/net.safetensors";
    bench.train(&[weights]).exits(2).says("holds weights alone");
    bench.train(&["--resume=auto", "--fresh"]).exits(2).says("--fresh");
    assert_eq!(checkpoints(&bench.path("runs/run")), ["best_val_accuracy", "iter_000000003", "iter_000000004"]);
}

#[test]
fn a_fork_begins_a_new_run_with_the_whole_state_and_leaves_the_old_one_alone() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "5"]).exits(0);
    let run = bench.path("runs/run");
    let before = (checkpoints(&run), rows(&run), log(&run));
    let ended = bench.train(&["--fork", "runs/run", "--name", "other"]).exits(0);
    assert!(
        ended.stdout.contains("forked from ") && ended.stdout.contains("iter_000000005 at epoch 1, iter 5"),
        "{ended}"
    );
    assert_eq!((checkpoints(&run), rows(&run), log(&run)), before);
    let (whole, other) = (whole(), bench.path("runs/other"));
    assert_eq!(tensors(&whole.path("runs/run")), tensors(&other));
    assert_eq!(rows(&other).first().map(|row| row["iter"].clone()), Some(6.into()));
    assert!(bench.read("runs/other/experiment.ron").contains("name: \"other\""));
    // from then on it is a run like others
    let done = bench.train(&["--resume", "--name", "other"]).exits(0);
    assert!(done.stdout.contains("there is nothing left to train"), "{done}");
    bench.train(&["--fork", "runs/run", "--name", "other"]).exits(1).says("already holds a run");
    bench.train(&["--fork", "runs/run", "--resume"]).exits(2).says("--fork");
    // a fork of a training that is over has a checkpoint of its own
    bench.train(&["--fork", "runs/other", "--name", "again"]).exits(0);
    assert_eq!(checkpoints(&bench.path("runs/again")), ["iter_000000009"]);
    // with another plan, from any checkpoint
    let longer = ["--fork", "runs/run/checkpoints/iter_000000003", "--name", "third", "--set", "train.max_epochs=4"];
    bench.train(&longer).exits(0);
    assert_eq!(newest(&bench.path("runs/third")), bench.path("runs/third/checkpoints/iter_000000012"));
}

#[test]
fn the_best_of_a_run_that_was_forked_starts_anew_and_is_told() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "6"]).exits(0);
    let ended = bench.train(&["--fork", "runs/run/checkpoints/best_val_accuracy", "--name", "other"]).exits(0);
    assert!(
        ended
            .stdout
            .contains("the best checkpoint of `val/accuracy` is not in this run, so its best value starts over"),
        "{ended}"
    );
    assert!(checkpoints(&bench.path("runs/other")).contains(&"best_val_accuracy".to_owned()));
}

#[test]
fn sigusr1_saves_the_iter_under_way_and_the_run_comes_to_the_same_end() {
    let whole = whole();
    let bench = Bench::by_epoch();
    let mut running = bench.start_paused(25, &["--set", "hooks.checkpoint.keep=20"]);
    running.wait_for("mark train 6");
    running.signal("USR1");
    running.wait_for("SIGUSR1: iter 2 is saved, and the run goes on");
    running.end().exits(0);
    let run = bench.path("runs/run");
    assert!(checkpoints(&run).contains(&"iter_000000002".to_owned()), "{:?}", checkpoints(&run));
    assert_same(&whole.path("runs/run"), &run, "SIGUSR1");
}

#[test]
fn a_run_whose_time_is_up_saves_its_last_iter_and_goes_on_to_the_bit() {
    let whole = whole();
    // they are over in the middle of the run, which takes ten seconds and more; a job is saved two minutes before its end
    for (preparation, option, told) in [
        ("true", "--max-time=4s", "the time limit of 4s"),
        (
            "export SLURM_JOB_END_TIME=$(($(date +%s) + 124))",
            "--max-time=2h",
            "the job's time is up (`SLURM_JOB_END_TIME`",
        ),
    ] {
        let bench = Bench::by_epoch();
        let paused =
            ["train", "exp.ron", "--set", "trainer.pause=250", "--set", "hooks.checkpoint.save_last=false", option];
        let ended = bench.run_after(preparation, &paused).exits(0);
        assert!(ended.stdout.contains("stopped at epoch ") && ended.stdout.contains(told), "{ended}");
        let iter: u64 = ended.stdout.split(", iter ").last().unwrap().split(':').next().unwrap().parse().unwrap();
        assert_eq!(newest(&bench.path("runs/run")), bench.path(&format!("runs/run/checkpoints/iter_{iter:09}")));
        bench.train(&["--resume=auto", "--set", "hooks.checkpoint.save_last=true"]).exits(0);
        assert_same(&whole.path("runs/run"), &bench.path("runs/run"), option);
    }
    Bench::by_epoch().train(&["--max-time", "soon"]).exits(2).says("`soon` is no span of time");
}

#[test]
fn a_failed_training_leaves_its_state_where_it_was_asked_to() {
    let bench = Bench::by_epoch();
    let fault = ["--set", "trainer.fault=Error", "--set", "trainer.fault_at=25"];
    bench
        .train(&[&fault[..], &["--set", "hooks.checkpoint.save_on_exception=true"]].concat())
        .exits(1)
        .says("the step gave up");
    let run = bench.path("runs/run");
    assert_eq!(checkpoints(&run), ["best_val_accuracy", "failed-iter_000000007", "iter_000000003", "iter_000000006"]);
    // nobody takes it by himself
    let ended = bench.train(&["--resume", "--max-iters", "7"]).exits(0);
    assert!(ended.stdout.contains("iter_000000006 at epoch 2, iter 6"), "{ended}");
    let named = bench.train(&["--resume=runs/run/checkpoints/failed-iter_000000007"]).exits(0);
    assert!(named.stdout.contains("failed-iter_000000007 at epoch 2, iter 7"), "{named}");
}

#[test]
fn an_end_of_a_job_that_is_no_time_is_warned_of_once_and_the_run_is_as_without_it() {
    let bench = Bench::by_epoch();
    for ranks in [&[][..], &["--ranks", "2", "--set", "loaders.train.batch_size=2"]] {
        let train = [&["train", "exp.ron", "--fresh"][..], ranks].concat();
        let ended = bench.run_after("export SLURM_JOB_END_TIME=soon", &train).exits(0);
        let told = "warning: `SLURM_JOB_END_TIME` is `soon`, which is no number of seconds since 1970";
        assert_eq!(ended.stderr.matches(told).count(), 1, "{ended}");
        assert_eq!(newest(&bench.path("runs/run")), bench.path("runs/run/checkpoints/iter_000000009"));
    }
}
