//! As much of HTTP/1.1 as a page on this machine needs: one GET a connection, an answer, the end.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The longest head of a request.
const LONGEST_HEAD: usize = 16 << 10;
/// How long a browser may take to send a request, or to take an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a browser asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Without its query: `/api/runs`.
    pub(super) path: String,
    /// Names and values behind the `?`, in order.
    pub(super) query: Vec<(String, String)>,
    /// The host that the browser means: `127.0.0.1:6100`.
    pub(super) host: Option<String>,
    /// The cookies, as they are sent.
    pub(super) cookies: String,
    /// Only the head of the answer is wanted.
    pub(super) is_head: bool,
}

impl Request {
    /// Reads the head of a request.
    ///
    /// # Errors
    /// The answer, when it is no request that is answered here. Nothing, when the browser has gone.
    pub(super) fn read(stream: &mut TcpStream) -> Result<Request, Option<Answer>> {
        stream
            .set_read_timeout(Some(PATIENCE))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
            .map_err(|_| None)?;
        let begun = std::time::Instant::now();
        let (mut head, mut part) = (Vec::new(), [0; 2048]);
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if head.len() > LONGEST_HEAD || begun.elapsed() > PATIENCE {
                return Err(Some(Answer::error(431, "the head of the request is too long, or too slow")));
            }
            match stream.read(&mut part) {
                Ok(0) | Err(_) => return Err(None),
                Ok(read) => head.extend_from_slice(&part[..read]),
            }
        }
        Request::parse(&head).map_err(Some)
    }

    fn parse(head: &[u8]) -> Result<Request, Answer> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        let whole = parsed.parse(head).is_ok_and(|status| status.is_complete());
        let (Some(method), Some(target), true) = (parsed.method, parsed.path, whole) else {
            return Err(Answer::error(400, "this is not a request"));
        };
        if !matches!(method, "GET" | "HEAD") {
            return Err(Answer::error(405, "only GET is answered"));
        }
        let header = |name: &str| {
            let mut all = parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
            let one = all.next().map(|header| String::from_utf8_lossy(header.value).into_owned());
            // of two hosts nobody knows which is meant
            one.filter(|_| all.next().is_none())
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = form_urlencoded::parse(query.as_bytes());
        Ok(Request {
            path: path.to_owned(),
            query: query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
            host: header("host"),
            cookies: header("cookie").unwrap_or_default(),
            is_head: method == "HEAD",
        })
    }

    /// The first value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name, in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is sent back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    /// Further headers, each without its end.
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A body of this kind: `text/css`.
    pub(super) fn new(kind: &'static str, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 200, kind, headers: Vec::new(), body: body.into() }
    }

    /// A value as JSON.
    pub(super) fn json(value: &impl serde::Serialize) -> Answer {
        match serde_json::to_vec(value) {
            Ok(body) => Answer::new("application/json", body),
            Err(error) => Answer::error(500, &format!("the answer can't be written: {error}")),
        }
    }

    /// A refusal, with a sentence that says why.
    pub(super) fn error(status: u16, why: &str) -> Answer {
        Answer { status, ..Answer::new("text/plain; charset=utf-8", format!("{why}\n")) }
    }

    /// Sends it.
    ///
    /// # Errors
    /// When the browser has gone.
    pub(super) fn send(&self, stream: &mut TcpStream, only_head: bool) -> io::Result<()> {
        let mut head = self.head();
        head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", self.body.len()));
        stream.write_all(head.as_bytes())?;
        if !only_head {
            stream.write_all(&self.body)?;
        }
        stream.flush()
    }

    /// Sends the head alone: events follow, without an end.
    ///
    /// # Errors
    /// When the browser has gone.
    pub(super) fn begin(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(format!("{}Connection: close\r\n\r\n", self.head()).as_bytes())
    }

    fn head(&self) -> String {
        let reason = match self.status {
            200 => "OK",
            303 => "See Other",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            431 => "Request Header Fields Too Large",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut head = format!("HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\n", self.status, self.kind);
        for header in SAFE.iter().copied().chain(self.headers.iter().map(String::as_str)) {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head
    }
}

/// With every answer. Only the page's own scripts run, whatever a run has written; no other page shows this one in a frame,
/// or reads what it shows; nothing is loaded from elsewhere.
const SAFE: [&str; 6] = [
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "Cross-Origin-Resource-Policy: same-origin",
    "Cross-Origin-Opener-Policy: same-origin",
    "Referrer-Policy: no-referrer",
    "Cache-Control: no-store",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_its_query_and_headers() {
        let head =
            b"GET /api/curves?run=a%26b&run=c&key=train%2Floss HTTP/1.1\r\nhost: localhost:1\r\nCookie: a=b\r\n\r\n";
        let request = Request::parse(head).unwrap();
        assert_eq!(request.path, "/api/curves");
        assert_eq!(request.all("run").collect::<Vec<_>>(), ["a&b", "c"]);
        assert_eq!((request.get("key"), request.get("x")), (Some("train/loss"), None));
        assert_eq!((request.host.as_deref(), request.cookies.as_str()), (Some("localhost:1"), "a=b"));
    }

    #[test]
    fn what_is_no_get_is_refused() {
        let status = |head: &[u8]| Request::parse(head).unwrap_err().status;
        assert_eq!(status(b"POST / HTTP/1.1\r\n\r\n"), 405);
        assert_eq!(status(b"\x16\x03\x01\r\n\r\n"), 400);
        assert_eq!(status(b"GET / HTTP/1.1\r\nHost"), 400);
        let twice = Request::parse(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").unwrap();
        assert_eq!(twice.host, None);
    }
}
