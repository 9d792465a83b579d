//! `batch-find`: a search for the largest batch that fits, which leaves nothing.

use crate::bench::Bench;

/// The sizes that were tried, each with whether it fits.
fn tried(stdout: &str) -> Vec<(u64, bool)> {
    let lines = stdout.lines().filter_map(|line| line.strip_prefix("batch_size "));
    lines
        .map(|line| {
            let (size, what) = line.split_once(": ").unwrap();
            (size.parse().unwrap(), what.contains("samples/s"))
        })
        .collect()
}

#[test]
fn the_largest_batch_within_a_limit_is_found_and_nothing_is_left() {
    let bench = Bench::by_epoch();
    // a hidden layer of 4096 numbers: 16 kB for each sample in every one of its tensors
    let more = ["--set", "model.hidden=4096", "--set", "loaders.train=(batch_size: 512, dataset: (samples: 20000))"];
    let ended =
        bench.run(&[&["batch-find", "exp.ron", "--memory", "300MB", "--updates", "2"], &more[..]].concat()).exits(0);
    let tried = tried(&ended.stdout);
    assert_eq!(tried[0].0, 512, "{ended}");
    let fits = tried.iter().filter(|(_, fits)| *fits).map(|(size, _)| *size).max().unwrap();
    let too_large = tried.iter().filter(|(_, fits)| !*fits).map(|(size, _)| *size).min().unwrap();
    assert!(fits < too_large && too_large - fits <= fits / 32, "{ended}");
    // what the program takes before its first update is half of it
    assert!((64..=8000).contains(&fits), "{ended}");
    assert!(ended.stdout.contains(&format!("the largest batch of `train` that fits has {fits} samples")), "{ended}");
    let left: Vec<_> = std::fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["exp.ron"]);
}

#[test]
fn a_pass_of_the_loader_is_the_largest_batch() {
    let bench = Bench::by_iter();
    let ended = bench.run(&["batch-find", "exp.ron", "--memory", "4GB", "--updates", "2"]).exits(0);
    assert_eq!(tried(&ended.stdout), [(4, true), (8, true), (16, true), (26, true)], "{ended}");
    assert!(ended.stdout.contains("has 26 samples") && ended.stdout.contains("as many as were to be tried"), "{ended}");
    // the experiment asks for more than there are
    let more =
        bench.run(&["batch-find", "exp.ron", "--memory", "4GB", "--set", "loaders.train.batch_size=1000000"]).exits(0);
    assert_eq!(tried(&more.stdout), [(26, true)], "{more}");
    // a batch of all of them is full
    let full =
        bench.run(&["batch-find", "exp.ron", "--memory", "4GB", "--set", "loaders.train.drop_last=true"]).exits(0);
    assert_eq!(tried(&full.stdout).last(), Some(&(26, true)), "{full}");
    let few = bench.run(&["batch-find", "exp.ron", "--memory", "4GB", "--most", "6"]).exits(0);
    assert_eq!(tried(&few.stdout), [(4, true), (6, true)], "{few}");
}

#[test]
fn what_can_not_be_searched_is_told() {
    let bench = Bench::by_epoch();
    bench.run(&["batch-find", "exp.ron"]).exits(2).says("say how much it may take, `--memory 8GB`");
    bench.run(&["batch-find", "exp.ron", "--memory", "1MB"]).exits(1).says("before its first update");
    bench.run(&["batch-find", "exp.ron", "--memory", "lots"]).exits(2).says("`lots` is no size");
    let loader = bench.run(&["batch-find", "exp.ron", "--memory", "4GB", "--loader", "val"]).exits(2);
    loader.says("there is no train loader `val`; the trainer has `train`");
    // an error that has nothing to do with memory is told as it is
    let failing = bench.run(&["batch-find", "exp.ron", "--memory", "4GB", "--set", "custom_hooks=[Breaker(at: 1)]"]);
    let failing = failing.exits(1).says("a batch of 4 samples fails").says("the hook gave up");
    assert!(!failing.stdout.contains("does not fit"), "{failing}");
    assert!(!bench.path("runs").exists());
}
