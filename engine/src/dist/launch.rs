//! Several processes of one program on this machine: started, told to end, and ended together.

use crate::base::{Error, ErrorContext as _, Result, signals};
use crate::dist::error_file::{ERROR_FILE, LeftError};
use crate::dist::rendezvous::tell_of_end;
use crate::native::{BlockedSignals, Store, let_through};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGINT, SIGUSR1};
use signal_hook::iterator::Signals;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Set for the processes of this launcher: its process id.
const LAUNCHER: &str = "ENGINE_LAUNCHER";
/// After the first rank has failed, or rank 0 has ended, the others have this time to end by themselves.
const PATIENCE: Duration = Duration::from_secs(10);
/// After that they are told to end, and after this time they are killed.
const LAST: Duration = Duration::from_secs(5);
/// How often it is looked for a process that has ended and for signals.
const LOOK: Duration = Duration::from_millis(20);

/// What to start.
#[derive(Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, for every rank.
    pub arguments: Vec<OsString>,
    /// Variables of their environment, beside those that tell each its rank.
    pub variables: Vec<(&'static str, String)>,
    /// How many processes.
    pub ranks: usize,
    /// How often all of them are started again after one has failed.
    pub restarts: u64,
}

/// The exit code of a program that was started in a wrong way: to start it again would be of no use.
const USAGE: u8 = 2;

/// How the ranks have ended.
#[derive(Debug)]
pub struct Ranks {
    /// The exit code of the rank that has failed first, or of rank 0 when none has.
    pub code: u8,
    /// What went wrong, the cause first.
    pub errors: Vec<RankError>,
}

/// The error of a rank.
#[derive(Debug)]
pub struct RankError {
    /// The rank.
    pub rank: usize,
    /// All texts, the outermost first.
    pub texts: Vec<String>,
    /// Whether it came because another rank was gone.
    pub follows: bool,
}

impl Launch {
    /// Starts the ranks and waits for their end. SIGINT, SIGTERM and SIGUSR1 are passed on to all of them. When one fails,
    /// the others end too: by themselves, as they miss it, or else they are killed. Then all are started again, if that is
    /// allowed and no signal has come; `again` is told of each failure before.
    ///
    /// They are started with these signals blocked; [`Signals::listen`](crate::run::Signals::listen) lets them through.
    ///
    /// Rank 0 has the output of this process; lines of the others are printed on standard error, with their rank.
    ///
    /// # Errors
    /// When a process can't be started; those that were are ended.
    pub fn run(&self, mut again: impl FnMut(&[RankError], u64)) -> Result<Ranks> {
        let mut signals = Passed::on().context("signals can't be passed on to the ranks")?;
        let mut attempt = 0;
        loop {
            let (ranks, told_to_end) = self.attempt(attempt, &mut signals)?;
            if ranks.errors.is_empty() || told_to_end.is_some() || ranks.code == USAGE || attempt == self.restarts {
                return Ok(ranks);
            }
            attempt += 1;
            again(&ranks.errors, attempt);
        }
    }

    /// How the ranks have ended, and the signal that has told them to.
    fn attempt(&self, attempt: u64, signals: &mut Passed) -> Result<(Ranks, Option<Signal>)> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port could be opened for the ranks to meet")?;
        let port = listener.local_addr().context("no port could be opened for the ranks to meet")?.port();
        let store = Store::serve(listener, Duration::from_secs(60))?;
        let folder = ErrorFiles::make()?;
        let mut started = Started(Vec::new());
        // a rank lets them through when it has its handlers; before, they would end it
        let blocked = BlockedSignals::block(&signals::CAUGHT);
        for rank in 0..self.ranks {
            let mut command = self.command(rank, port, &folder.of(rank));
            let child = command.env("TORCHELASTIC_RESTART_COUNT", attempt.to_string()).spawn();
            let child = child.with_context(|| format!("rank {rank} can't be started"))?;
            started.0.push(OneRank::of(rank, child));
        }
        drop(blocked);
        let told_to_end = started.wait(signals, &|rank| tell_of_end(&store, attempt, rank));
        // the ranks are gone, and with them all who ask it
        drop(store);
        Ok((report(&started.0, &folder), told_to_end))
    }

    fn command(&self, rank: usize, port: u16, error_file: &Path) -> Command {
        let mut command = Command::new(&self.program);
        let number = |number: usize| number.to_string();
        command
            .args(&self.arguments)
            .envs(self.variables.iter().cloned())
            .env("RANK", number(rank))
            .env("LOCAL_RANK", number(rank))
            .env("WORLD_SIZE", number(self.ranks))
            .env("LOCAL_WORLD_SIZE", number(self.ranks))
            .env("GROUP_RANK", "0")
            .env("MASTER_ADDR", "127.0.0.1")
            .env("MASTER_PORT", port.to_string())
            .env("TORCHELASTIC_USE_AGENT_STORE", "True")
            .env("TORCHELASTIC_MAX_RESTARTS", self.restarts.to_string())
            .env("TORCHELASTIC_RUN_ID", format!("engine-{}", std::process::id()))
            .env(ERROR_FILE, error_file)
            .env(LAUNCHER, std::process::id().to_string())
            .stdin(Stdio::null())
            // a Ctrl-C is for this process, which passes it on: else the ranks would get it twice
            .process_group(0);
        if rank > 0 {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        command
    }
}

