//! A bucket: the few requests that a mirror needs.
//!
//! Each request is signed and sent by itself, with limits on how long it may take. One that fails because of the network or the
//! server is tried again a few times.

use super::MirrorError;
use super::credentials::Access;
use crate::base::disk::DiskContext as _;
use crate::base::plain;
use rusty_s3::actions::{
    AbortMultipartUpload, CompleteMultipartUpload, CompleteMultipartUploadResponse, CreateMultipartUpload,
    ListObjectsV2, S3Action as _, UploadPart,
};
use rusty_s3::{Bucket, UrlStyle};
use std::fs::OpenOptions;
use std::io::{Read, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// A bucket and who asks for it.
pub(super) struct Store {
    agent: Agent,
    bucket: Bucket,
    access: Access,
    /// The host, for messages.
    host: String,
}

/// An object: its whole key, and its size in bytes.
pub(super) struct Object {
    pub(super) key: String,
    pub(super) size: u64,
}

/// How long a signed request is valid.
const VALID: Duration = Duration::from_secs(900);
/// The pauses before another try.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];
/// A larger file is sent in parts of this size: what fails is sent again, and what is in memory.
const PART: u64 = 64 << 20;
/// The most bytes of an answer that is a text.
const LONGEST_ANSWER: u64 = 16 << 20;

impl Store {
    /// The bucket of this name, with the credentials of now.
    ///
    /// # Errors
    /// When there are no credentials, or the endpoint is no address.
    pub(super) fn open(bucket: &str) -> Result<Store, MirrorError> {
        Store::with(Access::find()?, bucket)
    }

    fn with(access: Access, bucket: &str) -> Result<Store, MirrorError> {
        let wrong = |why: &str| MirrorError::Credentials(format!("the endpoint is no address: {why}"));
        let (endpoint, style) = match &access.endpoint {
            Some(endpoint) => (endpoint.clone(), UrlStyle::Path),
            // certificates hold for one name before the rest
            None if bucket.contains('.') => (format!("https://s3.{}.amazonaws.com", access.region), UrlStyle::Path),
            None => (format!("https://s3.{}.amazonaws.com", access.region), UrlStyle::VirtualHost),
        };
        let endpoint: ureq::http::Uri =
            endpoint.parse().map_err(|_| wrong("set `AWS_ENDPOINT_URL` to `https://host`"))?;
        let host = endpoint.authority().map(|authority| authority.host().to_owned()).unwrap_or_default();
        let url = endpoint.to_string().parse().map_err(|_| wrong("set `AWS_ENDPOINT_URL` to `https://host`"))?;
        let bucket = Bucket::new(url, style, bucket.to_owned(), access.region.clone());
        let bucket = bucket.map_err(|error| wrong(&error.to_string()))?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .timeout_per_write(Some(Duration::from_secs(60)))
            .build();
        Ok(Store { agent: Agent::new_with_config(config), bucket, access, host })
    }

    pub(super) fn bucket(&self) -> &str {
        self.bucket.name()
    }

    /// Every object whose key begins with this.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<Object>, MirrorError> {
        let (mut found, mut next) = (Vec::new(), None::<String>);
        loop {
            let address = self.address(prefix);
            let text = self.tries(|| {
                let mut action = ListObjectsV2::new(&self.bucket, Some(&self.access.credentials));
                action.with_prefix(prefix);
                if let Some(token) = &next {
                    action.with_continuation_token(token.as_str());
                }
                let answer = self.agent.get(action.sign(VALID).as_str()).call();
                self.text(answer, &address, "listed")
            })?;
            let answer = ListObjectsV2::parse_response(&text).map_err(|error| MirrorError::Answer {
                address: self.address(prefix),
                doing: "listed",
                why: error.to_string(),
            })?;
            for object in answer.contents {
                found.push(Object { key: object.key, size: object.size.unwrap_or_default() });
            }
            next = answer.next_continuation_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Opens an object to be read.
    pub(super) fn get(&self, key: &str) -> Result<impl Read + use<>, MirrorError> {
        self.tries(|| {
            let url = self.bucket.get_object(Some(&self.access.credentials), key).sign(VALID);
            let answer = self.good(self.agent.get(url.as_str()).call(), &self.address(key), "read")?;
            Ok(answer.into_body().into_reader())
        })
    }

    /// Writes an object of a few bytes.
    pub(super) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), MirrorError> {
        self.tries(|| {
            let url = self.bucket.put_object(Some(&self.access.credentials), key).sign(VALID);
            self.good(self.agent.put(url.as_str()).send(bytes), &self.address(key), "written").map(drop)
        })
    }

    /// Deletes an object that may not be there.
    pub(super) fn delete(&self, key: &str) -> Result<(), MirrorError> {
        self.tries(|| {
            let url = self.bucket.delete_object(Some(&self.access.credentials), key).sign(VALID);
            match self.good(self.agent.delete(url.as_str()).call(), &self.address(key), "deleted") {
                Err(MirrorError::Refused { status: 404, code, .. }) if code == "NoSuchKey" => Ok(()),
                other => other.map(drop),
            }
        })
    }

    /// Writes an object from a file of this size; a large one in parts.
    pub(super) fn put_file(&self, key: &str, path: &Path, size: u64) -> Result<(), MirrorError> {
        let mut file = plain::open(path, OpenOptions::new().read(true)).while_trying("read", path)?;
        let mut read = |begin: u64, length: u64, part: &mut Vec<u8>| {
            part.resize(length as usize, 0);
            let read = file.seek(SeekFrom::Start(begin)).and_then(|_| file.read_exact(part));
            Ok(read.while_trying("read", path)?)
        };
        if size <= PART {
            let mut whole = Vec::new();
            read(0, size, &mut whole)?;
            return self.put(key, &whole);
        }
        let address = self.address(key);
        let credentials = Some(&self.access.credentials);
        let text = self.tries(|| {
            let url = CreateMultipartUpload::new(&self.bucket, credentials, key).sign(VALID);
            self.text(self.agent.post(url.as_str()).send_empty(), &address, "written")
        })?;
        let unread = |why: String| MirrorError::Answer { address: self.address(key), doing: "written", why };
        let begun = CreateMultipartUpload::parse_response(&text).map_err(|error| unread(error.to_string()))?;
        let id = begun.upload_id();
        let sent = self.put_parts(key, id, size, read);
        if sent.is_err() {
            // the parts that were sent take space; when deleting them fails too, a lifecycle rule of the bucket can do it
            let url = AbortMultipartUpload::new(&self.bucket, credentials, key, id).sign(VALID);
            let _ = self.agent.delete(url.as_str()).call();
        }
        sent
    }

    /// `read` reads a part of the file: from where, and how many bytes.
    fn put_parts(
        &self,
        key: &str,
        id: &str,
        size: u64,
        mut read: impl FnMut(u64, u64, &mut Vec<u8>) -> Result<(), MirrorError>,
    ) -> Result<(), MirrorError> {
        let (address, credentials) = (self.address(key), Some(&self.access.credentials));
        let unread = |why: String| MirrorError::Answer { address: self.address(key), doing: "written", why };
        let (mut tags, mut part) = (Vec::<String>::new(), Vec::new());
        // a part has a number of at most 10,000
        let length = PART.max(size.div_ceil(10_000));
        for (number, begin) in (1u16..).zip((0..size).step_by(length as usize)) {
            read(begin, length.min(size - begin), &mut part)?;
            let tag = self.tries(|| {
                let url = UploadPart::new(&self.bucket, credentials, key, number, id).sign(VALID);
                let answer = self.good(self.agent.put(url.as_str()).send(part.as_slice()), &address, "written")?;
                let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
                tag.ok_or_else(|| unread("a part has no `ETag`".to_owned()))
            })?;
            tags.push(tag);
        }
        self.tries(|| {
            let action =
                CompleteMultipartUpload::new(&self.bucket, credentials, key, id, tags.iter().map(String::as_str));
            let url = action.sign(VALID);
            let text = self.text(self.agent.post(url.as_str()).send(action.body()), &address, "written")?;
            // a failure may come with the status 200
            CompleteMultipartUploadResponse::parse(&text).map(drop).map_err(|error| unread(error.to_string()))
        })
    }

    /// The address of a key, for messages.
    pub(super) fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket.name())
    }

    /// Asks again when that may help.
    fn tries<R>(&self, mut ask: impl FnMut() -> Result<R, MirrorError>) -> Result<R, MirrorError> {
        for pause in PAUSES {
            match ask() {
                Err(error) if error.passes() => std::thread::sleep(pause),
                answer => return answer,
            }
        }
        ask()
    }

    /// An answer that says yes.
    fn good(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
        address: &str,
        doing: &'static str,
    ) -> Result<Response<Body>, MirrorError> {
        let mut answer = answer.map_err(|error| self.unreachable(error, address, doing))?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let mut text = String::new();
        // without it the status has to do
        let _ = answer.body_mut().as_reader().take(LONGEST_ANSWER).read_to_string(&mut text);
        Err(MirrorError::Refused { address: address.to_owned(), doing, status, code: code_in(&text).to_owned() })
    }

    fn text(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
        address: &str,
        doing: &'static str,
    ) -> Result<String, MirrorError> {
        let mut answer = self.good(answer, address, doing)?;
        let mut text = String::new();
        let read = answer.body_mut().as_reader().take(LONGEST_ANSWER).read_to_string(&mut text);
        read.map_err(|error| self.unreachable(ureq::Error::Io(error), address, doing))?;
        Ok(text)
    }

    /// Says why there is no answer, without the address that was asked: it is signed.
    fn unreachable(&self, error: ureq::Error, address: &str, doing: &'static str) -> MirrorError {
        let why = match error {
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::Timeout(what) => format!("it took too long ({what})"),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Tls(why) => why.to_owned(),
            ureq::Error::Rustls(error) => error.to_string(),
            ureq::Error::ConnectionFailed => "no connection".to_owned(),
            _ => "it does not speak HTTP as it should".to_owned(),
        };
        MirrorError::Unreachable { address: address.to_owned(), doing, host: self.host.clone(), why }
    }
}

