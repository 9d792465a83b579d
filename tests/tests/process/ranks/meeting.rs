//! Ranks that find each other, or don't.

use super::{fingerprints, of, plain};
use crate::bench::{Bench, Ended};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Starts a rank as `torchrun` would, and more arguments.
fn ranks_with(bench: &Bench, world: usize, port: u16, arguments: &[&[&str]]) -> Vec<Ended> {
    let (port, world) = (port.to_string(), world.to_string());
    let start = |(rank, more): (usize, &&[&str])| {
        let rank = rank.to_string();
        let variables =
            [("RANK", rank.as_str()), ("WORLD_SIZE", &world), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", &port)];
        let always = ["train", "exp.ron", "--set", "loaders.train.batch_size=2", "--set", "dist.timeout=3"];
        bench.start_with(&variables, &[&always, *more].concat())
    };
    let running: Vec<_> = arguments.iter().enumerate().map(start).collect();
    running.into_iter().map(|running| running.end()).collect()
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn ranks_that_are_started_one_by_one_train_as_those_of_the_launcher() {
    let bench = plain();
    for ended in ranks_with(&bench, 2, free_port(), &[&[], &[]]) {
        ended.exits(0);
    }
    let launched = plain();
    launched.train(&of("2", "loaders.train.batch_size=2")).exits(0);
    for rank in 0..2 {
        let of = |bench: &Bench| fingerprints(&bench.path("runs/run"), rank);
        assert_eq!(of(&bench), of(&launched));
    }
}

#[test]
fn one_rank_of_one_trains_alone() {
    let bench = plain();
    ranks_with(&bench, 1, 0, &[&[]]).remove(0).exits(0);
    assert!(!bench.path("runs/run/log.rank1.txt").exists());
}

#[test]
fn a_rank_that_does_not_come_is_missed() {
    let since = Instant::now();
    let ended = ranks_with(&plain(), 3, free_port(), &[&[], &[]]);
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    for ended in ended {
        ended.exits(1).says("rank 2 of 3 did not come within 3 s");
    }
}

#[test]
fn a_port_that_is_taken_and_a_store_that_is_nowhere_are_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ended = ranks_with(&plain(), 2, port, &[&[]]).remove(0).exits(1);
    ended.says(&format!("rank 0 can't listen on port {port}"));
    let bench = plain();
    let port = free_port().to_string();
    let alone = [("RANK", "1"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", port.as_str())];
    let ended = bench.start_with(&alone, &["train", "exp.ron", "--set", "dist.timeout=1"]).end().exits(1);
    ended.says(&format!("the ranks can't meet at 127.0.0.1:{port}"));
}

#[test]
fn ranks_with_different_experiments_do_not_train() {
    let ended = ranks_with(&plain(), 2, free_port(), &[&[], &["--set", "optimizer.lr=0.5"]]);
    for ended in ended {
        ended.exits(1).says("rank 1 can't work with rank 0: the hash of the experiment of rank 1 is ");
    }
}

#[test]
fn two_jobs_at_once_do_not_meet() {
    let (one, other) = (plain(), plain());
    let two = of("2", "loaders.train.batch_size=2");
    let running = one.start(&[&["train", "exp.ron"], &two[..]].concat());
    other.train(&two).exits(0);
    running.end().exits(0);
    let of = |bench: &Bench| fingerprints(&bench.path("runs/run"), 1);
    assert_eq!(of(&one), of(&other));
}

#[test]
fn a_wrong_world_is_told_at_its_place() {
    let bench = plain();
    bench.edit("threads: 1,", "threads: 1, dist: (ranks: 3),");
    let ended = ranks_with(&bench, 2, free_port(), &[&[], &[]]);
    for ended in ended {
        let ended = ended.exits(2).says("the training is to have 3 ranks, and the launcher has started 2");
        assert!(ended.stderr.contains("exp.ron:"), "{ended}");
    }
    for wrong in ["0", "-1", "65537", "two"] {
        let ended = bench.train(&[&format!("--ranks={wrong}")]).exits(2);
        assert!(ended.stderr.contains("a number from 1 to 65536, or `gpu`"), "{ended}");
    }
    let no_gpu =
        bench.start_with(&[("CUDA_VISIBLE_DEVICES", "")], &["train", "exp.ron", "--ranks", "gpu"]).end().exits(2);
    no_gpu.says("`--ranks gpu` starts a rank for each CUDA device, and there is none here; say how many");
    // what would fill the memory
    let ended = bench.train(&["--ranks", "1000"]).exits(2);
    ended.says("1000 ranks are too many for this machine, which has ").says("`plan EXP --ranks 1000`");
    let ended = bench.start_with(&[("RANK", "0")], &["train", "exp.ron"]).end().exits(1);
    ended.says("the variable `WORLD_SIZE` of the launcher can't be used: it is not set");
}

#[test]
fn a_mistake_in_the_experiment_is_told_once_and_nothing_is_started() {
    let bench = plain();
    let ended = bench.train(&["--ranks", "2", "--set", "optimizer.lr=-1"]).exits(2);
    assert_eq!(ended.stderr.matches("`lr`").count(), 1, "{ended}");
    assert!(!bench.path("runs").exists());
    // one that only the machine tells: the folder holds a run
    bench.train(&of("2", "loaders.train.batch_size=2")).exits(0);
    let ended = bench.train(&of("2", "loaders.train.batch_size=2")).exits(1);
    let ended = ended.says("error: rank 0: ").says("already holds a run");
    assert!(ended.stderr.ends_with("rank 1 ended after it\n"), "{ended}");
}

#[test]
fn ranks_that_evaluate_different_checkpoints_do_not_begin() {
    let bench = plain();
    bench.train(&[]).exits(0);
    let (port, checkpoints) = (free_port().to_string(), ["iter_000000006", "iter_000000009"]);
    let start = |(rank, name): (usize, &&str)| {
        let rank = rank.to_string();
        let variables =
            [("RANK", rank.as_str()), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", &port)];
        let checkpoint = format!("runs/run/checkpoints/{name}");
        bench.start_with(&variables, &["val", "exp.ron", "--checkpoint", &checkpoint, "--set", "dist.timeout=3"])
    };
    let running: Vec<_> = checkpoints.iter().enumerate().map(start).collect();
    for running in running {
        running.end().exits(1).says("rank 1 can't work with rank 0: the checkpoint of rank 1 is ");
    }
}

#[test]
fn another_program_on_one_rank_is_told() {
    let bench = plain();
    let other = bench.path("other");
    std::fs::copy(env!("CARGO_BIN_EXE_by_epoch"), &other).unwrap();
    // a byte behind the end changes nothing that runs
    let mut file = std::fs::OpenOptions::new().append(true).open(&other).unwrap();
    std::io::Write::write_all(&mut file, b"\n").unwrap();
    drop(file);
    let port = free_port().to_string();
    let variables = |rank| [("RANK", rank), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", &port)];
    let arguments = ["train", "exp.ron", "--set", "dist.timeout=3"];
    let running = bench.start_with(&variables("0"), &arguments);
    let mut started = std::process::Command::new(&other);
    started.args(arguments).envs(variables("1")).current_dir(bench.path("."));
    let ended = started.output().unwrap();
    let told = "rank 1 can't work with rank 0: the hash of the program of rank 1 is ";
    running.end().exits(1).says(told);
    assert!(String::from_utf8_lossy(&ended.stderr).contains(told), "{ended:?}");
}

/// Whether a process has a handler for SIGTERM.
fn listens(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|caught| caught >> 14 & 1 == 1)
}

#[test]
fn a_signal_while_ranks_are_waited_for_ends_those_that_are_there() {
    let bench = plain();
    let port_number = free_port();
    let port = port_number.to_string();
    let start = |rank: &str| {
        let variables = [("RANK", rank), ("WORLD_SIZE", "3"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", &port)];
        bench.start_with(&variables, &["train", "exp.ron", "--set", "dist.timeout=30"])
    };
    let (first, second) = (start("0"), start("1"));
    for rank in [&first, &second] {
        let until = Instant::now() + Duration::from_secs(30);
        while !listens(rank.id()) {
            assert!(Instant::now() < until, "a rank does not listen to signals");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    // rank 1 can tell rank 0 only once this one serves the store
    let until = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port_number)).is_err() {
        assert!(Instant::now() < until, "rank 0 serves no store");
        std::thread::sleep(Duration::from_millis(20));
    }
    let since = Instant::now();
    second.signal("TERM");
    second.end().exits(143);
    first.end().exits(143);
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert!(!bench.path("runs/run").exists());
}

#[test]
fn ranks_that_a_scheduler_starts_train_as_those_of_the_launcher() {
    let launched = plain();
    launched.train(&of("2", "loaders.train.batch_size=2")).exits(0);
    let of = |bench: &Bench, rank| fingerprints(&bench.path("runs/run"), rank);
    // as `srun` and `mpirun` start two processes on one machine
    let port = free_port().to_string();
    for scheduler in ["srun", "mpirun"] {
        let bench = plain();
        let start = |rank: &str| {
            let slurm = [
                ("SLURM_PROCID", rank),
                ("SLURM_LOCALID", rank),
                ("SLURM_STEP_NUM_TASKS", "2"),
                ("SLURM_NODEID", "0"),
                ("SLURM_STEP_TASKS_PER_NODE", "2"),
                ("SLURM_STEP_NODELIST", "localhost"),
                ("SLURM_JOB_ID", "4711"),
                ("SLURM_STEP_ID", "0"),
                ("MASTER_PORT", &port),
            ];
            let mpi = [
                ("OMPI_COMM_WORLD_RANK", rank),
                ("OMPI_COMM_WORLD_LOCAL_RANK", rank),
                ("OMPI_COMM_WORLD_SIZE", "2"),
                ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
                ("MASTER_PORT", &port),
            ];
            let arguments = ["train", "exp.ron", "--set", "loaders.train.batch_size=2", "--set", "dist.timeout=10"];
            match scheduler {
                "srun" => bench.start_with(&slurm, &arguments),
                _ => bench.start_with(&mpi, &arguments),
            }
        };
        let running = [start("0"), start("1")];
        for running in running {
            running.end().exits(0);
        }
        for rank in 0..2 {
            assert_eq!(of(&bench, rank), of(&launched, rank), "{scheduler}");
        }
    }
}
