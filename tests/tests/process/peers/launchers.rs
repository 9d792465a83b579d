//! Ranks that programs of clusters start: `mpirun` of Open MPI, and `srun` of SLURM in a cluster of this machine alone.
//!
//! Debian has both: `openmpi-bin`; `munge`, `slurmctld`, `slurmd` and `slurm-client`. Only root can make such a cluster. Where
//! they can't be had, that is said and nothing is tried.

use crate::bench::{Bench, Ended, Running};
use crate::left::{assert_same, log, newest};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `train exp.ron` with the arguments that follow; the shell knows the program.
const TRAIN: [&str; 4] = ["sh", "-c", "exec \"$PROGRAM\" train exp.ron --set loaders.train.batch_size=2 \"$@\"", "sh"];

/// Two of them; more than cores, where there is one core.
const MPIRUN: [&str; 5] = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2"];

/// Whether all of these programs are there; it is said when one is not.
fn can_be_had(programs: &[&str]) -> bool {
    let is_there = |program: &str| {
        let found = Command::new("sh").args(["-c", "command -v \"$1\"", "sh", program]).output().unwrap();
        found.status.success()
    };
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !is_there(program)).collect();
    if !missing.is_empty() {
        println!("left out: {} can't be had here", missing.join(", "));
    }
    missing.is_empty()
}

/// The run in two ranks of our own launcher.
fn expected() -> Bench {
    let bench = Bench::by_epoch();
    bench.train(&["--ranks", "2", "--set", "loaders.train.batch_size=2"]).exits(0);
    bench
}

/// The error of rank 1, and what rank 0 says of it.
fn assert_told(ended: &Ended) {
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("the step gave up"), "{ended}");
    assert!(ended.stderr.contains("because rank 1 of 2 has ended"), "{ended}");
}

const FAULT: [&str; 6] =
    ["--set", "trainer.fault=Error", "--set", "trainer.fault_at=5", "--set", "trainer.fault_rank=1"];

#[test]
#[ignore = "needs Open MPI: `cargo xtask test --peers`"]
fn mpirun_starts_the_ranks() {
    if !can_be_had(&["mpirun"]) {
        return;
    }
    let ours = expected();
    // two jobs at once do not meet
    let (one, other) = (Bench::by_epoch(), Bench::by_epoch());
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| one.run_script(&[&MPIRUN[..], &TRAIN].concat()));
        let second = other.run_script(&[&MPIRUN[..], &TRAIN].concat());
        (first.join().unwrap(), second)
    });
    for (ended, theirs) in [(first, &one), (second, &other)] {
        ended.exits(0);
        assert_same(&ours.path("runs/run"), &theirs.path("runs/run"), "mpirun");
    }
    assert_told(&Bench::by_epoch().run_script(&[&MPIRUN[..], &TRAIN, &FAULT].concat()));
}

/// The run was stopped after an iter, with a checkpoint of it, and goes on to the same bits.
fn goes_on(ours: &Bench, theirs: &Bench) {
    let run = theirs.path("runs/run");
    assert!(log(&run).iter().any(|line| line == "stopped by SIGTERM"), "{:?}", log(&run));
    assert!(newest(&run).exists());
    theirs.train(&["--ranks", "2", "--set", "loaders.train.batch_size=2", "--resume"]).exits(0);
    assert_same(&ours.path("runs/run"), &run, "a signal");
}

/// SLURM on this machine, as long as the value lives.
struct Cluster {
    /// Ended in this order: the one that runs jobs, the one that gives them out, the one that signs messages.
    daemons: Vec<Child>,
    folder: tempfile::TempDir,
}

impl Cluster {
    const PROGRAMS: [&str; 6] = ["munged", "slurmctld", "slurmd", "sinfo", "srun", "scancel"];

