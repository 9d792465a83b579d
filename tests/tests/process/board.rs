//! `board`: what the server of the page answers, to whom, and about what. `peers/browser.rs` looks at the page itself.

use crate::bench::{Bench, Running};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A board of `runs` on a port that was free.
pub(crate) struct Board {
    running: Running,
    pub(crate) port: u16,
}

impl Board {
    pub(crate) fn of(bench: &Bench, more: &[&str]) -> Board {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut running = bench.start(&[&["board", "--port", &port.to_string()], more].concat());
        running.wait_for("Ctrl-C ends the board");
        Board { running, port }
    }

    /// The whole answer to a request that is sent as it is.
    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.port))
    }

    fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    /// Asks until the answer is right.
    fn until(&self, path: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let found = self.json(path);
            if is_right(&found) {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{found}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it.
    pub(crate) fn end(mut self) {
        self.running.kill();
        self.running.end();
    }
}

/// The `x` of a curve.
fn places(curves: &Value, key: &str) -> Vec<u64> {
    let curve = curves.as_array().unwrap().iter().find(|curve| curve["key"] == key);
    curve.map_or_else(Vec::new, |curve| {
        curve["x"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as u64).collect()
    })
}

#[test]
fn rows_of_a_run_that_was_killed_and_resumed_appear_within_a_second_and_none_twice() {
    let bench = Bench::by_epoch();
    std::fs::create_dir(bench.path("runs")).unwrap();
    let every = ["--set", "hooks.logger.interval=1", "--set", "hooks.checkpoint.interval=1"];
    let board = Board::of(&bench, &[]);
    assert_eq!(board.json("/api/runs")["order"], Value::Array(Vec::new()));
    let mut training = bench.start_paused(150, &every);
    training.wait_for("iter 2");
    let found = board.until("/api/runs", |runs| runs["runs"][0]["iter"].as_u64() >= Some(2));
    assert_eq!(found["runs"][0]["state"], "running");
    let id = found["order"][0].as_str().unwrap().to_owned();
    let curves = format!("/api/curves?run={id}&key=train/loss&key=val/val/loss");
    training.wait_for("iter 4");
    let told = Instant::now();
    board.until(&curves, |curves| places(curves, "train/loss").contains(&4));
    assert!(told.elapsed() < Duration::from_millis(1500), "{:?}", told.elapsed());
    training.kill();
    training.end();
    board.until("/api/runs", |runs| runs["runs"][0]["state"] == "killed");
    bench.train(&[&["--resume"], &every[..]].concat()).exits(0);
    let found = board.until("/api/runs", |runs| runs["runs"][0]["state"] == "finished");
    assert_eq!((&found["runs"][0]["resumed"], &found["runs"][0]["iter"]), (&1.into(), &9.into()));
    let curves = board.json(&curves);
    assert_eq!(places(&curves, "train/loss"), (1..=9).collect::<Vec<_>>());
    assert_eq!(places(&curves, "val/val/loss"), [3, 6, 9]);
    let detail = board.json(&format!("/api/run?run={id}"));
    assert_eq!(
        detail["log"].as_array().unwrap().last().unwrap().as_str().unwrap().split_once(' ').unwrap().1,
        "finished"
    );
    assert!(
        detail["checkpoints"].as_array().unwrap().iter().any(|state| state["iter"] == 9 && state["damage"].is_null())
    );
    let settings = board.json(&format!("/api/settings?run={id}"));
    let lr = settings[0]["settings"].as_array().unwrap().iter().find(|setting| setting["path"] == "optimizer.lr");
    assert!(lr.unwrap()["place"].as_str().unwrap().starts_with("experiment.ron:"));
    // what the training planned at its begin
    let plan = &detail["plan"];
    assert_eq!((&plan["max_iters"], &plan["max_epochs"]), (&9.into(), &3.into()));
    let lr = plan["groups"][0]["settings"].as_array().unwrap().iter().find(|setting| setting[0] == "lr").unwrap();
    let moments = plan["moments"].as_array().unwrap().len();
    assert_eq!((moments, lr[1].as_array().unwrap().len()), (9, 9), "{plan}");
    assert_eq!(plan["parts"], serde_json::json!([["hooks.ema.decay", [0.8]]]));
    let phases = plan["phases"].as_array().unwrap();
    let phase = phases.iter().find(|phase| phase["phase"] == "after_train_iter").unwrap();
    let timer = phase["hooks"].as_array().unwrap().iter().find(|hook| hook["name"] == "timer").unwrap();
    assert!(timer["origin"].as_str().unwrap().starts_with("engine"), "{timer}");
    assert_eq!(detail["costs"], Value::Null);
    board.end();
}

#[test]
fn a_profile_tells_what_the_hooks_of_the_plan_take() {
    let bench = Bench::by_epoch();
    bench.train(&["--profile=2..4"]).exits(0);
    let board = Board::of(&bench, &[]);
    let id = board.json("/api/runs")["order"][0].as_str().unwrap().to_owned();
    let detail = board.json(&format!("/api/run?run={id}"));
    assert_eq!(detail["costs"]["iters"], serde_json::json!([2, 4]));
    let parts = detail["costs"]["parts"].as_array().unwrap();
    let timer = parts.iter().find(|part| part["name"] == "timer in after_train_iter").unwrap();
    assert_eq!((&timer["kind"], &timer["calls"]), (&"hook".into(), &3.into()));
    assert!(timer["micros"].as_f64().unwrap() > 0.0 && parts.iter().any(|part| part["name"] == "backward"), "{detail}");
    board.end();
}

#[test]
fn a_sweep_is_shown_as_its_table_tells_it() {
    let bench = Bench::by_epoch();
    let over = r#"{"optimizer.lr": Choice([0.02, 1e30]), "model.hidden": Int(4, 5)}"#;
    let text = format!("Sweep(base: \"exp.ron\", over: {over}, by: Grid, watch: \"val/loss\")");
    bench.write("search.ron", text);
    let table = bench.run(&["sweep", "search.ron"]).exits(0).stdout;
    let board = Board::of(&bench, &[]);
    let found = board.until("/api/sweeps", |found| found[0]["trials"][3]["run"].is_string());
    let sweep = &found[0];
    assert_eq!(
        (&sweep["name"], &sweep["watch"], &sweep["better"]),
        (&"search".into(), &"val/loss".into(), &"smaller".into())
    );
    assert_eq!(sweep["over"], serde_json::json!(["optimizer.lr", "model.hidden"]));
    for trial in sweep["trials"].as_array().unwrap() {
        let name = trial["name"].as_str().unwrap();
        let row = table.lines().rev().find(|line| line.starts_with(name) && !line.contains(" failed: ")).unwrap();
        let cells: Vec<&str> = row.split_whitespace().collect();
        let value = trial["value"].as_f64().map_or("failed".to_owned(), |value| format!("{value:.6}"));
        let values = trial["values"].as_array().unwrap();
        assert_eq!(cells[1..], [&value, values[0].as_str().unwrap(), values[1].as_str().unwrap()], "{trial} {row}");
    }
    assert_eq!(sweep["rungs"], Value::Array(Vec::new()));
    // trials are called by their numbers, so tables name the sweep too
    let runs = bench.run(&["runs"]).exits(0).stdout;
    assert!(runs.starts_with("NAME  SWEEP   STATE"), "{runs}");
    assert!(runs.lines().skip(1).all(|line| line.starts_with("000") && line[6..].starts_with("search  ")), "{runs}");
    board.end();
}

#[test]
fn only_this_machine_is_answered_and_no_path_leaves_the_runs() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "1"]).exits(0);
    // a run from elsewhere, whose files are links to what is not of it
    std::fs::create_dir(bench.path("runs/links")).unwrap();
    bench.write("runs/links/metrics.jsonl", "");
    bench.write("secret.txt", "hush-hush");
    for name in ["log.txt", "experiment.ron", "lock"] {
        std::os::unix::fs::symlink(bench.path("secret.txt"), bench.path("runs/links").join(name)).unwrap();
    }
    let board = Board::of(&bench, &["runs"]);
    let found = board.until("/api/runs", |runs| runs["runs"].as_array().unwrap().len() == 2);
    let links = found["order"][0].as_str().unwrap();
    for path in [format!("/api/run?run={links}"), format!("/api/settings?run={links}")] {
        let answer = board.get(&path);
        assert!(answer.starts_with("HTTP/1.1 200 OK") && !answer.contains("hush"), "{answer}");
    }
    for path in ["/../secret.txt", "/%2e%2e/secret.txt", "//etc/passwd", "/runs/run/log.txt", "/page.css/../x"] {
        assert!(board.get(path).starts_with("HTTP/1.1 404 Not Found"), "{path}");
    }
    for run in ["../run", "run", "", "%00", "runs%2Frun"] {
        assert!(board.get(&format!("/api/run?run={run}")).starts_with("HTTP/1.1 404 Not Found"), "{run}");
        assert_eq!(board.json(&format!("/api/settings?run={run}")), Value::Array(Vec::new()));
    }
    let port = board.port;
    for host in ["evil.example".to_owned(), format!("evil.example:{port}"), "127.0.0.1".to_owned()] {
        let answer = board.send(&format!("GET /api/runs HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden"), "{host}: {answer}");
    }
    assert!(board.send("GET /api/runs HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 403"));
    assert!(board.send(&format!("POST / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n")).starts_with("HTTP/1.1 405"));
    assert!(board.send("\u{16}\u{3}\u{1}\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert!(board.get(&format!("/{}", "a".repeat(20_000))).starts_with("HTTP/1.1 431"));
    let page = board.get("/");
    assert!(page.contains("Content-Security-Policy: default-src 'none'; script-src 'self';"), "{page}");
    // numbers of anything
    let curves = format!("/api/curves?run={links}&run=x&key=&key=%00&x=no&smooth=inf&from=NaN&to=1e999&columns=-1");
    assert_eq!(board.json(&curves), Value::Array(Vec::new()));
    board.end();
}

#[test]
fn others_may_look_only_with_a_token() {
    let bench = Bench::by_epoch();
    bench.run(&["board", "nowhere"]).exits(2).says("error: `nowhere` is not a folder");
    bench.run(&["board", "--host", "0.0.0.0"]).exits(2).says("--token <TOKEN>");
    bench.run(&["board", "--host", "0.0.0.0", "--token", "short"]).exits(2).says("at least 16 characters");
    std::fs::create_dir(bench.path("runs")).unwrap();
    let board = Board::of(&bench, &["--host", "0.0.0.0", "--token", "0123456789abcdef"]);
    let ask = |path: &str, cookie: &str| {
        board.send(&format!("GET {path} HTTP/1.1\r\nHost: any.example\r\nCookie: {cookie}\r\n\r\n"))
    };
    assert!(ask("/", "").starts_with("HTTP/1.1 403"));
    assert!(ask("/api/runs", "engine_board=wrong").starts_with("HTTP/1.1 403"));
    let taken = ask("/?token=0123456789abcdef", "");
    assert!(taken.starts_with("HTTP/1.1 303") && taken.contains("Set-Cookie: engine_board=0123456789abcdef; HttpOnly"));
    assert!(ask("/api/runs", "engine_board=0123456789abcdef").starts_with("HTTP/1.1 200"));
    // the port is taken now
    let port = board.port.to_string();
    bench.run(&["board", "--port", &port]).exits(1).says("can't be listened at; another `--port` may be free");
    board.end();
}
