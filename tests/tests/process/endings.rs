//! How runs end, and what they say then: exit codes 0, 1 and 2, one line of error first.

use crate::bench::Bench;
use crate::left::{checkpoints, log};

#[test]
fn a_run_that_is_done_exits_with_0_and_says_where_it_is() {
    let bench = Bench::by_epoch();
    let ended = bench.train(&[]).exits(0);
    assert!(ended.stderr.is_empty(), "{ended}");
    let folder = bench.path("runs/run").display().to_string();
    assert!(ended.stdout.ends_with(&format!("\nrun folder: {folder}\n")), "{ended}");
    assert!(ended.stdout.contains("\nval/val/accuracy = 0."), "{ended}");
}

#[test]
fn max_iters_stops_after_so_many_updates_and_the_schedule_stays() {
    let bench = Bench::by_epoch();
    let ended = bench.train(&["--max-iters", "2"]).exits(0);
    assert!(ended.stdout.contains("stopped at epoch 0, iter 2: the limit of 2 iters"), "{ended}");
    assert_eq!(checkpoints(&bench.path("runs/run")).last().unwrap(), "iter_000000002");
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "0"]).exits(2).says("--max-iters");
}

#[test]
fn a_step_that_fails_ends_the_run_with_1_and_its_reason() {
    for (fault, reason) in [
        ("Error", "the step gave up"),
        ("Panic", "`train_step` panicked at tests/src/faults.rs:"),
        ("Shape", "inconsistent tensor size"),
    ] {
        let bench = Bench::by_epoch();
        let set = format!("trainer.fault={fault}");
        let speaker = r#"custom_hooks=[Speaker(word: "one")]"#;
        let ended = bench.train(&["--set", &set, "--set", speaker]).exits(1).says(reason);
        let ended = ended.says("error: `train_step` failed at iter 0, batch 2 (epoch 0)\n");
        // hooks see it, in order, and the log tells those who come later
        let said = log(&bench.path("runs/run"));
        let by_hook: Vec<&String> = said.iter().filter(|line| line.starts_with("one ")).collect();
        assert_eq!(by_hook, ["one sees the end", "one says goodbye"], "{ended}");
        let last = said.last().unwrap();
        assert!(last.starts_with("failed: ") && last.contains(reason), "{last}");
        // the iter under way is not in any checkpoint
        assert!(checkpoints(&bench.path("runs/run")).is_empty());
    }
}

#[test]
fn what_libtorch_refuses_is_told_in_a_sentence_with_the_users_line() {
    for (fault, sentence) in [
        ("Matmul", "mat1 and mat2 shapes cannot be multiplied (32x29 and 30x64)"),
        ("Returned", "mat1 and mat2 shapes cannot be multiplied (32x29 and 30x64)"),
        ("Target", "Target 9 is out of bounds."),
        ("Kind", "expected scalar type Long but found Float"),
        ("Device", ""),
    ] {
        let bench = Bench::by_epoch();
        let set = format!("trainer.fault={fault}");
        let ended = bench.train(&["--set", &set]).exits(1);
        let ended = ended.says("error: `train_step` failed at iter 0, batch 2 (epoch 0)\n").says(sentence);
        let cause = ended.stderr.lines().rfind(|line| line.starts_with("  caused by: ")).unwrap();
        assert!(cause.contains("tests/src/faults.rs:"), "{ended}");
        assert!(ended.stderr.len() < 600 && !ended.stderr.contains("frame #"), "{ended}");
        // who wants the rest gets it
        let verbose = bench.train(&["--set", &set, "--fresh", "--verbose"]).exits(1);
        assert!(verbose.stderr.contains("frame #"), "{verbose}");
    }
}

#[test]
fn a_step_without_memory_says_on_what_and_with_which_batch_and_goes_on_from_its_checkpoint() {
    let bench = Bench::by_epoch();
    let ended = bench.train(&["--set", "trainer.fault=Memory", "--set", "trainer.fault_at=15"]).exits(1);
    let ended = ended.says("error: the host is out of memory in iter 5, after the phase `before_train_batch`, with a batch of 4 samples and `net` of ");
    let ended = ended.says("caused by: `train_step` failed at iter 4, batch 4 (epoch 1)\n");
    let ended = ended.says("you tried to allocate 1152921504606846976 bytes");
    assert!(!ended.stderr.contains("frame #"), "{ended}");
    assert!(!checkpoints(&bench.path("runs/run")).is_empty());
    bench.train(&["--resume"]).exits(0);
}

#[test]
fn an_operator_that_is_not_deterministic_is_refused_only_where_strict_asks_for_it() {
    for (level, code) in [("Off", 0), ("Warn", 0), ("Strict", 1)] {
        let bench = Bench::by_epoch();
        let level = format!("deterministic={level}");
        let ended = bench.train(&["--set", "trainer.fault=Unrepeatable", "--set", &level]).exits(code);
        if code == 1 {
            ended.says("put_ does not have a deterministic implementation");
        }
        // all else that a run does has one
        bench.train(&["--fresh", "--set", &level]).exits(0);
    }
}

