//! A run at the server: it is made or found, gets its parameters and rows, and ends.

use super::rest::{Problem, Server};
use super::rows::{self, Known};
use super::uploads::Uploads;
use crate::base::disk::write_atomic;
use crate::record::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// What is known of the run at the server, in the run's folder.
const NOTE: &str = "mlflow.json";
/// The most metrics and parameters of a request.
const MOST_METRICS: usize = 1000;
const MOST_PARAMETERS: usize = 100;

/// What is sent, and where to.
pub(super) struct Job {
    pub(super) server: Server,
    pub(super) uri: String,
    pub(super) experiment: String,
    pub(super) name: String,
    pub(super) tags: Vec<(String, String)>,
    /// The settings of the experiment.
    pub(super) parameters: Vec<(String, String)>,
    /// The run's folder.
    pub(super) folder: PathBuf,
    pub(super) rows: PathBuf,
    /// Where the rows begin that are to be sent.
    pub(super) first: u64,
    /// Whether a run of these rows may be at the server already.
    pub(super) goes_on: bool,
    /// Whether this is the training, and not a command that evaluates one of its checkpoints.
    pub(super) is_training: bool,
    /// When the run began, in milliseconds since 1970.
    pub(super) begun: i64,
    /// Whether the experiment and the best checkpoints are uploaded at the end.
    pub(super) uploads_best: bool,
}

/// A run at the server.
pub(super) struct Link {
    note: Note,
    /// Up to where the rows were sent.
    position: u64,
    known: Known,
    uploads: Uploads,
    notice: Option<String>,
}

/// The content of [`NOTE`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    uri: String,
    experiment: String,
    run: String,
    /// Milliseconds since 1970, from which the times of rows count.
    begun: i64,
}

impl Link {
    /// The id of the run.
    pub(super) fn run(&self) -> &str {
        &self.note.run
    }

    /// What a person has to know; once.
    pub(super) fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    /// Rows were cut: they are looked at from their begin.
    pub(super) fn begin_anew(&mut self) {
        self.position = 0;
    }
}

impl Job {
    /// Finds the run at the server, or makes it.
    pub(super) fn connect(&mut self) -> Result<Link, Problem> {
        let noted = self.noted().filter(|_| self.goes_on || !self.is_training);
        let found = match noted {
            Some(note) => self.find(note)?,
            None => None,
        };
        let mut link = match found {
            Some(link) => link,
            None if self.is_training => self.make()?,
            None => {
                let why = format!(
                    "the training of `{}` is not at `{}`, so the results of this command can't be added to it",
                    self.folder.display(),
                    self.uri
                );
                return Err(Problem::refused(why));
            }
        };
        if self.is_training {
            self.set_parameters(&mut link)?;
        }
        // from now on this is the run, also after another failure
        self.goes_on = true;
        Ok(link)
    }

    fn noted(&self) -> Option<Note> {
        let text = std::fs::read(self.folder.join(NOTE)).ok()?;
        let note: Note = serde_json::from_slice(&text).ok()?;
        (note.uri == self.uri && note.experiment == self.experiment).then_some(note)
    }

    /// The run that was made before; `None` where the server has it no more.
    fn find(&mut self, note: Note) -> Result<Option<Link>, Problem> {
        let answer = match self.server.get("runs/get", &[("run_id", &note.run)]) {
            Err(problem) if problem.has_code("RESOURCE_DOES_NOT_EXIST") => return Ok(None),
            answer => answer?,
        };
        let info = &answer["run"]["info"];
        if info["lifecycle_stage"] == "deleted" {
            return Ok(None);
        }
        let step = |metric: &Value| Some((metric["key"].as_str()?.to_owned(), whole(&metric["step"])?));
        let known = answer["run"]["data"]["metrics"].as_array().into_iter().flatten().filter_map(step).collect();
        let artifacts = info["artifact_uri"].as_str().unwrap_or_default().to_owned();
        if self.is_training {
            self.server.post("runs/update", &json!({ "run_id": note.run, "status": "RUNNING" }))?;
        }
        Ok(Some(Link { note, position: self.first, known, uploads: Uploads::to(artifacts), notice: None }))
    }

    fn make(&mut self) -> Result<Link, Problem> {
        let experiment = self.experiment_id()?;
        let tags: Vec<Value> = self.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let body =
            json!({ "experiment_id": experiment, "run_name": self.name, "start_time": self.begun, "tags": tags });
        let answer = self.server.post("runs/create", &body)?;
        let info = &answer["run"]["info"];
        let told = || Problem::refused(format!("`{}` has made a run and does not tell its id", self.uri));
        let run = info["run_id"].as_str().ok_or_else(told)?.to_owned();
        let artifacts = info["artifact_uri"].as_str().unwrap_or_default().to_owned();
        let note = Note { uri: self.uri.clone(), experiment: self.experiment.clone(), run, begun: self.begun };
        let text = serde_json::to_vec(&note).map_err(|error| Problem::refused(error.to_string()))?;
        let path = self.folder.join(NOTE);
        // without it a resumed run would begin another one
        write_atomic(&path, &text).map_err(|error| Problem::refused(error.to_string()))?;
        Ok(Link { note, position: self.first, known: Known::new(), uploads: Uploads::to(artifacts), notice: None })
    }