    /// `None` where it can't be made; that is said.
    fn start() -> Option<Cluster> {
        if !can_be_had(&Cluster::PROGRAMS) {
            return None;
        }
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        if !is_root {
            println!("left out: only root can make a cluster of SLURM");
            return None;
        }
        let mut cluster = Cluster { daemons: Vec::new(), folder: tempfile::tempdir().unwrap() };
        for folder in ["state", "spool"] {
            std::fs::create_dir(cluster.path(folder)).unwrap();
        }
        let (key, socket) = (cluster.path("key"), cluster.path("socket"));
        // it signs messages of this machine to itself, and nothing else; it wants a key that others can't read
        std::fs::write(&key, [7; 64]).unwrap();
        set_mode(&key, 0o600);
        let folder = cluster.folder.path().to_owned();
        let of = |name: &str| folder.join(name).display().to_string();
        let munged = [
            "--foreground".to_owned(),
            "--force".to_owned(),
            format!("--key-file={}", key.display()),
            format!("--socket={}", socket.display()),
            format!("--pid-file={}", of("munged.pid")),
            format!("--log-file={}", of("munged.log")),
            format!("--seed-file={}", of("munged.seed")),
        ];
        std::fs::write(cluster.path("slurm.conf"), cluster.settings(&socket)).unwrap();
        cluster.daemon("munged", &munged);
        wait_until("munged", || socket.exists());
        let configured = ["-D".to_owned(), "-f".to_owned(), of("slurm.conf")];
        cluster.daemon("slurmctld", &configured);
        cluster.daemon("slurmd", &configured);
        wait_until("the cluster", || {
            let nodes = cluster.command("sinfo").args(["--noheader", "--format=%T"]).output().unwrap();
            String::from_utf8_lossy(&nodes.stdout).trim() == "idle"
        });
        Some(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self, socket: &Path) -> String {
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = Command::new("hostname").arg("-s").output().unwrap().stdout;
        let host = String::from_utf8(host).unwrap().trim().to_owned();
        let (folder, socket) = (self.folder.path().display(), socket.display());
        format!(
            "ClusterName=one\nSlurmctldHost={host}\nSlurmctldPort={}\nSlurmdPort={}\nSlurmUser=root\nAuthType=auth/munge\n\
             AuthInfo=socket={socket}\nStateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool\n\
             SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid\n\
             SlurmctldLogFile={folder}/slurmctld.log\nSlurmdLogFile={folder}/slurmd.log\n\
             ProctrackType=proctrack/pgid\nTaskPlugin=task/none\nMpiDefault=none\nSelectType=select/cons_tres\n\
             SlurmdParameters=config_overrides\nReturnToService=2\nNodeName={host} CPUs=2 State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES State=UP\n",
            port(),
            port()
        )
    }

    fn daemon(&mut self, program: &str, options: &[String]) {
        let mut command = self.command(program);
        command.args(options).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.daemons.insert(0, command.spawn().unwrap());
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.path("slurm.conf"));
        command
    }

    /// `srun` of two tasks, in the folder of the bench.
    fn srun(&self, bench: &Bench, options: &[&str], more: &[&str]) -> Running {
        let conf = format!("SLURM_CONF={}", self.path("slurm.conf").display());
        bench.start_script(&[&["env", &conf, "srun", "-n", "2"][..], options, &TRAIN, more].concat())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn wait_until(what: &str, is_there: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_there() {
        assert!(Instant::now() < until, "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs SLURM: `cargo xtask test --peers`"]
fn srun_starts_the_ranks_and_scancel_signals_them() {
    let Some(cluster) = Cluster::start() else { return };
    let (ours, theirs) = (expected(), Bench::by_epoch());
    cluster.srun(&theirs, &[], &[]).end().exits(0);
    assert_same(&ours.path("runs/run"), &theirs.path("runs/run"), "srun");
    assert_told(&cluster.srun(&Bench::by_epoch(), &[], &FAULT).end());
    // to all tasks at once: a checkpoint that is asked for, then the end
    let theirs = Bench::by_epoch();
    let more = ["--set", "trainer.pause=200"];
    let mut running = cluster.srun(&theirs, &["--unbuffered", "--job-name", "long"], &more);
    for (mark, signal) in [("mark train 5", "USR1"), ("mark train 10", "TERM")] {
        running.wait_for(mark);
        assert!(cluster.command("scancel").args(["-s", signal, "--name", "long"]).status().unwrap().success());
    }
    running.end().exits(143);
    let lines = log(&theirs.path("runs/run"));
    assert!(lines.iter().any(|line| line.starts_with("SIGUSR1: iter ")), "{lines:?}");
    goes_on(&ours, &theirs);
}
