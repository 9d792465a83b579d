//! The sink `Mlflow` with a real server, in a process of its own.

use crate::bench::Bench;
use crate::left::{log, rows};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server with its data in a folder.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path, port: u16) -> Server {
        let data = format!("sqlite:///{}", folder.join("mlflow.db").display());
        let process = Command::new(super::python("mlflow").with_file_name("mlflow"))
            .args(["server", "--host", "127.0.0.1", "--port", &port.to_string(), "--workers", "1"])
            .args(["--backend-store-uri", &data, "--artifacts-destination"])
            .arg(folder.join("artifacts"))
            // nothing of a run needs them, and they take long to start
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // it starts workers, which end with it
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Server { process, port };
        let until = Instant::now() + Duration::from_secs(300);
        while server.send("GET", "/health", "").is_none_or(|answer| answer.0 != 200) {
            assert!(Instant::now() < until, "the server does not start");
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    /// The status and the body of an answer; `None` without any.
    fn send(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = "Content-Type: application/json\r\nConnection: close";
        let length = body.len();
        let host = format!("Host: 127.0.0.1:{}", self.port);
        write!(stream, "{method} {path} HTTP/1.1\r\n{host}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
            .ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(method, &format!("/api/2.0/{path}"), &body.to_string()).unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// The runs of an experiment.
    fn runs(&self, experiment: &str) -> Vec<Value> {
        let path = format!("mlflow/experiments/get-by-name?experiment_name={experiment}");
        let found = self.ask("GET", &path, &Value::Null);
        let body = json!({ "experiment_ids": [found["experiment"]["experiment_id"]] });
        self.ask("POST", "mlflow/runs/search", &body)["runs"].as_array().cloned().unwrap_or_default()
    }

    /// Each step of a metric with its value, sorted.
    fn history(&self, run: &str, key: &str) -> Vec<(i64, f64)> {
        let path = format!("mlflow/metrics/get-history?run_id={run}&metric_key={}", key.replace(' ', "%20"));
        let answer = self.ask("GET", &path, &Value::Null);
        let metrics = answer["metrics"].as_array().cloned().unwrap_or_default();
        let value = |metric: &Value| (metric["step"].as_i64().unwrap(), metric["value"].as_f64().unwrap_or(f64::NAN));
        let mut found: Vec<_> = metrics.iter().map(value).collect();
        found.sort_by_key(|(step, _)| *step);
        found
    }

    fn stop(mut self) {
        let group = format!("-{}", self.process.id());
        Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
        self.process.wait().unwrap();
        // so that nothing is killed twice
        std::mem::forget(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

/// What the rows of a run say of each metric.
fn expected(run: &Path) -> BTreeMap<String, Vec<(i64, f64)>> {
    let mut found: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
    for row in rows(run) {
        let group = match row["loader"].as_str() {
            Some(loader) => format!("{}/{loader}", row["phase"].as_str().unwrap()),
            None => row["phase"].as_str().unwrap().to_owned(),
        };
        for (name, value) in row.as_object().unwrap() {
            if !["phase", "loader", "epoch", "iter", "time"].contains(&name.as_str()) {
                let value = (row["iter"].as_i64().unwrap(), value.as_f64().unwrap_or(f64::NAN));
                found.entry(format!("{group}/{name}")).or_default().push(value);
            }
        }
    }
    found
}

/// The times of steps differ in each process.
fn is_measured(key: &str) -> bool {
    ["_time", "eta", "per_second"].iter().any(|word| key.contains(word))
}

#[track_caller]
fn assert_complete(server: &Server, id: &str, run: &Path) {
    for (key, rows) in expected(run) {
        let there = server.history(id, &key);
        let steps = |values: &[(i64, f64)]| values.iter().map(|(step, _)| *step).collect::<Vec<_>>();
        assert_eq!(steps(&there), steps(&rows), "{key}");
        if !is_measured(&key) {
            assert_eq!(there, rows, "{key}");
        }
    }
}

#[test]
#[ignore = "needs MLflow: cargo xtask test --peers"]
fn runs_are_at_the_server_whatever_happens_to_them_and_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start(folder.path(), port);

    // killed between checkpoints, when the server has values behind the last one; and resumed
    let bench = Bench::by_epoch();
    let sink = |experiment: &str, patience: u64| {
        format!(
            "sinks=[Mlflow(uri: \"http://127.0.0.1:{port}\", experiment: \"{experiment}\", run_name: \"first one\", tags: {{\"team\": \"a\"}}, \
             artifacts: Best, patience: {patience}.0)]"
        )
    };
    let settings = sink("killed", 60);
    let options = ["--set", &settings, "--set", "hooks.logger.interval=1"];
    let mut training = bench.start_paused(400, &options);
    training.wait_for("iter 5");
    let until = Instant::now() + Duration::from_secs(60);
    let id = loop {
        let noted = std::fs::read_to_string(bench.path("runs/run/mlflow.json")).ok();
        let noted = noted.map(|text| serde_json::from_str::<Value>(&text).unwrap()["run"].as_str().unwrap().to_owned());
        match noted {
            Some(id) if server.history(&id, "train/loss").last().is_some_and(|(step, _)| *step >= 5) => break id,
            _ => assert!(Instant::now() < until, "no row has come to the server"),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    training.kill();
    training.end();
    bench.train(&[&["--resume"], &options[..]].concat()).exits(0);
    assert_complete(&server, &id, &bench.path("runs/run"));
    let runs = server.runs("killed");
    assert_eq!(runs.len(), 1, "{runs:?}");
    let (info, data) = (&runs[0]["info"], &runs[0]["data"]);
    assert_eq!(
        (&info["status"], &info["run_name"], &info["run_id"]),
        (&"FINISHED".into(), &"first one".into(), &id.as_str().into())
    );
    let has = |list: &Value, key: &str, value: &str| {
        list.as_array().unwrap().iter().any(|one| one["key"] == key && one["value"] == value)
    };
    assert!(has(&data["params"], "optimizer.lr", "0.02") && has(&data["params"], "optimizer", "AdamW"), "{data}");
    assert!(has(&data["tags"], "team", "a"), "{data}");
    // the best checkpoint, byte for byte
    let kept =
        folder.path().join("artifacts").join(info["experiment_id"].as_str().unwrap()).join(&id).join("artifacts");
    let best = "checkpoints/best_val_accuracy/manifest";
    assert_eq!(std::fs::read(kept.join(best)).unwrap(), std::fs::read(bench.path("runs/run").join(best)).unwrap());
    assert!(kept.join("experiment.ron").is_file());

    // a server that goes while the training goes on, and comes back after it
    let bench = Bench::by_epoch();
    let settings = sink("away", 1);
    let options = ["--set", &settings, "--set", "hooks.logger.interval=1"];
    let mut training = bench.start_paused(300, &options);
    training.wait_for("iter 2");
    let until = Instant::now() + Duration::from_secs(60);
    while !bench.path("runs/run/mlflow.json").is_file() {
        assert!(Instant::now() < until, "the run is not at the server");
        std::thread::sleep(Duration::from_millis(50));
    }
    server.stop();
    let ended = training.end().exits(0);
    assert!(ended.stdout.contains("not everything has reached MLflow"), "{ended}");
    assert!(log(&bench.path("runs/run")).iter().any(|line| line.contains("does not answer")), "{ended}");
    let server = Server::start(folder.path(), port);
    let settings = sink("away", 60);
    bench.train(&["--resume", "--set", &settings, "--set", "hooks.logger.interval=1"]).exits(0);
    let runs = server.runs("away");
    assert_eq!((runs.len(), &runs[0]["info"]["status"]), (1, &"FINISHED".into()), "{runs:?}");
    assert_complete(&server, runs[0]["info"]["run_id"].as_str().unwrap(), &bench.path("runs/run"));
    // a command that evaluates adds its results
    bench.run(&["test", "exp.ron", "--checkpoint", "runs/run", "--set", &settings]).exits(0);
    assert_complete(&server, runs[0]["info"]["run_id"].as_str().unwrap(), &bench.path("runs/run"));
}