    fn experiment_id(&mut self) -> Result<String, Problem> {
        let name = self.experiment.clone();
        for _ in 0..2 {
            let found = match self.server.get("experiments/get-by-name", &[("experiment_name", &name)]) {
                Err(problem) if problem.has_code("RESOURCE_DOES_NOT_EXIST") => {
                    self.server.post("experiments/create", &json!({ "name": name }))
                }
                found => found,
            };
            let answer = match found {
                // another run has made it in this instant
                Err(problem) if problem.has_code("RESOURCE_ALREADY_EXISTS") => continue,
                found => found?,
            };
            if answer["experiment"]["lifecycle_stage"] == "deleted" {
                let why = format!(
                    "the experiment `{name}` was deleted at `{}`: restore it there, or name another one",
                    self.uri
                );
                return Err(Problem::refused(why));
            }
            let id = answer["experiment_id"].as_str().or(answer["experiment"]["experiment_id"].as_str());
            if let Some(id) = id {
                return Ok(id.to_owned());
            }
        }
        Err(Problem::refused(format!("`{}` tells no id of the experiment `{name}`", self.uri)))
    }

    /// Sends the settings that the server does not have yet. It never changes one.
    fn set_parameters(&mut self, link: &mut Link) -> Result<(), Problem> {
        let answer = self.server.get("runs/get", &[("run_id", &link.note.run)])?;
        let there = answer["run"]["data"]["params"].as_array().cloned().unwrap_or_default();
        let there = |key: &str| {
            let found = there.iter().find(|param| param["key"] == key)?;
            found["value"].as_str().map(str::to_owned)
        };
        let mut fresh: Vec<Value> = Vec::new();
        let mut changed: Vec<&str> = Vec::new();
        for (key, value) in &self.parameters {
            match there(key) {
                None => fresh.push(json!({ "key": key, "value": value })),
                Some(known) if known != *value => changed.push(key),
                Some(_) => {}
            }
        }
        if !changed.is_empty() {
            link.notice = Some(format!(
                "MLflow changes no parameter of a run: `{}` keep the values of the first training there",
                changed.join("`, `")
            ));
        }
        for part in fresh.chunks(MOST_PARAMETERS) {
            self.server.post("runs/log-batch", &json!({ "run_id": link.note.run, "params": part }))?;
        }
        Ok(())
    }

    /// Sends the rows that are there.
    pub(super) fn send_rows(&mut self, link: &mut Link, moved: &dyn Fn()) -> Result<(), Problem> {
        loop {
            let length = std::fs::metadata(&self.rows).map_or(0, |found| found.len());
            if length < link.position {
                link.position = 0;
            }
            let read = rows::read(&self.rows, link.position, link.note.begun, &link.known);
            let part =
                read.map_err(|error| Problem::refused(format!("`{}` can't be read: {error}", self.rows.display())))?;
            if part.end == link.position {
                return Ok(());
            }
            for metrics in part.metrics.chunks(MOST_METRICS) {
                let values: Vec<Value> = metrics.iter().map(rows::Metric::json).collect();
                self.server.post("runs/log-batch", &json!({ "run_id": link.note.run, "metrics": values }))?;
                for metric in metrics {
                    link.known.insert(metric.key.clone(), metric.step);
                }
                moved();
            }
            link.position = part.end;
        }
    }

    /// Uploads what is wanted, and notes how the run has ended.
    pub(super) fn end(&mut self, link: &mut Link, how: Outcome, moved: &dyn Fn()) -> Result<(), Problem> {
        if !self.is_training {
            return Ok(());
        }
        if self.uploads_best && matches!(how, Outcome::Finished | Outcome::Stopped) {
            let uri = &self.uri;
            link.uploads.send(&mut self.server, uri, &self.folder, moved)?;
        }
        let status = match how {
            Outcome::Finished | Outcome::Stopped => "FINISHED",
            Outcome::Interrupted => "KILLED",
            Outcome::Failed => "FAILED",
        };
        let body = json!({ "run_id": link.note.run, "status": status, "end_time": now() });
        self.server.post("runs/update", &body).map(drop)
    }
}

/// A number that JSON of protocol buffers may hold as a text.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "MLflow shows when a run began and ended")]
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_may_be_a_text() {
        assert_eq!(
            [json!(5), json!("5"), json!("x"), json!(null)].map(|value| whole(&value)),
            [Some(5), Some(5), None, None]
        );
    }
}
