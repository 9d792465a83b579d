//! How long a board needs until the page can show all of 50 runs with 10⁶ rows.
//!
//! `cargo bench -p engine --bench board` writes such runs, opens a board of them, and asks what the page asks: the table until all
//! rows are read, then the curves of the eight runs that are chosen at the begin. It prints seconds of wall time and of processor
//! time; the latter is that of all threads together.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench ends when something is wrong")]

use engine::board::{Board, Door};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

const RUNS: usize = 50;
const ROWS: usize = 20_000;
/// Those that the page chooses.
const CHOSEN: usize = 8;

/// Seconds of processor time of all threads so far. Linux counts hundredths of seconds.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    // behind the name in brackets; proc_pid_stat(5) numbers them 14 and 15
    let fields = text.rsplit(") ").next().unwrap().split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// Numbers as long as those of real runs.
fn write_run(folder: &Path, run: usize) {
    let noise = |iter: usize, which: usize| ((iter * 7919 + run * 104_729 + which * 31) as f64).sin().abs();
    let mut text = String::with_capacity(ROWS * 240);
    for iter in 1..=ROWS {
        let (epoch, time) = ((iter - 1) / 400, (iter * 57) as f64 / 1000.0);
        let loss = 2.0 / (1.0 + iter as f64 / 500.0);
        let row = [
            ("loss", loss + noise(iter, 1) * 0.1),
            ("grad_norm", noise(iter, 2)),
            ("iter_time", noise(iter, 3) * 0.05),
            ("data_time", noise(iter, 4) * 0.001),
            ("samples_per_second", 300.0 + noise(iter, 5) * 50.0),
            ("eta", (ROWS - iter) as f64 * 0.05),
            ("lr", 0.001 * (1.0 - iter as f64 / ROWS as f64)),
        ];
        write!(text, r#"{{"phase":"train","epoch":{epoch},"iter":{iter},"time":{time}"#).unwrap();
        row.iter().for_each(|(name, value)| write!(text, r#","{name}":{value:?}"#).unwrap());
        text.push_str("}\n");
        if iter % 400 == 0 {
            let (epoch, right) = (iter / 400, 1.0 - 1.0 / (1.0 + iter as f64 / 2000.0));
            let head = format!(r#"{{"phase":"val","epoch":{epoch},"iter":{iter},"time":{time}"#);
            writeln!(text, r#"{head},"accuracy":{right},"loss":{loss}}}"#).unwrap();
        }
    }
    std::fs::create_dir(folder).unwrap();
    std::fs::write(folder.join("metrics.jsonl"), text).unwrap();
    let log = format!("2026-01-01T00:00:{run:02}Z command line: bench train\n2026-01-02T00:00:00Z finished\n");
    std::fs::write(folder.join("log.txt"), log).unwrap();
}

fn ask(address: SocketAddr, path: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let body = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    serde_json::from_slice(&answer[body..]).unwrap()
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    (0..RUNS).for_each(|run| write_run(&dir.path().join(format!("run-{run:02}")), run));
    let (begun, before) = (Instant::now(), processor());
    let told = |what: &str| {
        println!(
            "{what:<40} {:6.2} s, {:6.2} s of processor time",
            begun.elapsed().as_secs_f64(),
            processor() - before
        );
    };
    let board = Board::open(vec![dir.path().to_owned()], &Door { port: Some(0), ..Door::default() }).unwrap();
    let address = board.address();
    std::thread::spawn(move || board.serve());
    let curves = |runs: &Value| {
        let runs = runs["order"].as_array().unwrap().iter().rev().take(CHOSEN);
        let runs: String = runs.map(|id| format!("run={}&", id.as_str().unwrap())).collect();
        let mut points = 0;
        for metric in ["loss", "accuracy", "grad_norm", "lr", "iter_time", "data_time", "samples_per_second", "eta"] {
            let path = format!("/api/curves?{runs}columns=440&key=train/{metric}&key=val/{metric}");
            let answer = ask(address, &path);
            points += answer.as_array().unwrap().iter().map(|one| one["x"].as_array().unwrap().len()).sum::<usize>();
        }
        points
    };
    curves(&ask(address, "/api/runs?since=0"));
    told("the table, and the first curves");
    let all = loop {
        let runs = ask(address, "/api/runs?since=0");
        if runs["runs"].as_array().unwrap().iter().all(|run| run["progress"] == 1.0) {
            break runs;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    told("all rows are read");
    let points = curves(&all);
    told(&format!("all charts of {CHOSEN} runs, {points} points"));
    let peak = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    // the board has no end
    dir.close().unwrap();
    std::process::exit(0);
}