/// The code in an error of S3: `<Code>NoSuchBucket</Code>`.
fn code_in(text: &str) -> &str {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    let is_plain = code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric());
    if is_plain { code } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_is_found_and_nothing_else_is_shown() {
        assert_eq!(code_in("<?xml?><Error><Code>NoSuchKey</Code><Key>a</Key></Error>"), "NoSuchKey");
        for text in ["", "<Code>", "<Code>a b</Code>", "<html>no</html>"] {
            assert_eq!(code_in(text), "", "{text}");
        }
    }

    /// Against moto: `cargo xtask test --peers` brings it.
    mod peers {
        use super::*;
        use std::io::Write as _;
        use std::net::{TcpListener, TcpStream};
        use std::process::{Child, Command, Stdio};

        struct Server(Child);

        impl Drop for Server {
            fn drop(&mut self) {
                let _ = (self.0.kill(), self.0.wait());
            }
        }

        /// A bucket in a server of its own.
        fn bucket() -> (Server, Store) {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let python = std::env::var("ENGINE_PEER_MOTO").expect("run `cargo xtask test --peers`");
            let program = std::path::Path::new(&python).with_file_name("moto_server");
            let mut server = Command::new(program);
            server.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
            let server = Server(server.spawn().unwrap());
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                std::thread::sleep(Duration::from_millis(50));
            }
            let access = Access {
                credentials: rusty_s3::Credentials::new("key", "secret"),
                region: "us-east-1".to_owned(),
                endpoint: Some(format!("http://127.0.0.1:{port}")),
            };
            let store = Store::with(access, "runs").unwrap_or_else(|error| panic!("{error}"));
            store.agent.put(format!("http://127.0.0.1:{port}/runs")).send_empty().unwrap();
            (server, store)
        }

        #[test]
        #[ignore = "needs moto"]
        fn a_large_file_goes_in_parts_and_comes_back() {
            let (_server, store) = bucket();
            let mut file = tempfile::NamedTempFile::new().unwrap();
            let size = 2 * PART + 12_345;
            let content: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            file.write_all(&content).unwrap();
            store.put_file("a b/größe", file.path(), size).unwrap();
            let listed = store.list("a b/").unwrap();
            assert_eq!((listed.len(), listed[0].key.as_str(), listed[0].size), (1, "a b/größe", size));
            let mut back = Vec::new();
            store.get("a b/größe").unwrap().read_to_end(&mut back).unwrap();
            assert!(back == content);
            store.delete("a b/größe").unwrap();
            store.delete("a b/größe").unwrap();
            assert!(store.list("").unwrap().is_empty());
            let error = store.get("a b/größe").map(|_| ()).unwrap_err();
            assert!(matches!(error, MirrorError::Refused { status: 404, .. }), "{error}");
        }

        #[test]
        #[ignore = "needs moto"]
        fn more_objects_than_one_answer_has_are_all_listed() {
            let (_server, store) = bucket();
            for number in 0..1010 {
                store.put(&format!("k/{number:04}"), b"").unwrap();
            }
            assert_eq!(store.list("k/").unwrap().len(), 1010);
        }
    }
}