/// The signals that are passed on to the ranks.
struct Passed {
    /// Those that came before.
    early: Vec<i32>,
    later: Signals,
}

impl Passed {
    fn on() -> std::io::Result<Passed> {
        let mut later = Signals::new(signals::CAUGHT)?;
        // they have handlers now; one that has just come is seen in both places
        let caught = signals::listen()?.leave_to_others();
        let_through(&signals::CAUGHT);
        let end = caught.end.load(Ordering::SeqCst) as i32;
        let save = caught.save.load(Ordering::SeqCst);
        let mut early: Vec<i32> = later.pending().collect();
        early.extend((end != 0).then_some(end));
        early.extend(save.then_some(SIGUSR1));
        early.sort_unstable();
        early.dedup();
        Ok(Passed { early, later })
    }

    /// Those that have come since the last call.
    fn pending(&mut self) -> impl Iterator<Item = i32> {
        std::mem::take(&mut self.early).into_iter().chain(self.later.pending())
    }
}

/// To be called by a process that such a launcher may have started: it ends in good order, as by SIGTERM, when its
/// launcher dies. Whether there is a launcher, which then prints the error of this process.
pub fn follow_launcher() -> bool {
    let Some(launcher) = std::env::var(LAUNCHER).ok().and_then(|id| id.parse::<i32>().ok()) else { return false };
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpid, getppid, set_parent_process_death_signal};
        // where it can't be set, a rank that is left alone ends by itself only when it has finished
        let _ = set_parent_process_death_signal(Some(Signal::TERM));
        if getppid().is_none_or(|parent| parent.as_raw_nonzero().get() != launcher) {
            // it has died before
            let _ = kill_process(getpid(), Signal::TERM);
        }
    }
    let _ = launcher;
    true
}

/// A process that was started.
#[derive(Debug)]
struct OneRank {
    child: Child,
    ended: Option<(Instant, ExitStatus)>,
    /// Whether this launcher has killed it, after another rank had ended.
    killed: bool,
}

impl OneRank {
    fn of(rank: usize, mut child: Child) -> OneRank {
        pass_on(rank, child.stdout.take());
        pass_on(rank, child.stderr.take());
        OneRank { child, ended: None, killed: false }
    }

    /// Looks whether it has ended.
    fn look(&mut self) {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.ended = Some((Instant::now(), status));
        }
    }

    /// Whether it has ended as it was not to.
    fn has_failed(&self) -> bool {
        // 130 and 143: stopped by a signal in good order, as all ranks are
        self.ended.as_ref().is_some_and(|(_, status)| !matches!(status.code(), Some(0 | 130 | 143)))
    }

    /// The number of its process, as long as it has not ended.
    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).filter(|_| self.ended.is_none())
    }

    /// Whether a signal keeps it from running (SIGSTOP).
    fn is_stopped(&self) -> bool {
        // the state is only looked at, and stays there for whoever asks next
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let state = self.pid().map(|pid| waitid(WaitId::Pid(pid), options));
        matches!(state, Some(Ok(Some(status))) if status.stopped())
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // one that has just ended needs none
            let _ = kill_process(pid, signal);
        }
    }
}

/// The processes; those that still run are killed when it is dropped.
#[derive(Debug)]
struct Started(Vec<OneRank>);

impl Started {
    /// Waits for the end of all; gives the signal that has told them to end. `ended` is told of the first that has failed.
    fn wait(&mut self, signals: &mut Passed, ended: &dyn Fn(usize)) -> Option<Signal> {
        let (mut failed, mut told, mut told_to_end) = (None::<Instant>, false, None);
        let mut is_known = false;
        while self.0.iter().any(|rank| rank.ended.is_none()) {
            for signal in signals.pending() {
                let signal = match signal {
                    SIGUSR1 => Signal::USR1,
                    SIGINT => Signal::INT,
                    _ => Signal::TERM,
                };
                if signal != Signal::USR1 {
                    told_to_end = Some(signal);
                }
                self.0.iter().for_each(|rank| rank.signal(signal));
            }
            self.0.iter_mut().for_each(OneRank::look);
            if let (false, Some(rank)) = (is_known, self.0.iter().position(OneRank::has_failed)) {
                is_known = true;
                ended(rank);
            }
            // rank 0 has the most to do, and ends last
            let is_over = self.0.first().is_some_and(|main| main.ended.is_some());
            if is_over || self.is_left_stopped() || self.0.iter().any(OneRank::has_failed) {
                let since = failed.get_or_insert_with(Instant::now).elapsed();
                if since > PATIENCE && !told {
                    told = true;
                    self.0.iter().for_each(|rank| rank.signal(Signal::TERM));
                }
                if since > PATIENCE + LAST {
                    for rank in self.0.iter_mut().filter(|rank| rank.ended.is_none()) {
                        rank.killed = true;
                        rank.signal(Signal::KILL);
                    }
                }
            } else {
                // one that was stopped goes on
                failed = None;
            }
            std::thread::sleep(LOOK);
        }
        told_to_end
    }

