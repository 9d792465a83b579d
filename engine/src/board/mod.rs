//! The page of runs: a small server on this machine, whose answers come from [`readers`](crate::readers).
//!
//! Promised: the page works without a network and shows what runs write within a second. It listens on a loopback address
//! unless a token guards it, changes no file, and answers only with what is in its runs: a request names a run by a number and
//! never by a path. What a run has written is shown as text, never as markup.

mod access;
mod api;
mod http;
mod media;
mod page;
mod report;
mod shelf;
mod sweeps;
mod view;

use crate::base::{ErrorContext as _, Result};
use access::Access;
use http::{Answer, Request};
use shelf::Shelf;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub use access::{SHORTEST_TOKEN, check_token};
pub use report::report;

/// The port that is taken when none is asked for, if it is free.
pub const PORT: u16 = 6100;
/// Browsers that are answered at the same time.
const MOST_CONNECTIONS: usize = 64;
/// Bytes of a refused request that are taken.
const MOST_DRAINED: u64 = 1 << 20;
/// A stream of events says something after this time at the latest, so that a browser that has gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Between two events: a page that is told more often only draws more often.
const PAUSE: Duration = Duration::from_millis(300);

/// Where a board listens, and who may look.
#[derive(Clone, Debug)]
pub struct Door {
    /// The address; a loopback one where there is no token.
    pub host: IpAddr,
    /// The port; `None` for [`PORT`] or, if that is taken, any other.
    pub port: Option<u16>,
    /// Who has it may look.
    pub token: Option<String>,
}

impl Default for Door {
    fn default() -> Self {
        Door { host: IpAddr::V4(Ipv4Addr::LOCALHOST), port: None, token: None }
    }
}

/// A board that listens and does not answer yet.
pub struct Board {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
    shelf: Arc<Shelf>,
}

impl Board {
    /// A board of the runs below these folders.
    ///
    /// # Errors
    /// When the port is taken, or the address is not one of this machine.
    pub fn open(folders: Vec<PathBuf>, door: &Door) -> Result<Board> {
        let bind = |port| TcpListener::bind(SocketAddr::new(door.host, port));
        let listener = match door.port {
            Some(port) => bind(port),
            None => {
                bind(PORT).or_else(|error| if error.kind() == io::ErrorKind::AddrInUse { bind(0) } else { Err(error) })
            }
        };
        let told = || match door.port {
            Some(port) => format!("`{}:{port}` can't be listened at; another `--port` may be free", door.host),
            None => format!("`{}` can't be listened at", door.host),
        };
        let listener = listener.with_context(told)?;
        let address = listener.local_addr()?;
        let access = match &door.token {
            Some(token) => Access::Token(token.clone()),
            None => Access::Loopback(address.port()),
        };
        Ok(Board { listener, address, access, shelf: Arc::new(Shelf::new(folders)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many runs it has found so far.
    pub fn runs(&self) -> usize {
        self.shelf.runs().len()
    }

    /// Answers until the process ends.
    pub fn serve(self) -> ! {
        let shelf = self.shelf.clone();
        std::thread::spawn(move || shelf.watch());
        let (access, connections) = (Arc::new(self.access), Arc::new(AtomicUsize::new(0)));
        loop {
            let Ok((mut stream, _)) = self.listener.accept() else {
                // too many open files: some will be closed
                std::thread::sleep(Duration::from_millis(50));
                continue;
            };
            let (shelf, access, connections) = (self.shelf.clone(), access.clone(), connections.clone());
            if connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                connections.fetch_sub(1, Ordering::Relaxed);
                let _ = Answer::error(503, "too many pages are open").send(&mut stream, false);
                continue;
            }
            std::thread::spawn(move || {
                // an error here is a browser that has gone
                let _ = answer(&mut stream, &shelf, &access);
                connections.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }
}

fn answer(stream: &mut TcpStream, shelf: &Shelf, access: &Access) -> io::Result<()> {
    let request = match Request::read(stream) {
        Ok(request) => request,
        Err(Some(refusal)) => {
            refusal.send(stream, false)?;
            return drain(stream);
        }
        Err(None) => return Ok(()),
    };
    let answered = access.check(&request).map_or_else(Some, |()| api::answer(shelf, &request));
    match answered {
        Some(answer) => answer.send(stream, request.is_head),
        None => tell_changes(stream, shelf),
    }
}

/// Takes the rest of a request that was refused: a connection that is closed before loses the answer. It is taken in parts, and
/// not without end.
fn drain(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream.take(MOST_DRAINED), &mut io::sink()).map(drop)
}

/// Tells the number of each version, as server-sent events (WHATWG HTML, section 9.2).
fn tell_changes(stream: &mut TcpStream, shelf: &Shelf) -> io::Result<()> {
    Answer::new("text/event-stream", "").begin(stream)?;
    let mut told = 0;
    loop {
        let version = shelf.wait(told, HEARTBEAT);
        match version == told {
            true => stream.write_all(b": still here\n\n")?,
            false => stream.write_all(format!("data: {version}\n\n").as_bytes())?,
        }
        told = version;
        stream.flush()?;
        std::thread::sleep(PAUSE);
    }
}
