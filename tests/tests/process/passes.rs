//! Trainers with several passes: told by `plan`, stopped and killed like others.

use crate::bench::{Bench, golden};
use crate::left::{rows, tensors};
use std::time::Duration;

#[test]
fn plan_tells_the_passes_and_the_parameter_groups() {
    let bench = Bench::two_passes();
    golden("plan_passes.txt", &bench.run(&["plan", "exp.ron"]).exits(0).stdout);
    let frozen = bench.run(&["plan", "exp.ron", "--set", "freeze=[\"net.*.bias\"]"]).exits(0).stdout;
    assert!(frozen.contains("default     4 tensors (2 frozen), lr 0.02"), "{frozen}");
    let set = ["--set", "passes.forge.batches=Fresh", "--set", "passes.learn.times=1"];
    let plan = bench.run(&[&["plan", "exp.ron"][..], &set].concat()).exits(0).stdout;
    assert!(plan.contains("1 update of opt_forger in the iters 3, 6, 9, …, fresh batches"), "{plan}");
    assert!(plan.contains("1 update of opt_net, fresh batches, gradient norm at most 1"), "{plan}");
}

#[test]
fn a_run_cut_between_two_turns_of_a_pass_goes_on_to_the_bit() {
    let whole = Bench::two_passes();
    whole.train(&[]).exits(0);
    // the forger takes its turn in iters 3, 6 and 9
    for iter in 1..10 {
        let bench = Bench::two_passes();
        bench.train(&["--max-iters", &iter.to_string()]).exits(0);
        bench.train(&["--resume"]).exits(0);
        assert_eq!(tensors(&whole.path("runs/run")), tensors(&bench.path("runs/run")), "cut after iter {iter}");
    }
}

#[test]
fn a_run_killed_within_an_iter_of_several_passes_goes_on_to_the_bit() {
    let whole = Bench::two_passes();
    whole.train(&[]).exits(0);
    let bench = Bench::two_passes();
    // iter 3 has the steps 5 and 6 of `learn` and 7 of the forger; iter 7 begins with step 15
    for step in ["step 6", "step 7", "step 16"] {
        let resume: &[&str] = if step == "step 6" { &[] } else { &["--resume"] };
        let mut running = bench.start_paused(10, resume);
        running.wait_for(&format!("mark {step}"));
        std::thread::sleep(Duration::from_millis(5));
        running.kill();
        assert_eq!(running.end().signal, Some(9));
    }
    bench.train(&["--resume"]).exits(0);
    assert_eq!(tensors(&whole.path("runs/run")), tensors(&bench.path("runs/run")));
    assert_eq!(rows(&whole.path("runs/run")), rows(&bench.path("runs/run")));
}

#[test]
fn steps_that_can_not_be_recorded_here_run_eagerly_with_the_same_bits() {
    let weights = |more: &[&str]| {
        let bench = Bench::two_passes();
        bench.train(more).exits(0);
        let dir = crate::left::newest(&bench.path("runs/run"));
        let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "safetensors"));
        files.sort();
        assert!(!files.is_empty());
        let log = bench.read("runs/run/log.txt");
        (files.iter().map(|file| std::fs::read(file).unwrap()).collect::<Vec<_>>(), log)
    };
    let (eager, _) = weights(&["--device", "cpu"]);
    let (asked, log) = weights(&["--device", "cpu", "--set", "train.step=CudaGraph()"]);
    assert_eq!(eager, asked);
    assert!(log.contains("CUDA graphs: all steps run eagerly: the device is no CUDA device"), "{log}");
}
