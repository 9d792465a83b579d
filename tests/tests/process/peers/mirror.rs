//! A mirror of checkpoints in a server that speaks the protocol of S3, in a process of its own.
//!
//! It keeps its objects in memory. So where the storage has to be away for a while, not the server is stopped but the door
//! in front of it is shut. It does not look at signatures in addresses either: the door refuses a key that is not known.

use crate::bench::{Bench, Ended};
use crate::left::{checkpoints, log, newest, state, tensors};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

const KEY: &str = "AKIAMIRROR";
const SECRET: &str = "hush-hush-hush";

/// The server, and the door in front of it.
struct Storage {
    server: Child,
    port: u16,
    door: Door,
}

/// Hands bytes on to the server, as long as it may.
struct Door {
    port: u16,
    open: Arc<AtomicBool>,
    /// How many bytes still go to the server; then it stalls.
    bytes: Arc<AtomicU64>,
}

impl Door {
    fn to(server: u16) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, bytes) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(u64::MAX)));
        let (is_open, left) = (open.clone(), bytes.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (is_open, left) = (is_open.clone(), left.clone());
                std::thread::spawn(move || hand_on(client, server, &is_open, &left));
            }
        });
        Door { port, open, bytes }
    }
}

/// One connection.
fn hand_on(mut client: TcpStream, server: u16, open: &AtomicBool, bytes: &AtomicU64) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    let (mut back, mut answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = client.read(&mut part) {
        let text = String::from_utf8_lossy(&part[..read]);
        if !open.load(SeqCst) {
            break;
        }
        if text.contains("X-Amz-Credential=") && !text.contains(&format!("X-Amz-Credential={KEY}%2F")) {
            let body = "<Error><Code>InvalidAccessKeyId</Code><Message>none of ours</Message></Error>";
            let _ = write!(client, "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            break;
        }
        while bytes.load(SeqCst) == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = bytes.fetch_update(SeqCst, SeqCst, |left| (left != u64::MAX).then(|| left.saturating_sub(read as u64)));
        if server.write_all(&part[..read]).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

impl Storage {
    fn start() -> Storage {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let program = super::python("moto").with_file_name("moto_server");
        let server = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "moto does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        let storage = Storage { server, port, door: Door::to(port) };
        storage.ask("s3.create_bucket(Bucket='runs')");
        storage
    }

    /// What a line of Python with the client of AWS prints.
    fn ask(&self, line: &str) -> String {
        let script = format!(
            "import boto3\ns3 = boto3.client('s3', endpoint_url='http://127.0.0.1:{}', region_name='us-east-1', \
             aws_access_key_id='x', aws_secret_access_key='y')\n{line}",
            self.port
        );
        let done = Command::new(super::python("moto")).args(["-c", &script]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Every key, sorted.
    fn keys(&self) -> Vec<String> {
        let all = "for o in s3.list_objects_v2(Bucket='runs').get('Contents', []): print(o['Key'])";
        self.ask(all).lines().map(str::to_owned).collect()
    }

    /// The names of the checkpoints that have a manifest.
    fn whole(&self) -> Vec<String> {
        let name = |key: &String| key.strip_prefix("all/run/")?.strip_suffix("/manifest").map(str::to_owned);
        self.keys().iter().filter_map(name).collect()
    }

    /// Holds this checkpoint as the newest, the best one, and no more than two by their iters: one that waits for its turn
    /// gives way to a newer one.
    #[track_caller]
    fn assert_holds(&self, newest: &str) {
        let whole = self.whole();
        let by_iter: Vec<&String> = whole.iter().filter(|name| name.starts_with("iter_")).collect();
        assert!(by_iter.len() <= 2 && by_iter.last().is_some_and(|last| *last == newest), "{whole:?}");
        assert!(whole.contains(&"best_val_accuracy".to_owned()), "{whole:?}");
    }

    /// An experiment whose checkpoints are copied there.
    fn mirrored(&self, mut bench: Bench) -> Bench {
        bench.edit("work_dir: \"runs\",", "work_dir: \"runs\", checkpoints: (mirror: \"s3://runs/all\"),");
        bench.set_env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.door.port));
        bench.set_env("AWS_ACCESS_KEY_ID", KEY);
        bench.set_env("AWS_SECRET_ACCESS_KEY", SECRET);
        bench
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        let _ = (self.server.kill(), self.server.wait());
    }
}

/// The same run without a mirror and without a break.
fn undisturbed() -> Bench {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    bench
}

#[track_caller]
fn assert_same_state(whole: &Bench, other: &Bench) {
    let (whole, other) = (whole.path("runs/run"), other.path("runs/run"));
    assert!(tensors(&whole) == tensors(&other), "the tensors differ");
    assert_eq!(state(&newest(&whole)), state(&newest(&other)));
}

fn resumed(bench: &Bench) -> Ended {
    bench.train(&["--resume=auto"])
}

fn without_folder(bench: &Bench) {
    std::fs::remove_dir_all(bench.path("runs")).unwrap();
}

#[track_caller]
fn no_secrets(run: &Path, ended: &Ended) {
    let log = std::fs::read_to_string(run.join("log.txt")).unwrap_or_default();
    for text in [&log, &ended.stdout, &ended.stderr] {
        assert!(!text.contains(SECRET) && !text.contains(KEY) && !text.contains("X-Amz"), "{text}");
    }
}

#[test]
#[ignore = "needs moto"]
fn a_run_whose_folder_is_gone_goes_on_from_the_mirror_to_the_bit() {
    let storage = Storage::start();
    let mut bench = storage.mirrored(Bench::by_epoch());
    // keys may come from a file, too
    bench.set_env("AWS_ACCESS_KEY_ID", "");
    bench.set_env("AWS_SECRET_ACCESS_KEY", "");
    bench.write("keys", format!("[mine]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"));
    bench.set_env("AWS_SHARED_CREDENTIALS_FILE", bench.path("keys").display().to_string());
    bench.set_env("AWS_PROFILE", "mine");
    no_secrets(&bench.path("runs/run"), &bench.train(&["--max-iters", "5"]).exits(0));
    let there = checkpoints(&bench.path("runs/run"));
    assert_eq!(storage.whole(), there);
    assert!(
        there.contains(&"iter_000000005".to_owned()) && there.contains(&"best_val_accuracy".to_owned()),
        "{there:?}"
    );

    without_folder(&bench);
    let ended = resumed(&bench).exits(0);
    let lines = log(&bench.path("runs/run"));
    assert!(lines.iter().any(|line| line.starts_with("brought from s3://runs/all/run: ")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("resumed from")), "{lines:#?}");
    no_secrets(&bench.path("runs/run"), &ended);
    assert_same_state(&undisturbed(), &bench);
    storage.assert_holds("iter_000000009");
    let left: Vec<_> =
        storage.keys().into_iter().filter(|key| !key.contains("iter_") && !key.contains("best_")).collect();
    assert!(left.is_empty(), "{left:?}");

    // another run of this name would replace it
    without_folder(&bench);
    bench.train(&[]).exits(1).says("s3://runs/all/run holds checkpoints of a run of this name, up to iter 9");
    bench.train(&["--set", "name=other", "--max-iters", "1"]).exits(0);
    assert!(storage.keys().iter().any(|key| key.starts_with("all/other/iter_000000001/")));
}

#[test]
#[ignore = "needs moto"]
fn a_process_that_is_killed_in_an_upload_leaves_the_checkpoints_before() {
    let storage = Storage::start();
    let bench = storage.mirrored(Bench::by_epoch());
    bench.train(&["--max-iters", "2"]).exits(0);
    // one that waits for its turn gives way to a newer one
    let before = storage.whole();
    assert!(before.contains(&"iter_000000002".to_owned()), "{before:?}");
    // some bytes of the next one, and no more
    storage.door.bytes.store(9000, SeqCst);
    let mut running = bench.start(&["train", "exp.ron", "--resume"]);
    let until = Instant::now() + Duration::from_secs(60);
    while storage.door.bytes.load(SeqCst) > 0 {
        assert!(Instant::now() < until && running.is_alive(), "nothing is uploaded");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    running.kill();
    assert_eq!(running.end().signal, Some(9));
    storage.door.bytes.store(u64::MAX, SeqCst);
    assert_eq!(storage.whole(), before);

    // on this disk it is further than in the mirror; without the disk the mirror is what there is
    without_folder(&bench);
    resumed(&bench).exits(0);
    assert_same_state(&undisturbed(), &bench);
    storage.assert_holds("iter_000000009");
    let names: std::collections::BTreeSet<_> =
        storage.keys().iter().filter_map(|key| key.split('/').nth(2)).map(str::to_owned).collect();
    assert!(names.into_iter().eq(storage.whole()), "remains: {:?}", storage.keys());
}

#[test]
#[ignore = "needs moto"]
fn a_storage_that_is_away_for_a_while_stops_no_training() {
    let storage = Storage::start();
    let bench = storage.mirrored(Bench::by_epoch());
    let mut running = bench.start_paused(200, &[]);
    running.wait_for("mark train 8");
    storage.door.open.store(false, SeqCst);
    running.wait_for("mark train 24");
    storage.door.open.store(true, SeqCst);
    running.end().exits(0);
    let lines = log(&bench.path("runs/run"));
    assert!(lines.iter().any(|line| line.contains("could not be copied to the mirror yet")), "{lines:#?}");
    storage.assert_holds("iter_000000009");
    assert_same_state(&undisturbed(), &bench);

    // one that does not come back fails the run at its end: the disk may go with the machine
    let bench = storage.mirrored(Bench::by_epoch());
    let mut running = bench.start_paused(30, &["--set", "name=lost"]);
    running.wait_for("mark train 8");
    storage.door.open.store(false, SeqCst);
    let ended = running
        .end()
        .exits(1)
        .says("the newest version of these checkpoints is not in the mirror s3://runs/all; look for it");
    no_secrets(&bench.path("runs/lost"), &ended);
    assert!(checkpoints(&bench.path("runs/lost")).contains(&"iter_000000009".to_owned()));
}

#[test]
#[ignore = "needs moto"]
fn a_best_checkpoint_that_improves_while_it_is_uploaded_is_in_the_mirror_at_the_end() {
    let storage = Storage::start();
    let bench = storage.mirrored(Bench::by_epoch());
    // some bytes of the first best one, and no more until there is a second one
    storage.door.bytes.store(9000, SeqCst);
    let mut running = bench.start_paused(30, &["--set", "hooks.checkpoint.interval=3"]);
    running.wait_for("mark train 25");
    assert_eq!(storage.door.bytes.load(SeqCst), 0, "nothing was uploaded");
    let (best, links) = (bench.path("runs/run/checkpoints/best_val_accuracy"), folders_of_links(&bench));
    assert!(
        std::fs::read_to_string(best.join("meta.ron")).unwrap().contains("iter: 6"),
        "the best one is not of epoch 2"
    );
    assert_eq!(links.len(), 2, "{links:?}");
    assert!(storage.whole().is_empty());
    storage.door.bytes.store(u64::MAX, SeqCst);
    running.end().exits(0);

    let lines = log(&bench.path("runs/run"));
    assert!(!lines.iter().any(|line| line.contains("warning") && line.contains("mirror")), "{lines:#?}");
    assert_eq!(storage.whole(), checkpoints(&bench.path("runs/run")));
    let key = "all/run/best_val_accuracy/manifest";
    let there =
        storage.ask(&format!("print(s3.get_object(Bucket='runs', Key='{key}')['Body'].read().decode(), end='')"));
    assert_eq!(there, std::fs::read_to_string(best.join("manifest")).unwrap());
    assert_eq!(folders_of_links(&bench), [""; 0]);
    // brings it back, and verifies every byte
    without_folder(&bench);
    resumed(&bench).exits(0);
    let lines = log(&bench.path("runs/run"));
    let brought = |name: &str| lines.iter().any(|line| line.starts_with("brought from") && line.ends_with(name));
    assert!(brought("best_val_accuracy") && brought("iter_000000009"), "{lines:#?}");
}

/// The folders of what is being uploaded.
fn folders_of_links(bench: &Bench) -> Vec<String> {
    let entries = std::fs::read_dir(bench.path("runs/run/checkpoints")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("-mirror-")).collect()
}

#[test]
#[ignore = "needs moto"]
fn credentials_that_are_wrong_are_told_before_the_training() {
    let storage = Storage::start();
    let mut bench = storage.mirrored(Bench::by_epoch());
    bench.set_env("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    let ended =
        bench.train(&[]).exits(1).says("the storage says 403 (InvalidAccessKeyId); the credentials are not those");
    no_secrets(&bench.path("runs/run"), &ended);
    assert!(!ended.stderr.contains("AKIAOTHER"), "{ended}");
    bench.set_env("AWS_ACCESS_KEY_ID", "");
    bench.set_env("AWS_SECRET_ACCESS_KEY", "");
    bench.set_env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere");
    bench.train(&[]).exits(1).says("there are no credentials for the mirror: set `AWS_ACCESS_KEY_ID`");
    assert!(!bench.path("runs").exists());
    bench.edit("s3://runs/all", "s3://nobody/all");
    let bench = {
        bench.set_env("AWS_ACCESS_KEY_ID", KEY);
        bench.set_env("AWS_SECRET_ACCESS_KEY", SECRET);
        bench
    };
    bench.train(&[]).exits(1).says("(NoSuchBucket); make the bucket, or correct `checkpoints.mirror`");
    bench.edit("s3://nobody/all", "nobody");
    bench.train(&[]).exits(2).says("`nobody` is not the address of a mirror: it does not begin with `s3://`");
}

#[test]
#[ignore = "needs moto"]
fn an_object_that_is_cut_short_or_changed_is_told_and_an_older_checkpoint_is_used() {
    for (what, change) in [("cut", "b[:-1]"), ("longer", "b + b'0'"), ("changed", "b[:-1] + bytes([b[-1] ^ 1])")] {
        let storage = Storage::start();
        let bench = storage.mirrored(Bench::by_epoch());
        bench.train(&["--max-iters", "4"]).exits(0);
        without_folder(&bench);
        storage.ask(&format!(
            "k = 'all/run/iter_000000004/net.safetensors'\nb = s3.get_object(Bucket='runs', Key=k)['Body'].read()\n\
             s3.put_object(Bucket='runs', Key=k, Body={change})"
        ));
        resumed(&bench).exits(0);
        let lines = log(&bench.path("runs/run"));
        let told = |text: &str| lines.iter().any(|line| line.contains(text));
        assert!(told("iter_000000004/net.safetensors` is damaged"), "{what}: {lines:#?}");
        assert!(told("at epoch 1, iter 3"), "{what}: {lines:#?}");
        assert_same_state(&undisturbed(), &bench);
    }
}

#[test]
#[ignore = "needs moto"]
fn two_ranks_whose_folder_is_gone_go_on_from_the_mirror_to_the_bit() {
    let two = ["--ranks", "2", "--set", "loaders.train.batch_size=2"];
    let whole = Bench::by_epoch();
    whole.train(&two).exits(0);
    let storage = Storage::start();
    let bench = storage.mirrored(Bench::by_epoch());
    bench.train(&[&two[..], &["--max-iters", "5"]].concat()).exits(0);
    // a part for each rank is among the files
    assert!(storage.keys().iter().any(|key| key.contains("iter_000000005/ranks/1/")), "{:?}", storage.keys());
    without_folder(&bench);
    let ended = bench.train(&[&two[..], &["--resume=auto"]].concat()).exits(0);
    let lines = log(&bench.path("runs/run"));
    assert!(lines.iter().any(|line| line.starts_with("brought from s3://runs/all/run: ")), "{lines:#?}\n{ended}");
    assert_same_state(&whole, &bench);
}
