//! MLflow: parameters, metrics and the best checkpoints of a run, at a tracking server.

mod address;
mod names;
mod rest;
mod rows;
mod run;
mod sender;
mod uploads;

use crate::base::error::{Error, Result};
use crate::base::waiting::Waiting;
use crate::record::{Cell, Event, Outcome, Row, RowPhase, RunInfo, Sink, ValueKind};
use address::Address;
use engine_macros::component;
use rest::{Problem, Server};
use run::Job;
use sender::Sender;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the begin of a run waits for the server, so that a wrong address is told at once.
const FIRST: Duration = Duration::from_secs(2);

/// How long a run that was stopped or has failed waits for the server at most: a cluster kills a process some seconds after it has
/// told it to end.
const AFTER_A_STOP: Duration = Duration::from_secs(5);

/// Sends the run to an MLflow server: its settings as parameters, its rows as metrics with their iters as steps.
///
/// A thread of its own sends what is in `metrics.jsonl`, so the training never waits, and while the server is away nothing is lost.
/// A resumed run goes on with its run there, and no step is there twice: a value that the server has stays, also where a resumed
/// training computes that iter again. Images, histograms and texts are not sent.
///
/// Credentials are those of MLflow's own client: `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and
/// `MLFLOW_TRACKING_PASSWORD`.
#[component(sink)]
pub struct Mlflow {
    /// The address of the server.
    #[config(example = Address("http://127.0.0.1:5000".to_owned()), resets_state)]
    uri: Address,
    /// The experiment there, which is made where it is missing.
    #[config(default = "Default", resets_state)]
    experiment: String,
    /// The name of the run there; by default its own.
    #[config(default)]
    run_name: Option<String>,
    /// Tags of the run.
    #[config(default)]
    tags: BTreeMap<String, String>,
    /// What is uploaded at the end of the training.
    #[config(default = Artifacts::Nothing)]
    artifacts: Artifacts,
    /// Seconds to wait at the end of the run while nothing gets through to the server. Ctrl-C ends the wait. A run that was stopped
    /// or has failed waits 5 seconds at most.
    #[config(default = 30.0, range = 0.0..=86400.0)]
    patience: f64,
    /// The id of the run at the server.
    #[state]
    run: Option<String>,
    #[transient]
    sender: Option<Sender>,
    /// What a person has to know of the opening.
    #[transient]
    notice: Option<String>,
}

/// What is uploaded at the end of a training.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Artifacts {
    /// Nothing.
    Nothing,
    /// The experiment, and the best checkpoint of each metric in `save_best`.
    Best,
}

impl Mlflow {
    fn job(&self, run: &RunInfo) -> Result<Job> {
        let is_training = run.phase == RowPhase::Train;
        let rows = run.folder.join("metrics.jsonl");
        // a command that evaluates sends what it adds itself
        let first = if is_training { 0 } else { rows.metadata().map_or(0, |found| found.len()) };
        let trained = run.resumed.map_or(0, |at| (at.time * 1e3) as i64);
        let folder = run.folder.canonicalize().unwrap_or_else(|_| run.folder.clone());
        let program =
            std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let own = [("mlflow.source.type", "LOCAL".to_owned()), ("mlflow.source.name", program.unwrap_or_default())];
        let own = own.into_iter().chain([("engine.folder", folder.display().to_string())]);
        let mut tags: BTreeMap<String, String> = own.map(|(key, value)| (key.to_owned(), value)).collect();
        tags.extend(std::env::var("USER").ok().map(|user| ("mlflow.user".to_owned(), user)));
        tags.extend(self.tags.clone());
        let text = |value: &Cell| match value {
            Cell::Number(number) => number.to_string(),
            Cell::Bool(flag) => flag.to_string(),
            Cell::Text(text) => text.clone(),
        };
        let parameters = run.settings.iter().map(|(path, value)| (names::plain(path), names::value(&text(value))));
        Ok(Job {
            server: Server::at(&self.uri.0),
            uri: self.uri.0.clone(),
            experiment: self.experiment.clone(),
            name: self.run_name.clone().unwrap_or_else(|| run.name.clone()),
            tags: tags.into_iter().map(|(key, value)| (names::plain(&key), names::value(&value))).collect(),
            parameters: parameters.collect(),
            folder: run.folder.clone(),
            rows,
            first,
            goes_on: run.resumed.is_some(),
            is_training,
            begun: run::now() - trained,
            uploads_best: self.artifacts == Artifacts::Best,
        })
    }

    fn check(&self) -> Result<()> {
        match self.sender.as_ref().and_then(Sender::refused) {
            Some(why) => Err(Error::msg(why)),
            None => Ok(()),
        }
    }
}

impl Sink for Mlflow {
    fn open(&mut self, run: &RunInfo) -> Result<()> {
        if let Some(sender) = &self.sender {
            // a training that goes back to an earlier state
            sender.begin_anew();
            return Ok(());
        }
        let sender = Sender::begin(self.job(run)?)?;
        match sender.first(FIRST) {
            Some(Err(refused @ Problem::Refused { .. })) => return Err(Error::msg(refused.to_string())),
            Some(Err(away)) => {
                self.notice = Some(format!("{away}; rows wait in `metrics.jsonl` and are sent when it does"));
            }
            None => {
                let told = "has not answered yet; rows wait in `metrics.jsonl` and are sent when it does";
                self.notice = Some(format!("`{}` {told}", self.uri.0));
            }
            Some(Ok(())) => self.notice = sender.notice(),
        }
        self.sender = Some(sender);
        Ok(())
    }

    fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    fn takes(&self, kind: ValueKind) -> bool {
        kind == ValueKind::Number
    }

    /// Numbers come in rows.
    fn event(&mut self, _: &Event) -> Result<()> {
        Ok(())
    }

    /// The row is sent from the file in which it is.
    fn row(&mut self, _: &Row) -> Result<()> {
        self.check()
    }

    fn flush(&mut self) -> Result<()> {
        if let Some(run) = self.sender.as_ref().and_then(Sender::run) {
            self.run = Some(run);
        }
        self.check()
    }

    fn end(&mut self, how: Outcome) -> Result<()> {
        let Some(sender) = &self.sender else { return Ok(()) };
        let patience = Duration::try_from_secs_f64(self.patience).unwrap_or(Duration::MAX);
        let patience = if how == Outcome::Finished { patience } else { patience.min(AFTER_A_STOP) };
        let waiting = Waiting::at_end(format!("MLflow at `{}`", self.uri.0));
        sender.end(how, patience, &waiting).map_err(|why| {
            Error::msg(format!(
                "not everything has reached MLflow: {why}. The rows are in `metrics.jsonl`; `--resume` sends them"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::waiting::{interrupt, waited_for};
    use crate::record::{Moment, SinkComponent as _};
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    /// What answers at a port is no MLflow server: the answer to every request.
    fn answering(answer: &'static [u8]) -> String {
        serve(move |mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        })
    }

    fn serve(each: impl Fn(TcpStream) + Send + Clone + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let each = each.clone();
                std::thread::spawn(move || each(stream));
            }
        });
        uri
    }

    fn opened(uri: &str) -> (Mlflow, Result<()>) {
        let settings = format!("(uri: {uri:?}, patience: 0.3)");
        let mut sink = Mlflow::build(&ron::from_str(&settings).unwrap());
        let dir = tempfile::tempdir().unwrap();
        let opened = sink.open(&RunInfo::new("run", dir.path()));
        (sink, opened)
    }

    #[test]
    fn what_is_no_mlflow_server_is_told_at_once() {
        let cases: [(&[u8], &str); 5] = [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", "is no MLflow server (200): <html></html>"),
            (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "is no MLflow server (404)"),
            (
                b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
                "is no MLflow server (302)",
            ),
            (b"SSH-2.0-OpenSSH_9\r\n", "is no MLflow server: it does not speak HTTP"),
            (
                b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
                "gives no access (401): set `MLFLOW_TRACKING_TOKEN`",
            ),
        ];
        for (answer, told) in cases {
            let (_, opened) = opened(&answering(answer));
            let error = opened.unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        // it speaks of runs, and tells no id
        let (_, opened) = opened(&answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
        assert!(opened.unwrap_err().to_string().contains("tells no id of the experiment `Default`"));
    }

    #[test]
    fn a_server_that_is_away_or_hangs_keeps_neither_rows_nor_the_end_waiting() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let silent = serve(|stream| {
            std::thread::sleep(Duration::from_secs(60));
            drop(stream);
        });
        let busy = answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nwait");
        for (uri, told) in [
            (format!("http://{closed}"), "does not answer: Connection refused"),
            (silent, "has not answered yet"),
            (busy, "can't answer now (503): wait"),
        ] {
            let (mut sink, opened) = opened(&uri);
            opened.unwrap();
            let notice = sink.notice().unwrap();
            assert!(notice.contains(told) && notice.contains("rows wait in `metrics.jsonl`"), "{notice}");
            let row = Row { phase: RowPhase::Train, loader: None, at: Moment::default(), values: Vec::new() };
            let begun = Instant::now();
            (0..1000).for_each(|_| sink.row(&row).unwrap());
            sink.flush().unwrap();
            assert!(begun.elapsed() < Duration::from_millis(200), "{:?}", begun.elapsed());
            let begun = Instant::now();
            let error = sink.end(Outcome::Finished).unwrap_err().to_string();
            assert!(
                error.contains("not everything has reached MLflow") && error.contains("`--resume` sends them"),
                "{error}"
            );
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
    }

    #[test]
    fn a_signal_ends_the_wait_for_a_server_and_a_stopped_run_waits_no_longer_than_a_cluster() {
        let silent = serve(|stream| {
            std::thread::sleep(Duration::from_secs(60));
            drop(stream);
        });
        let (mut sink, opened) = opened(&silent);
        opened.unwrap();
        sink.patience = 86400.0;
        let begun = Instant::now();
        let ended = std::thread::scope(|scope| {
            let ended = scope.spawn(|| sink.end(Outcome::Finished));
            while waited_for().is_none_or(|waited| !waited.at_end) {
                std::thread::sleep(Duration::from_millis(10));
            }
            interrupt();
            ended.join().unwrap()
        });
        assert!(ended.unwrap_err().to_string().contains("`--resume` sends them"));
        assert!(begun.elapsed() < AFTER_A_STOP, "{:?}", begun.elapsed());
        sink.end(Outcome::Interrupted).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    }
}
