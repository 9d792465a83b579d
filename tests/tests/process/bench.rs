//! A temporary folder with an experiment in it, and a program that is run there as a person would run it.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// No run here is silent for a tenth of it, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// No run takes longer, also on a machine with much else to do: `batch-find` starts a process for each size.
const MOST: Duration = Duration::from_secs(300);

/// The folder in which commands run. `exp.ron` is the experiment.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
    program: &'static str,
    env: Vec<(&'static str, String)>,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` when a signal has ended it.
    pub(crate) code: Option<i32>,
    /// The signal that has ended it.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A process under way.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: String,
    stderr: Option<JoinHandle<String>>,
}

impl Bench {
    /// With the trainer that has every role.
    pub(crate) fn by_epoch() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_by_epoch"), include_str!("../../experiments/by_epoch.ron"))
    }

    /// With the trainer that counts iters.
    pub(crate) fn by_iter() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_by_iter"), include_str!("../../experiments/by_iter.ron"))
    }

    /// With the trainer that has two passes.
    pub(crate) fn two_passes() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_two_passes"), include_str!("../../experiments/two_passes.ron"))
    }

    /// With the trainer whose data have no length.
    pub(crate) fn flow() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_flow"), include_str!("../../experiments/flow.ron"))
    }

    /// With a component as it was.
    pub(crate) fn small() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_small"), include_str!("../../experiments/growing.ron"))
    }

    /// With the same component and a field more.
    pub(crate) fn grown() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_grown"), include_str!("../../experiments/growing.ron"))
    }

    /// With batches that state their weight.
    pub(crate) fn stating() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_stating"), include_str!("../../experiments/weighing.ron"))
    }

    /// With batches that leave out samples.
    pub(crate) fn leaving() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_leaving"), include_str!("../../experiments/weighing.ron"))
    }

    /// With functions that panic when they are told to.
    pub(crate) fn panicking() -> Bench {
        Bench::new(env!("CARGO_BIN_EXE_panicking"), include_str!("../../experiments/panicking.ron"))
    }

    fn new(program: &'static str, experiment: &str) -> Bench {
        let bench = Bench { dir: tempfile::tempdir().unwrap(), program, env: Vec::new() };
        bench.write("exp.ron", experiment);
        bench
    }

    /// Sets a variable of all commands that are started.
    pub(crate) fn set_env(&mut self, name: &'static str, value: impl Into<String>) {
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value.into()));
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(relative), content).unwrap();
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        let path = self.path(relative);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Replaces a part of the experiment.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = self.read("exp.ron");
        assert_eq!(text.matches(from).count(), 1, "`{from}` in\n{text}");
        self.write("exp.ron", text.replace(from, to));
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// Runs `train exp.ron` with more arguments.
    pub(crate) fn train(&self, more: &[&str]) -> Ended {
        self.run(&[&["train", "exp.ron"], more].concat())
    }

    /// Starts `train exp.ron` with steps that are announced and then sleep so many milliseconds.
    pub(crate) fn start_paused(&self, pause: u64, more: &[&str]) -> Running {
        self.start(&[&["train", "exp.ron", "--set", &format!("trainer.pause={pause}")], more].concat())
    }

    /// Starts a command.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let env = self.env.iter().map(|(name, value)| (*name, value.as_str()));
        Running::new(Command::new(self.program).args(arguments).envs(env).current_dir(self.dir.path()))
    }

    /// Starts a command with these variables in its environment.
    pub(crate) fn start_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Running {
        let mut command = Command::new(self.program);
        command.args(arguments).current_dir(self.dir.path()).envs(variables.iter().copied());
        Running::new(&mut command)
    }

    /// Runs a command under another program, as `strace` does it.
    pub(crate) fn run_by(&self, by: &str, options: &[&str], arguments: &[&str]) -> Ended {
        let mut command = Command::new(by);
        Running::new(command.args(options).arg(self.program).args(arguments).current_dir(self.dir.path())).end()
    }

    /// Starts a command by another program that becomes it, as `env` does.
    pub(crate) fn start_by(&self, by: &str, options: &[&str], arguments: &[&str]) -> Running {
        let mut command = Command::new(by);
        Running::new(command.args(options).arg(self.program).args(arguments).current_dir(self.dir.path()))
    }

    /// Runs any command, which finds the program in the variable `PROGRAM`.
    pub(crate) fn run_script(&self, command: &[&str]) -> Ended {
        self.start_script(command).end()
    }

    /// Starts any command, which finds the program in the variable `PROGRAM`.
    pub(crate) fn start_script(&self, command: &[&str]) -> Running {
        let mut started = Command::new(command[0]);
        started.args(&command[1..]).env("PROGRAM", self.program).current_dir(self.dir.path());
        Running::new(&mut started)
    }

    /// Runs a command under a shell that has done something before, such as setting a limit.
    pub(crate) fn run_after(&self, preparation: &str, arguments: &[&str]) -> Ended {
        let script = format!("{preparation}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        Running::new(command.args(["-c", &script, self.program]).args(arguments).current_dir(self.dir.path())).end()
    }
}

impl Ended {
    /// Ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ended {
        assert_eq!((self.code, self.signal), (Some(code), None), "{self}");
        // a message that a person can't read is as bad as a wrong code
        assert!(!self.stderr.contains("RUST_BACKTRACE"), "{self}");
        self
    }

    /// Whether an error is there, and the first line of all: `error: …`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ended {
        assert!(self.stderr.starts_with("error: "), "{self}");
        assert!(self.stderr.contains(text), "no `{text}` in: {self}");
        self
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ended { code, signal, stdout, stderr } = self;
        write!(f, "code {code:?}, signal {signal:?}\n--- stdout\n{stdout}--- stderr\n{stderr}---")
    }
}

impl Running {
    pub(crate) fn new(command: &mut Command) -> Running {
        // a person has not set it, and with it panics are printed where they happen
        command.env_remove("RUST_BACKTRACE");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut errors = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Running { child, lines, seen: String::new(), stderr: Some(stderr) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until a line with this text is printed.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(until.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("never printed `{text}`: {}", self.seen));
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.contains(text) {
                return;
            }
        }
    }

    /// Sends a signal, `TERM` or `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it as the loss of power would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let last = Instant::now() + MOST;
        let mut until = Instant::now() + PATIENCE;
        // the channel closes with the process's stdout
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push_str(&format!("{line}\n"));
                    until = last.min(Instant::now() + PATIENCE);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {}", self.seen),
            }
        }
        let status: ExitStatus = self.child.wait().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Ended { code: status.code(), signal: status.signal(), stdout: std::mem::take(&mut self.seen), stderr }
    }
}

/// A test that fails leaves no process behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Numbers below `n`, others in every run of the tests; whoever uses them prints them.
#[expect(clippy::disallowed_methods, reason = "another instant in each run of the tests")]
pub(crate) fn chosen(n: u64) -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mixed = (now ^ DRAWN.fetch_add(1, Ordering::Relaxed) << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9) % n
}

/// Compares a text with a file of `golden/`. `OVERWRITE=1` writes the file.
#[track_caller]
pub(crate) fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("OVERWRITE").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is not what was printed:\n{found}", path.display());
}
