//! `lr-find`: a search for a learning rate, which leaves nothing.

use crate::bench::Bench;
use crate::left::{assert_same, rows};

const SHORT: [&str; 4] = ["--updates", "40", "--from", "1e-5"];

fn find(bench: &Bench, more: &[&str]) -> crate::bench::Ended {
    bench.run(&[&["lr-find", "exp.ron"], &SHORT[..], more].concat())
}

#[test]
fn a_search_draws_a_curve_suggests_a_rate_and_leaves_nothing() {
    for bench in [Bench::by_epoch(), Bench::by_iter()] {
        let ended = find(&bench, &["--svg", "lr.svg"]).exits(0);
        let head = "the learning rate of `opt` rises from 1e-5 to 1e1 over 40 updates; the loss of `train_step`";
        assert!(ended.stdout.contains(head), "{ended}");
        assert!(ended.stdout.contains("suggestion: ") && ended.stdout.contains('▲'), "{ended}");
        let svg = bench.read("lr.svg");
        assert!(
            svg.starts_with("<svg ") && svg.contains("stroke-dasharray") && svg.contains(">learning rate<"),
            "{svg}"
        );
        let mut left: Vec<String> = std::fs::read_dir(bench.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["exp.ron", "lr.svg"]);
        // the same again
        assert_eq!(find(&bench, &["--svg", "again.svg"]).exits(0).stdout.replace("again", "lr"), ended.stdout);
        assert_eq!(bench.read("again.svg"), svg);
    }
}

#[test]
fn a_run_after_a_search_is_to_the_bit_the_run_without_it() {
    let (alone, after) = (Bench::by_epoch(), Bench::by_epoch());
    alone.train(&[]).exits(0);
    find(&after, &[]).exits(0);
    after.train(&[]).exits(0);
    assert_same(&alone.path("runs/run"), &after.path("runs/run"), "after a search");
    assert!(!rows(&after.path("runs/run")).is_empty());
    // and one beside a run that is there leaves it alone
    find(&after, &[]).exits(0);
    assert_same(&alone.path("runs/run"), &after.path("runs/run"), "beside a run");
}

#[test]
fn of_several_optimizers_one_is_chosen() {
    let bench = Bench::two_passes();
    find(&bench, &[]).exits(1).says("choose one with `--optimizer`").says("`opt_net`, `opt_forger`");
    find(&bench, &["--optimizer", "opt"]).exits(1).says("there is no optimizer `opt`");
    let of_net = find(&bench, &["--optimizer", "opt_net"]).exits(0);
    assert!(of_net.stdout.contains("`opt_net` rises") && of_net.stdout.contains("the loss of `learn`"), "{of_net}");
    // every third iter
    let of_forger = find(&bench, &["--optimizer", "opt_forger"]).exits(0);
    assert!(of_forger.stdout.contains("`opt_forger` rises"), "{of_forger}");
    assert!(!of_forger.stdout.contains("the loss of `learn`"), "{of_forger}");
}

#[test]
fn what_diverges_or_is_no_number_ends_a_search_early() {
    let bench = Bench::by_epoch();
    bench.edit("optimizer: AdamW(lr: 0.02, weight_decay: 0.01)", "optimizer: Sgd(lr: 0.1)");
    let far = bench.run(&["lr-find", "exp.ron", "--from", "1e-3", "--to", "1e30", "--updates", "400"]).exits(0);
    assert!(far.stdout.contains("stopped after "), "{far}");
    let short = bench.run(&["lr-find", "exp.ron", "--from", "1e30", "--to", "1e38", "--updates", "2"]).exits(0);
    assert!(short.stdout.contains("averaged with those before it:"), "{short}");
    assert!(short.stdout.contains("no suggestion: fewer than 10 updates do not show where the loss falls"), "{short}");
    bench
        .run(&["lr-find", "exp.ron", "--from", "1", "--to", "0.1"])
        .exits(2)
        .says("`--from 1` has to be below `--to 0.1`");
    for wrong in [["--from", "0"], ["--to", "NaN"], ["--updates", "1"], ["--from=-1", "--updates=3"], ["--to", "1e39"]]
    {
        bench.run(&[&["lr-find", "exp.ron"], &wrong[..]].concat()).exits(2).says("invalid value");
    }
    bench.run(&["lr-find", "gone.ron"]).exits(2).says("gone.ron");
}

#[test]
fn a_first_loss_that_is_not_finite_is_told_as_it_is() {
    let bench = Bench::by_epoch();
    let first = ["lr-find", "exp.ron", "--set", "trainer.fault=Nan", "--set", "trainer.fault_at=1"];
    bench
        .run(&first)
        .exits(1)
        .says("the loss of `train_step` is not finite before the first update, at the learning rate");
    // one in a later update ends the search, and what was seen is drawn
    let later = ["lr-find", "exp.ron", "--set", "trainer.fault=Nan", "--set", "trainer.fault_at=15"];
    let ended = bench.run(&[&later[..], &["--svg", "lr.svg"]].concat()).exits(0);
    assert!(ended.stdout.contains("stopped after 4 updates"), "{ended}");
    assert!(
        ended.stdout.contains("no suggestion: fewer than 10 updates do not show where the loss falls; begin with"),
        "{ended}"
    );
    assert!(bench.path("lr.svg").is_file());
}

#[test]
fn a_long_search_says_how_far_it_is_also_without_a_terminal() {
    let bench = Bench::by_epoch();
    let slow = ["--set", "trainer.pause=2600", "--set", "train.accumulate=1"];
    let search = [&["lr-find", "exp.ron", "--updates", "4"], &slow[..]].concat();
    let ended = bench.run(&search).exits(0);
    assert!(ended.stderr.contains("update 2 of 4: learning rate 4.64e-5, loss "), "{ended}");
    assert!(!ended.stderr.contains("update 1 of 4") && !ended.stdout.contains("update 2"), "{ended}");
}

#[test]
fn a_search_that_hangs_promises_no_checkpoint() {
    let bench = Bench::by_epoch();
    let search = ["lr-find", "exp.ron", "--set", "trainer.pause=4000", "--set", "train.accumulate=1"];
    let mut running = bench.start(&search);
    running.wait_for("mark train 1");
    running.signal("INT");
    let ended = running.end().exits(130);
    assert!(ended.stderr.contains("SIGINT: the command ends after this iter; it is waiting for"), "{ended}");
    assert!(!ended.stderr.contains("checkpoint is lost"), "{ended}");
}

#[test]
fn a_signal_ends_a_search() {
    let bench = Bench::by_epoch();
    let mut search = bench.start(&[
        "lr-find",
        "exp.ron",
        "--set",
        "trainer.pause=100",
        "--updates",
        "1000",
        "--set",
        "train.accumulate=1",
    ]);
    search.wait_for("mark train 3");
    search.signal("TERM");
    let ended = search.end();
    assert_eq!(ended.code, Some(143), "{ended}");
    assert!(ended.stdout.contains("stopped by SIGTERM after "), "{ended}");
}