#[test]
fn a_hook_that_fails_ends_the_run_with_1_and_its_name() {
    for (panics, reason) in [(false, "the hook gave up"), (true, "the hook fell over")] {
        let bench = Bench::by_epoch();
        let hook = format!("custom_hooks=[Breaker(at: 2, panics: {panics})]");
        bench.train(&["--set", &hook]).exits(1).says(reason).says("Breaker");
    }
}

#[test]
fn a_sample_that_cannot_be_read_is_named_for_any_number_of_workers() {
    for workers in ["0", "1", "3"] {
        for (key, reason) in [("broken", "the point is broken"), ("panics", "the reader fell over")] {
            let bench = Bench::by_epoch();
            let (workers, sample) =
                (format!("loaders.train.workers={workers}"), format!("loaders.train.dataset.{key}=17"));
            let ended = bench.train(&["--set", &workers, "--set", &sample]).exits(1).says(reason);
            ended.says("loader `train` can't read sample 17 in pass 0");
        }
    }
}

#[test]
fn a_run_that_failed_goes_on_once_the_reason_is_gone() {
    let bench = Bench::by_epoch();
    bench.train(&["--set", "trainer.fault=Error", "--set", "trainer.fault_at=15"]).exits(1);
    bench.train(&["--resume"]).exits(0);
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    crate::left::assert_same(&whole.path("runs/run"), &bench.path("runs/run"), "after a failure");
}

#[test]
fn data_that_are_missing_are_told_before_anything_is_written() {
    let bench = Bench::by_epoch();
    let gone = "loaders.train.dataset.path=nowhere.csv";
    let ended = bench.train(&["--set", gone]).exits(1).says("nowhere.csv");
    let ended = ended.says("error: the data of loader `train` can't be opened: `");
    assert_eq!(ended.stderr.matches("train").count(), 1, "{ended}");
    // nothing of a run is there, so nothing has to be moved away
    bench.train(&[]).exits(0);
}

#[test]
fn a_device_that_is_not_there_is_told_before_anything_is_written() {
    let bench = Bench::by_epoch();
    // a number that no machine has, so that the test is the same with and without CUDA
    let ended = bench.train(&["--device", "cuda:99"]).exits(2).says("there is no device `Cuda(99)`: libtorch finds");
    ended.says("--> --device:1:1");
    bench.edit("device: Cpu", "device: Cuda(99)");
    for command in ["train", "check"] {
        bench.run(&[command, "exp.ron"]).exits(2).says("--> exp.ron:5:13");
    }
    assert!(!bench.path("runs").exists());
    // what stands over the file is what counts
    bench.run(&["check", "exp.ron", "--set", "device=Auto"]).exits(0);
    bench.edit("device: Cuda(99)", "device: Cpu");
    bench.train(&["--device", "gpu"]).exits(2).says("expected `cpu`, `cuda`, `cuda:1` or `auto`");
    bench.train(&["--device", "cpu"]).exits(0);
}

#[test]
fn a_loss_that_is_no_number_is_warned_of_once() {
    let bench = Bench::by_epoch();
    bench.train(&["--set", "trainer.fault=Nan", "--set", "train.clip=None"]).exits(0);
    let warnings = log(&bench.path("runs/run"));
    let warnings: Vec<&String> = warnings.iter().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("warning: the loss is NaN in the row of iter 2"), "{warnings:?}");
    // JSON has no NaN; every reader takes null in a column of numbers
    let rows = bench.read("runs/run/metrics.jsonl");
    assert!(rows.lines().next().unwrap().contains(r#""loss":null"#), "{rows}");
}

#[test]
fn text_that_is_lost_on_a_full_disk_is_an_error_and_one_that_nobody_reads_is_not() {
    let bench = Bench::by_epoch();
    let full = |arguments: &[&str]| bench.run_after("exec > /dev/full", arguments);
    for arguments in [&["show", "--full", "exp.ron"][..], &["list"], &["new"], &["check", "exp.ron"], &["--help"]] {
        full(arguments).exits(1).says("the output can't be printed").says("caused by: No space left");
    }
    // a mistake is told as ever, and where not even that can be, the exit code is right
    full(&["show", "--full", "gone.ron"]).exits(2).says("can't read `gone.ron`");
    bench.run_after("exec 2> /dev/full", &["check", "gone.ron"]).exits(2);
    let unread = "mkfifo pipe; sleep 60 < pipe & exec > pipe; kill $!; wait";
    bench.run_after(unread, &["show", "--full", "exp.ron"]).exits(0);
}
