//! The few requests to MLflow's REST interface that a run needs.
//!
//! Each has limits on how long it may take. Never: a password or a token is in a message.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::fmt;
use std::io::Read;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body, SendBody};

/// The most bytes of an answer.
const LONGEST_ANSWER: u64 = 64 << 20;
/// Characters of an answer that are shown.
const SHOWN: usize = 200;

/// Why a request has come to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The server is not there, or can't answer now: a later try may help.
    Away(String),
    /// It refuses, or it is no MLflow server: another try does not help.
    Refused {
        /// `RESOURCE_DOES_NOT_EXIST`; empty where it has told none.
        code: String,
        /// A sentence.
        why: String,
    },
}

impl Problem {
    pub(super) fn refused(why: impl Into<String>) -> Problem {
        Problem::Refused { code: String::new(), why: why.into() }
    }

    /// Whether the server has told this code.
    pub(super) fn has_code(&self, wanted: &str) -> bool {
        matches!(self, Problem::Refused { code, .. } if code == wanted)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Away(why) | Problem::Refused { why, .. } => f.write_str(why),
        }
    }
}

/// A server, and who asks it.
pub(super) struct Server {
    agent: Agent,
    /// Without a `/` at the end.
    uri: String,
    /// The value of the header `Authorization`.
    access: Option<String>,
    /// Whether it has answered as MLflow does. Only then a strange answer may be that of something in between.
    met: bool,
}

impl Server {
    /// The server at an address, with the credentials that MLflow's own client takes: `MLFLOW_TRACKING_TOKEN`, or
    /// `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`. Nothing is sent.
    pub(super) fn at(uri: &str) -> Server {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let access = match (variable("MLFLOW_TRACKING_TOKEN"), variable("MLFLOW_TRACKING_USERNAME")) {
            (Some(token), _) => Some(format!("Bearer {token}")),
            (None, Some(name)) => {
                let password = variable("MLFLOW_TRACKING_PASSWORD").unwrap_or_default();
                Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}"))))
            }
            (None, None) => None,
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_recv_body(Some(Duration::from_secs(60)))
            .timeout_per_write(Some(Duration::from_secs(30)))
            .build();
        let agent = Agent::new_with_config(config);
        Server { agent, uri: uri.trim_end_matches('/').to_owned(), access, met: false }
    }

    /// Asks `api/2.0/mlflow/PATH` with a body.
    pub(super) fn post(&mut self, path: &str, body: &Value) -> Result<Value, Problem> {
        let request = self.agent.post(format!("{}/api/2.0/mlflow/{path}", self.uri));
        let request = request.header("Content-Type", "application/json");
        let answer = self.allowed(request).send(body.to_string());
        self.json(answer)
    }

    /// Asks `api/2.0/mlflow/PATH` with a query.
    pub(super) fn get(&mut self, path: &str, query: &[(&str, &str)]) -> Result<Value, Problem> {
        let mut request = self.agent.get(format!("{}/api/2.0/mlflow/{path}", self.uri));
        for (name, value) in query {
            request = request.query(*name, *value);
        }
        let answer = self.allowed(request).call();
        self.json(answer)
    }

    /// Writes an artifact of this length; `path` begins with that of the run's artifacts.
    pub(super) fn put_artifact(&mut self, path: &str, length: u64, content: &mut impl Read) -> Result<(), Problem> {
        let path: Vec<String> = path.split('/').map(escaped).collect();
        let request = self.agent.put(format!("{}/api/2.0/mlflow-artifacts/artifacts/{}", self.uri, path.join("/")));
        let request = request.header("Content-Type", "application/octet-stream").header("Content-Length", length);
        let answer = self.allowed(request).send(SendBody::from_reader(content));
        // the body of the answer is empty
        self.answered(answer).map(drop)
    }

    fn allowed<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.access {
            Some(access) => request.header("Authorization", access),
            None => request,
        }
    }

    /// The body of an answer that says yes.
    fn json(&mut self, answer: Result<Response<Body>, ureq::Error>) -> Result<Value, Problem> {
        let body = self.answered(answer)?;
        match serde_json::from_slice(&body) {
            Ok(value @ Value::Object(_)) => {
                self.met = true;
                Ok(value)
            }
            _ => Err(self.strange(200, &shown(&String::from_utf8_lossy(&body)))),
        }
    }

    fn answered(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, Problem> {
        let mut answer = answer.map_err(|error| self.away(&error))?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        let read = answer.body_mut().as_reader().take(LONGEST_ANSWER).read_to_end(&mut body);
        read.map_err(|error| self.away(&ureq::Error::Io(error)))?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let value: Option<Value> = serde_json::from_slice(&body).ok();
        let code = value.as_ref().and_then(|value| value["error_code"].as_str()).unwrap_or_default();
        let uri = &self.uri;
        let told = value.as_ref().and_then(|value| value["message"].as_str()).map(shown);
        let told = told.unwrap_or_else(|| shown(&String::from_utf8_lossy(&body)));
        match status {
            401 | 403 => Err(Problem::refused(format!(
                "`{uri}` gives no access ({status}): set `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`"
            ))),
            408 | 429 | 500.. => Err(Problem::Away(format!("`{uri}` can't answer now ({status}): {told}"))),
            _ if !code.is_empty() => {
                Err(Problem::Refused { code: code.to_owned(), why: format!("`{uri}` refuses ({code}): {told}") })
            }
            _ => Err(self.strange(status, &told)),
        }
    }

    /// An answer that is none of MLflow's. Once the server was met, something in between may have given it.
    fn strange(&self, status: u16, told: &str) -> Problem {
        let uri = &self.uri;
        match self.met {
            true => Problem::Away(format!("`{uri}` answers as no MLflow server does ({status}): {told}")),
            false => Problem::refused(format!("at `{uri}` is no MLflow server ({status}): {told}")),
        }
    }

    fn away(&self, error: &ureq::Error) -> Problem {
        let why = match error {
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::Timeout(what) => format!("it took too long ({what})"),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Tls(why) => (*why).to_owned(),
            ureq::Error::Rustls(error) => error.to_string(),
            ureq::Error::ConnectionFailed => "no connection".to_owned(),
            // what is no HTTP may be something else at this port
            _ if !self.met => {
                return Problem::refused(format!("at `{}` is no MLflow server: it does not speak HTTP", self.uri));
            }
            _ => "it does not speak HTTP as it should".to_owned(),
        };
        Problem::Away(format!("`{}` does not answer: {why}", self.uri))
    }
}

/// The begin of an answer, on one line, without what a terminal takes for a command.
fn shown(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|character| !character.is_control()).collect();
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A part of a path: all but what stays as it is in any part of an address (RFC 3986, section 2.3).
fn escaped(part: &str) -> String {
    const OTHERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(part, OTHERS).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_without_commands_for_a_terminal() {
        assert_eq!(shown("a\n \u{1b}[31mred\u{7}  b"), "a [31mred b");
    }

    #[test]
    fn a_part_of_a_path_is_no_path() {
        assert_eq!(escaped("a b/ä~%"), "a%20b%2F%C3%A4~%25");
    }
}
