//! `runs`: the table of what is in a folder, whatever is in it.

use crate::bench::Bench;
use serde_json::Value;

/// The runs of a folder as JSON, by name.
fn runs(bench: &Bench) -> Vec<Value> {
    serde_json::from_str(&bench.run(&["runs", "--json"]).exits(0).stdout).unwrap()
}

#[test]
fn a_run_is_seen_while_it_runs_after_its_kill_and_after_its_end() {
    let bench = Bench::by_epoch();
    let mut running = bench.start_paused(100, &["--set", "hooks.checkpoint.interval=1"]);
    // the checkpoint after iter 3 is on the disk by then
    running.wait_for("iter 6");
    let seen = runs(&bench);
    assert_eq!((seen.len(), &seen[0]["state"]), (1, &Value::from("running")), "{seen:?}");
    running.kill();
    running.end();
    assert_eq!(runs(&bench)[0]["state"], "killed");
    bench.train(&["--resume"]).exits(0);
    bench.train(&["--set", "name=other", "--max-iters", "1"]).exits(0);
    let [run, other] = &runs(&bench)[..] else { panic!("two runs were expected") };
    assert_eq!((&run["name"], &run["state"], &run["resumed"]), (&"run".into(), &"finished".into(), &1.into()));
    assert_eq!((&run["epoch"], &run["iter"]), (&3.into(), &9.into()));
    assert_eq!((&other["state"], &other["iter"]), (&"stopped".into(), &1.into()));
    let metric = |key: &str| run["metrics"].as_array().unwrap().iter().find(|metric| metric["key"] == key).unwrap();
    assert_eq!(metric("val/val/loss")["better"], "smaller");
    assert!(metric("val/hard/accuracy")["best"].as_f64().unwrap() > 0.0);
    let table = bench.run(&["runs", "runs"]).exits(0).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("NAME   STATE                 EPOCH  ITER  TIME"), "{table}");
    assert!(lines[1].starts_with("run    finished, resumed 1x  3      9"), "{table}");
    assert!(lines[2].starts_with("other  stopped"), "{table}");
}

#[test]
fn a_folder_of_anything_is_shown_without_harm() {
    let bench = Bench::by_epoch();
    bench.run(&["runs"]).exits(2).says("error: `runs` is not a folder; name that of a run, or one with runs in it");
    std::fs::create_dir_all(bench.path("runs/empty")).unwrap();
    bench.run(&["runs"]).exits(2).says("error: `runs` holds no run");
    // a name that would clear the screen, rows of anything, and pipes that nobody writes to
    let wild = "runs/wild \u{1b}[2J<script>\"'";
    std::fs::create_dir_all(bench.path(wild)).unwrap();
    bench.write(
        &format!("{wild}/metrics.jsonl"),
        "{\"phase\":\"val\",\"epoch\":1,\"iter\":2,\"time\":1e999}\nnull\n\u{0}\n{\"phase\":\"val\",\"epoch\":1,\"iter\":2,\"time\":1,\"<script>\":0.5,\"a\\u001b[31m\":1}\n",
    );
    // a name that is wider than any table, and one that turns what stands around it
    let wide = format!(
        "{{\"phase\":\"val\",\"epoch\":1,\"iter\":3,\"time\":1,\"{}\":1,\"\\u202egnp\":0.25}}",
        "x".repeat(100_000)
    );
    let torn = "{\"phase\":\"val\",\"iter\"";
    let rows = bench.read(&format!("{wild}/metrics.jsonl"));
    bench.write(&format!("{wild}/metrics.jsonl"), format!("{rows}{wide}\n{torn}"));
    std::fs::create_dir_all(bench.path("runs/pipes")).unwrap();
    bench.write("runs/pipes/experiment.ron", "");
    for name in ["metrics.jsonl", "log.txt", "lock"] {
        let made = std::process::Command::new("mkfifo").arg(bench.path("runs/pipes").join(name)).status().unwrap();
        assert!(made.success());
    }
    let table = bench.run(&["runs"]).exits(0).stdout;
    assert!(!table.contains(['\u{1b}', '\u{202e}']), "{table:?}");
    assert!(table.contains("wild \u{fffd}[2J<script>\"'") && table.contains("val/<script> 0.5000 at 2"), "{table}");
    assert!(table.lines().all(|line| line.len() < 1000), "{table}");
    assert!(table.contains("`val` has too many names, or too long ones: 1 values were left out"), "{table}");
    assert!(table.contains("3 lines of `metrics.jsonl` are no rows, and were left out"), "{table}");
    assert!(table.contains("pipes"), "{table}");
}

#[test]
fn a_metric_is_drawn_in_the_terminal_and_as_svg() {
    let bench = Bench::by_epoch();
    bench.train(&["--set", "hooks.logger.interval=1"]).exits(0);
    let drawn = bench.run(&["plot", "runs/run", "train/lr", "val/hard/accuracy"]).exits(0).stdout;
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!((lines[0], lines[15], lines.len()), ("train/lr", "val/hard/accuracy", 30), "{drawn}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{drawn}");
    // the learning rate rises up to iter 4 of 9, and falls
    let dots = |line: &str| line.split_once('│').unwrap().1.chars().map(|c| c != '\u{2800}').collect::<Vec<_>>();
    let (first, last) = (dots(lines[1]), dots(lines[12]));
    let (peak, width) = (first.iter().position(|dot| *dot).unwrap(), first.len());
    assert!((width / 3..width / 2).contains(&peak) && !first[2 * width / 3..].contains(&true), "{drawn}");
    assert!(last[..5].contains(&true) && last[width - 5..].contains(&true), "{drawn}");
    assert!(lines[14].trim_start().starts_with('1') && lines[14].ends_with("9 iter"), "{drawn}");
    let more = ["--svg", "loss.svg", "--over", "epoch", "--smooth", "0.5", "--log"];
    bench.run(&[&["plot", "runs", "train/loss"], &more[..]].concat()).exits(0);
    let svg = bench.read("loss.svg");
    assert!(svg.starts_with("<svg xmlns=") && svg.contains(">run: train/loss</text>") && svg.contains(">epoch</text>"));
    let refused = |arguments: &[&str], why: &str| {
        bench.run(&[&["plot", "runs/run"], arguments].concat()).exits(2).says(why);
    };
    refused(&["train/los"], "error: the run has no metric `train/los`; did you mean `train/loss`?");
    refused(&["quite another"], "it has `train/loss`, ");
    refused(&["train/loss", "--smooth", "1"], "expected a number from 0 to 1");
    refused(&[], "<METRIC>");
    bench.train(&["--name", "other", "--max-iters", "1"]).exits(0);
    bench.run(&["plot", "runs", "train/loss"]).exits(2).says("error: `runs` holds 2 runs; name one of them");
}

#[test]
fn a_report_is_one_file_with_the_numbers_of_its_runs() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    let told = bench.run(&["report", "runs"]).exits(0).stdout;
    assert!(told.ends_with(" kB in report.html\n"), "{told}");
    let report = bench.read("report.html");
    let (_, data) = report.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(data["runs"]["runs"][0]["name"], "run");
    assert_eq!(data["curves"][0]["iter"].as_array().unwrap().last().unwrap(), 3.0);
    bench.run(&["report", "nowhere"]).exits(2).says("error: `nowhere` is not a folder");
    // the folder is made
    bench.run(&["report", "runs", "--to", "no/such/folder.html"]).exits(0);
    assert!(bench.read("no/such/folder.html").contains("id=\"data\""));
}
