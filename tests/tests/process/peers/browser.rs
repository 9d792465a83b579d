//! The page of runs in a real browser, at two widths, light and dark: what is drawn, and what clicks and keys do.

use crate::bench::{Bench, Running};
use crate::board::Board;
use std::path::Path;
use std::process::Command;

fn script(board: &str, what: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/peers/browser");
    let mut command = Command::new(super::python("playwright"));
    command.args(["-I", "-B"]).arg(folder).args([board, what]);
    command
}

#[track_caller]
fn in_a_browser(address: &str, what: &str) {
    let output = script(address, what).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Two runs that differ in their learning rate, with values of each kind.
fn two_runs() -> Bench {
    let bench = Bench::by_epoch();
    let more =
        ["--set", "custom_hooks=[Painter()]", "--set", "sinks=[TensorBoard()]", "--set", "hooks.logger.interval=1"];
    bench.train(&more).exits(0);
    bench.train(&[&more[..], &["--set", "optimizer.lr=0.005", "--name", "other"]].concat()).exits(0);
    bench
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn the_page_draws_what_runs_have_recorded_and_does_what_is_asked() {
    let bench = two_runs();
    let board = Board::of(&bench, &[]);
    in_a_browser(&format!("http://127.0.0.1:{}/", board.port), "look");
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn runs_in_each_state_are_told_apart_sorted_and_filtered() {
    let bench = Bench::by_epoch();
    let commit = "git init -q . && git add exp.ron && git -c user.name=a -c user.email=a@b.c commit -qm x";
    bench.run_script(&["sh", "-c", commit]).exits(0);
    bench.train(&["--name", "done"]).exits(0);
    bench.train(&["--name", "broken", "--set", "custom_hooks=[Breaker(at: 2)]"]).exits(1);
    let every = ["--set", "hooks.checkpoint.interval=1"];
    let stop = |name: &str, signal: &str| {
        let mut running = bench.start_paused(100, &[&every[..], &["--name", name]].concat());
        // the checkpoint after iter 3 is on the disk by then
        running.wait_for("iter 6");
        running.signal(signal);
        running.end();
    };
    stop("ended", "TERM");
    stop("lost", "KILL");
    stop("again", "KILL");
    bench.train(&["--name", "again", "--resume"]).exits(0);
    // far from its end while it is looked at
    let mut now = bench.start_paused(60_000, &["--name", "now"]);
    now.wait_for("mark train 1");
    let board = Board::of(&bench, &[]);
    in_a_browser(&format!("http://127.0.0.1:{}/", board.port), "states");
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn schedules_are_shown_ahead_of_time_and_hooks_with_what_they_take() {
    let bench = Bench::by_epoch();
    let decay = "schedule=[Linear(iters: 3, start: 0.1), Cosine(), Cosine(setting: \"hooks.ema.decay\", finish: 0.5)]";
    bench.train(&["--set", decay, "--profile=2..4"]).exits(0);
    let board = Board::of(&bench, &[]);
    in_a_browser(&format!("http://127.0.0.1:{}/", board.port), "plan");
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn a_confusion_matrix_is_shaded_and_follows_the_slider() {
    let bench = Bench::by_epoch();
    let shown = "metrics=[MeanLoss(), ConfusionMatrix(classes: 3, show: true)]";
    bench.train(&["--set", shown, "--set", "sinks=[TensorBoard()]"]).exits(0);
    let board = Board::of(&bench, &[]);
    in_a_browser(&format!("http://127.0.0.1:{}/", board.port), "matrix");
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn rows_appear_within_a_second_on_a_page_that_is_open_through_a_kill_and_a_resume() {
    let bench = Bench::by_epoch();
    std::fs::create_dir(bench.path("runs")).unwrap();
    let every = ["--set", "hooks.logger.interval=1", "--set", "hooks.checkpoint.interval=1"];
    let board = Board::of(&bench, &[]);
    let mut page = script(&format!("http://127.0.0.1:{}/", board.port), "live");
    page.arg(bench.path("runs/run/metrics.jsonl"));
    let mut page = Running::new(&mut page);
    page.wait_for("open");
    let mut training = bench.start_paused(150, &every);
    page.wait_for("seen");
    training.kill();
    training.end();
    page.wait_for("lost");
    bench.train(&[&["--resume"], &every[..]].concat()).exits(0);
    let told = page.end().exits(0);
    assert!(told.stdout.contains("rows were shown after"), "{told}");
    println!("{}", told.stdout);
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn trials_that_stop_at_rungs_are_counted_at_each() {
    let bench = Bench::by_epoch();
    bench.edit("max_epochs: 3", "max_epochs: 2");
    let rest = "by: Random(trials: 6), seed: 3, halve: Asha(rungs: [1, 3], factor: 2)";
    let over = r#"{"optimizer.lr": LogUniform(1e-4, 1e-1)}"#;
    bench.write("search.ron", format!("Sweep(base: \"exp.ron\", over: {over}, watch: \"val/loss\", {rest})"));
    bench.run(&["sweep", "search.ron"]).exits(0);
    let board = Board::of(&bench, &[]);
    in_a_browser(&format!("http://127.0.0.1:{}/", board.port), "halved");
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn a_sweep_that_can_not_be_read_says_so_and_draws_nothing() {
    let bench = Bench::by_epoch();
    bench.train(&["--name", "0000"]).exits(0);
    bench.write("runs/sweep.ron", "Sweep(over: {");
    bench.write("runs/trials.jsonl", "");
    let board = Board::of(&bench, &[]);
    in_a_browser(&format!("http://127.0.0.1:{}/", board.port), "unreadable");
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn a_sweep_has_a_line_for_each_trial_and_shows_the_curves_of_the_best() {
    let bench = Bench::by_epoch();
    let over = r#"{"optimizer.lr": LogUniform(1e-4, 1e-1), "model.hidden": Choice([4, 8])}"#;
    let text = format!("Sweep(base: \"exp.ron\", over: {over}, by: Random(trials: 4), watch: \"val/loss\")");
    bench.write("search.ron", text);
    bench.run(&["sweep", "search.ron"]).exits(0);
    let board = Board::of(&bench, &[]);
    in_a_browser(&format!("http://127.0.0.1:{}/", board.port), "sweep");
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn what_a_hostile_run_has_written_is_shown_as_text() {
    let bench = Bench::by_epoch();
    let run = "runs/<img src=x onerror=hacked()> \"'";
    std::fs::create_dir_all(bench.path(run)).unwrap();
    let script = "<script>hacked()</script>";
    let rows = (1..200).map(|iter| format!("{{\"phase\":\"train\",\"epoch\":0,\"iter\":{iter},\"time\":{iter},\"{script}\":{iter},\"__proto__\":1,\"constructor\":2}}\n"));
    bench.write(&format!("{run}/metrics.jsonl"), rows.collect::<String>());
    bench.write(&format!("{run}/log.txt"), format!("2026-01-01T00:00:00Z command line: x train\n2026-01-01T00:00:00Z git commit: {script}\n2026-01-01T00:00:00Z failed: {script}\n"));
    bench.write(&format!("{run}/experiment.ron"), "Experiment(name: \"\\\"><svg onload=hacked()>\")");
    // a sweep of which this run is a trial
    bench
        .write("runs/sweep.ron", format!("Sweep(watch: \"{script}\", over: {{\"{script}\": Choice([\"{script}\"])}})"));
    bench.write("runs/trials.jsonl", format!("{{\"begun\":{{\"trial\":0,\"picks\":[{{\"choice\":0}}]}}}}\n{{\"ended\":{{\"trial\":0,\"end\":{{\"failed\":\"{script}\"}}}}}}\n"));
    let plan = format!(
        "{{\"max_iters\":2,\"max_epochs\":null,\"moments\":[0,1],\"groups\":[{{\"name\":\"{script}\",\"tensors\":1,\"frozen\":0,\"settings\":[[\"{script}\",[0.5,null]],[\"__proto__\",[1,2]]]}}],\"phases\":[{{\"phase\":\"{script}\",\"hooks\":[{{\"name\":\"{script}\",\"level\":5,\"origin\":\"{script}\"}}]}}]}}"
    );
    bench.write(&format!("{run}/plan.json"), plan);
    let pipe = std::process::Command::new("mkfifo").arg(bench.path(run).join("lock")).status().unwrap();
    assert!(pipe.success());
    let board = Board::of(&bench, &[]);
    in_a_browser(&format!("http://127.0.0.1:{}/", board.port), "hostile");
    board.end();
}

#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn a_report_is_the_page_without_a_server() {
    let bench = two_runs();
    bench.run(&["report", "runs", "--to", "all runs.html"]).exits(0);
    in_a_browser(&format!("file://{}", bench.path("all%20runs.html").display()), "offline");
}

/// Prints how long the first picture takes, too: with `--nocapture`, and `--release` for the numbers of `docs/board.md`.
#[test]
#[ignore = "needs a browser: cargo xtask test --peers"]
fn the_page_of_a_million_rows_stays_small() {
    let bench = Bench::by_epoch();
    let noise = |iter: usize, which: usize| ((iter * 7 + which) as f64 * 0.7).sin().abs();
    let names = ["loss", "grad_norm", "iter_time", "data_time", "samples_per_second", "eta", "lr"];
    let value = |iter, which| format!(",\"{}\":{:?}", names[which], noise(iter, which) * 10.0);
    let values: Vec<String> =
        (0..22_000).map(|iter| (0..names.len()).map(|which| value(iter, which)).collect()).collect();
    let head = |phase: &str, iter: usize| {
        let (epoch, time) = ((iter - 1) / 400, (iter * 57) as f64 / 1000.0);
        format!(r#"{{"phase":"{phase}","epoch":{epoch},"iter":{iter},"time":{time:?}"#)
    };
    let heads: Vec<String> = (1..=20_000).map(|iter| head("train", iter)).collect();
    for run in 0..50 {
        let mut text = String::new();
        for iter in 1..=20_000 {
            // other values in each run, so that each has points of its own
            for part in [&heads[iter - 1], &values[iter + 37 * run], "}\n"] {
                text.push_str(part);
            }
            if iter % 400 == 0 {
                text.push_str(&format!("{},\"accuracy\":{:?}}}\n", head("val", iter), noise(iter + run, 9)));
            }
        }
        std::fs::create_dir_all(bench.path(&format!("runs/run_{run:02}"))).unwrap();
        bench.write(&format!("runs/run_{run:02}/metrics.jsonl"), &text);
    }
    let board = Board::of(&bench, &[]);
    let output = script(&format!("http://127.0.0.1:{}/", board.port), "measure").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", String::from_utf8_lossy(&output.stdout));
    board.end();
}
