//! The page of runs in a real browser, at two widths, light and dark: what is drawn, and what clicks and keys do.

use crate::bench::Bench;
use crate::board::Board;
use std::path::Path;
use std::process::Command;

#[track_caller]
fn in_a_browser(address: &str, what: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/peers/browser.py");
    let output =
        Command::new(super::python("playwright")).arg("-I").arg(script).args([address, what]).output().unwrap();
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
