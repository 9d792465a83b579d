//! How the ranks of a job find each other: one of them, or their launcher, serves a store at an address that all know.

use crate::dist::error::DistError;
use crate::dist::hello::GONE;
use crate::dist::launched::Launched;
use crate::native::{NativeError, Store};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The connections of a rank to the store of its job.
pub(super) struct Meeting {
    /// What the ranks tell each other.
    pub(super) store: Store,
    /// Another connection, for signs of life.
    pub(super) beats: Store,
    /// For libtorch's groups: names as Python's ranks use them.
    pub(super) groups: Store,
    /// The store itself, where this process serves it: it ends last.
    pub(super) served: Option<Store>,
}

impl Meeting {
    /// Serves the store, or connects to it.
    ///
    /// # Errors
    /// When the port is taken, or nobody serves a store there within the time.
    pub(super) fn at(
        launched: &Launched,
        timeout: Duration,
        told_to_end: &dyn Fn() -> Option<i32>,
    ) -> Result<Meeting, DistError> {
        let serves = launched.rank == 0 && !launched.store_is_served;
        let served = serves.then(|| serve(launched, timeout)).transpose()?;
        let connect = || connect(launched, timeout, told_to_end);
        let attempt = |store: Store| of_attempt(store, launched.attempt);
        let own = |store: &Store| store.prefixed(OWN).map_err(failed);
        let (first, second) = (attempt(connect()?)?, attempt(connect()?)?);
        let (store, beats) = (own(&first)?, own(&second)?);
        Ok(Meeting { store, beats, groups: first, served })
    }
}

/// Tells the ranks of this store that one has ended, for those that still wait for it: as the launcher of them all.
pub(super) fn tell_of_end(store: &Store, attempt: u64, rank: usize) {
    let prefix = if attempt == 0 { String::new() } else { format!("{}/", name_of(attempt)) };
    // they would wait longer without it, and then see by themselves
    let _ = store.set(&format!("{prefix}{OWN}/{GONE}"), rank.to_string().as_bytes());
}

/// Where the engine's own keys are: the others are those of libtorch.
const OWN: &str = "engine";

/// The store of a launcher outlives the processes: what the last ones have left in it is no use to these.
fn of_attempt(store: Store, attempt: u64) -> Result<Store, DistError> {
    match attempt {
        0 => Ok(store),
        attempt => store.prefixed(&name_of(attempt)).map_err(failed),
    }
}

fn name_of(attempt: u64) -> String {
    format!("attempt_{attempt}")
}

fn serve(launched: &Launched, timeout: Duration) -> Result<Store, DistError> {
    let port = launched.port;
    // libtorch would listen on every address; on one machine only its own processes are let in
    let address: IpAddr = if launched.is_local() { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED }.into();
    let listener = TcpListener::bind(SocketAddr::new(address, port));
    let listener = listener.map_err(|source| DistError::Port { port, source })?;
    Store::serve(listener, timeout).map_err(failed)
}

/// How long a process that is told to end still tries to reach the store, to tell the others.
const LAST_TRY: Duration = Duration::from_secs(3);

/// Tries until somebody serves a store there, without libtorch's own attempts, which print warnings.
fn connect(launched: &Launched, timeout: Duration, told_to_end: &dyn Fn() -> Option<i32>) -> Result<Store, DistError> {
    let Launched { host, port, .. } = launched;
    let since = Instant::now();
    // a machine that does not exist yet may come
    let each = timeout.min(Duration::from_secs(5));
    let mut told: Option<(i32, Instant)> = None;
    loop {
        let found = listens(host, *port, each);
        if let Ok(true) = found {
            break;
        }
        // rank 0 may be just about to serve it, and would wait for this rank in vain
        told = told.or_else(|| told_to_end().map(|signal| (signal, Instant::now())));
        if let Some((signal, since)) = told
            && since.elapsed() >= LAST_TRY
        {
            return Err(DistError::Interrupted { signal });
        }
        if since.elapsed() >= timeout {
            if let Err(error) = found {
                let why = format!("no machine of the name `{host}` is known here: {error}");
                return Err(DistError::Variable { name: "MASTER_ADDR", why });
            }
            let source = NativeError::argument(format!("nobody listens there after {} s", timeout.as_secs_f64()));
            return Err(DistError::NoStore { host: host.clone(), port: *port, source });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let left = timeout.saturating_sub(since.elapsed()).max(Duration::from_secs(1));
    Store::connect(host, *port, left).map_err(|source| DistError::NoStore { host: host.clone(), port: *port, source })
}

/// Whether somebody listens there; an error when the name is not known.
fn listens(host: &str, port: u16, patience: Duration) -> std::io::Result<bool> {
    let mut addresses = (host, port).to_socket_addrs()?;
    Ok(addresses.any(|at| TcpStream::connect_timeout(&at, patience).is_ok()))
}

fn failed(source: NativeError) -> DistError {
    DistError::Native { doing: "the store of the ranks".to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::hello::Hello;

    #[test]
    fn a_rank_that_is_told_to_end_before_there_is_a_store_still_tells_the_others() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let of = |rank| Launched {
            rank,
            world: 3,
            local_rank: rank,
            local_world: 3,
            host: "127.0.0.1".to_owned(),
            port: free,
            store_is_served: false,
            attempt: 0,
        };
        let meet = |rank: usize, signal: Option<i32>| {
            let (hello, timeout) = (Hello::default(), Duration::from_secs(60));
            let meeting = Meeting::at(&of(rank), timeout, &|| signal)?;
            hello.say(&meeting.store, (rank, 3), timeout, &|| signal)
        };
        let since = Instant::now();
        std::thread::scope(|scope| {
            let told = scope.spawn(|| meet(1, Some(2)));
            std::thread::sleep(Duration::from_millis(300));
            // also the rank that got no signal knows which one it was
            assert!(matches!(meet(0, None), Err(DistError::Interrupted { signal: 2 })));
            assert!(matches!(told.join().unwrap(), Err(DistError::Interrupted { signal: 2 })));
        });
        assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
        // and without any store it ends soon
        assert!(matches!(meet(1, Some(15)), Err(DistError::Interrupted { signal: 15 })));
    }
}
