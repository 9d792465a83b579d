//! `replay`.

use crate::bench::Bench;

/// A run whose first gradient is dumped, whatever it is.
fn dumped(bench: &Bench) -> String {
    let check = "custom_hooks=[GradientCheck(interval: 1, large: 1e-9, dumps: 1)]";
    let trained = bench.train(&["--set", check]).exits(0);
    let line =
        trained.stdout.lines().find(|line| line.contains("run it again alone")).unwrap_or_else(|| panic!("{trained}"));
    line.split('`').nth_back(1).unwrap().strip_prefix("replay ").unwrap().to_owned()
}

#[test]
fn a_dump_is_computed_again_with_the_experiment_of_its_run() {
    for bench in [Bench::by_epoch(), Bench::by_iter(), Bench::two_passes()] {
        let dump = dumped(&bench);
        let files = std::fs::read_dir(bench.path("runs/run")).unwrap().count();
        let first = bench.run(&["replay", &dump]).exits(0);
        assert!(first.stdout.starts_with("iter 1, pass `"), "{first}");
        assert!(first.stdout.contains("are very large: `"), "{first}");
        for line in ["step 1: loss = ", "grad_norm = ", "every operator gave finite numbers"] {
            assert!(first.stdout.contains(line), "{line} in {first}");
        }
        assert_eq!(bench.run(&["replay", &dump]).exits(0).stdout, first.stdout, "the same numbers again");
        assert_eq!(std::fs::read_dir(bench.path("runs/run")).unwrap().count(), files, "nothing is written");
    }
}

#[test]
fn what_is_no_dump_is_told() {
    let bench = Bench::by_iter();
    let dump = dumped(&bench);
    let missing = bench.run(&["replay", "runs/run/dumps/iter_9"]).exits(2);
    assert!(missing.stderr.contains("can't be read") && missing.stderr.contains("`dumps` of a run"), "{missing}");
    let checkpoint = crate::left::newest(&bench.path("runs/run")).display().to_string();
    let none = bench.run(&["replay", &checkpoint]).exits(1);
    assert!(none.stderr.contains("a checkpoint and no dump"), "{none}");
    // away from its run, the experiment has to be named
    std::fs::rename(bench.path(&dump), bench.path("moved")).unwrap();
    let moved = bench.run(&["replay", "moved"]).exits(2);
    assert!(moved.stderr.contains("name it with `--experiment`"), "{moved}");
    bench.run(&["replay", "moved", "--experiment", "runs/run"]).exits(0);
    // a damaged one is told before anything is computed
    let file = bench.path("moved/run/state.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let damaged = bench.run(&["replay", "moved", "--experiment", "runs/run"]).exits(1);
    assert!(damaged.stderr.contains("state.safetensors"), "{damaged}");
}