    /// Whether some have ended and all others are stopped: then no rank is left that would miss them.
    fn is_left_stopped(&self) -> bool {
        let mut left = self.0.iter().filter(|rank| rank.ended.is_none()).peekable();
        left.peek().is_some() && self.0.iter().any(|rank| rank.ended.is_some()) && left.all(OneRank::is_stopped)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        for rank in &mut self.0 {
            rank.signal(Signal::KILL);
            // a process that was killed ends
            let _ = rank.child.wait();
        }
    }
}

/// Prints what a rank prints, line by line.
fn pass_on(rank: usize, output: Option<impl Read + Send + 'static>) {
    let Some(output) = output else { return };
    let print = move || {
        for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
            // when nobody can read it, nothing else can be done about it
            let _ = writeln!(std::io::stderr(), "rank {rank}: {line}");
        }
    };
    // without a thread the rank is not heard; it goes on until its output is full
    let _ = std::thread::Builder::new().name(format!("rank {rank}")).spawn(print);
}

/// Who has failed, and why; the cause first.
fn report(ranks: &[OneRank], folder: &ErrorFiles) -> Ranks {
    let mut failed: Vec<(usize, Instant, ExitStatus)> = Vec::new();
    for (rank, one) in ranks.iter().enumerate() {
        if let (true, Some((when, status))) = (one.has_failed(), one.ended) {
            failed.push((rank, when, status));
        }
    }
    let mut errors: Vec<(RankError, Instant, ExitStatus)> = Vec::new();
    for (rank, when, status) in failed {
        let error = match LeftError::read(&folder.of(rank)) {
            Some(LeftError { texts, follows }) => RankError { rank, texts, follows },
            None if ranks[rank].killed => {
                let text = "it did not end when another rank had, and was killed";
                RankError { rank, texts: vec![text.to_owned()], follows: true }
            }
            None => RankError { rank, texts: vec![told(status)], follows: false },
        };
        errors.push((error, when, status));
    }
    errors.sort_by_key(|(error, when, _)| (error.follows, *when));
    tell_once(&mut errors, folder);
    let code = match errors.first() {
        Some((_, _, status)) => status.code().map_or(1, exit_code),
        None => match ranks.first().and_then(|rank| rank.ended) {
            Some((_, status)) => status.code().map_or(1, exit_code),
            None => 1,
        },
    };
    Ranks { code, errors: errors.into_iter().map(|(error, ..)| error).collect() }
}

/// Where several ranks have ended with one error, as when rank 0 has told them that a disk is full, the lowest of them tells it.
fn tell_once(errors: &mut [(RankError, Instant, ExitStatus)], folder: &ErrorFiles) {
    let Some(first) = errors.first().map(|(error, ..)| error.texts.clone()) else { return };
    // two that were killed have each an end of their own
    let is_same = |error: &RankError| error.texts == first && folder.of(error.rank).is_file();
    let lowest = (0..errors.len()).filter(|place| is_same(&errors[*place].0)).min_by_key(|place| errors[*place].0.rank);
    errors.swap(0, lowest.unwrap_or(0));
    errors.iter_mut().skip(1).filter(|(error, ..)| is_same(error)).for_each(|(error, ..)| error.follows = true);
}

fn exit_code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(1)
}

/// What is known of a process that has left no error.
fn told(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(9), _) => "it was killed (SIGKILL), by hand or because the machine had no memory left".to_owned(),
        (Some(signal), _) => format!("it was ended by signal {signal}"),
        (None, Some(code)) => format!("it has ended with exit code {code}"),
        (None, None) => "it has ended in an unknown way".to_owned(),
    }
}

/// The folder in which ranks leave their errors; it is removed at the end.
#[derive(Debug)]
struct ErrorFiles(PathBuf);

impl ErrorFiles {
    fn make() -> Result<ErrorFiles> {
        let all = std::env::temp_dir();
        let id = std::process::id();
        // another user may have one of this name
        let mut names = (0..100).map(|number| all.join(format!("engine-ranks-{id}-{number}")));
        let made = names.find(|path| std::fs::create_dir(path).is_ok());
        made.map(ErrorFiles)
            .ok_or_else(|| Error::msg(format!("no folder can be made in `{}` for the errors of ranks", all.display())))
    }

    fn of(&self, rank: usize) -> PathBuf {
        self.0.join(format!("rank{rank}.json"))
    }
}

impl Drop for ErrorFiles {
    fn drop(&mut self) {
        // best effort: it is below the folder for temporary files
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
