//! Disks that are full or read-only, for a part of a run's life.
//!
//! A disk of its own takes a namespace of mounts, which not everybody may make; where it can't be had, that is said and
//! nothing is tried.

use crate::bench::{Bench, Ended};
use crate::left::{assert_same, newest};

/// Whether a small disk can be mounted for a process and those that it starts.
pub(crate) fn is_possible() -> bool {
    let tried = std::process::Command::new("unshare")
        .args(["-r", "-m", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"])
        .output();
    let possible = tried.as_ref().is_ok_and(|tried| tried.status.success());
    if !possible {
        println!("left out: no disk can be mounted here: {tried:?}");
    }
    possible
}

/// Runs a script with a disk of 400 kB at `runs`; what is on it in the end is copied to `kept`.
pub(crate) fn on_a_disk(bench: &Bench, script: &str) -> Ended {
    std::fs::create_dir_all(bench.path("runs")).unwrap();
    let mount = "mount -t tmpfs -o size=400k none runs";
    let script = format!("{mount} && {{ ( {script} ); code=$?; cp -a runs kept; exit $code; }}");
    bench.run_script(&["unshare", "-r", "-m", "sh", "-c", &script])
}

#[test]
fn a_disk_that_runs_full_at_any_place_is_told_and_the_run_goes_on_once_there_is_space() {
    if !is_possible() {
        return;
    }
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let mut failed = 0;
    // what is left to the run: nothing, a part of a checkpoint, one and a part of another, …
    for free in (0..=160).step_by(8) {
        let bench = Bench::by_epoch();
        let script = format!(
            "head -c $((400000 - {free} * 1024 - 8192)) /dev/zero > runs/ballast; \
             $PROGRAM train exp.ron; code=$?; \
             rm runs/ballast; echo \"first: $code\"; exec $PROGRAM train exp.ron --resume=auto"
        );
        let ended = on_a_disk(&bench, &script);
        assert_eq!(ended.code, Some(0), "{free} kB: {ended}");
        if ended.stdout.contains("first: 1") {
            failed += 1;
            assert!(ended.stderr.contains("the disk is full"), "{free} kB: {ended}");
        }
        assert_same(&whole.path("runs/run"), &bench.path("kept/run"), &format!("{free} kB"));
    }
    assert!((3..21).contains(&failed), "{failed} of 21 runs had no space");
}

#[test]
fn a_disk_that_takes_no_more_files_is_told_and_the_run_goes_on_once_it_does() {
    if !is_possible() {
        return;
    }
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let mut failed = 0;
    // the limit that a quota of files is: a checkpoint has nine files and folders, a run some more
    for files in (8..=88).step_by(8) {
        let bench = Bench::by_epoch();
        let script = format!(
            "mount -o remount,nr_inodes={files} runs && $PROGRAM train exp.ron; echo \"first: $?\"; \
             mount -o remount,nr_inodes=1000 runs && exec $PROGRAM train exp.ron --resume=auto"
        );
        let ended = on_a_disk(&bench, &script);
        assert_eq!(ended.code, Some(0), "{files} files: {ended}");
        if ended.stdout.contains("first: 1") {
            failed += 1;
            assert!(ended.stderr.contains("the disk is full"), "{files} files: {ended}");
        }
        assert_same(&whole.path("runs/run"), &bench.path("kept/run"), &format!("{files} files"));
    }
    assert!((3..11).contains(&failed), "{failed} of 11 runs had no space");
}

#[test]
fn a_disk_that_becomes_read_only_is_told_and_costs_no_checkpoint() {
    if !is_possible() {
        return;
    }
    let bench = Bench::by_epoch();
    let script = "$PROGRAM train exp.ron --max-iters 4 && mount -o remount,ro runs && \
                  $PROGRAM train exp.ron --resume; code=$?; mount -o remount,rw runs; exit $code";
    let ended = on_a_disk(&bench, script);
    assert!(ended.code == Some(1) && ended.stderr.contains("read-only"), "{ended}");
    assert!(newest(&bench.path("kept/run")).ends_with("iter_000000004"));
}

#[test]
fn a_run_that_is_to_go_on_without_checkpoints_trains_on_a_full_disk_until_there_is_space() {
    if !is_possible() {
        return;
    }
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let bench = Bench::by_epoch();
    // space for rows and none for a checkpoint, until one could not be written
    let script = "$PROGRAM train exp.ron --max-iters 4 && \
                  head -c $(( $(df -k --output=avail runs | tail -n 1) * 1024 - 24576 )) /dev/zero > runs/ballast; \
                  ( until grep -q 'goes on without a checkpoint' runs/run/log.txt; do sleep 0.02; done; rm runs/ballast ) & \
                  $PROGRAM train exp.ron --resume --set hooks.checkpoint.on_save_error=Continue --set trainer.pause=30";
    let ended = on_a_disk(&bench, script);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout.contains("warning: the run goes on without a checkpoint"), "{ended}");
    assert_same(&whole.path("runs/run"), &bench.path("kept/run"), "a full disk for a while");
}

#[test]
fn a_quota_of_the_file_system_that_is_used_up_is_told_and_the_run_goes_on_once_it_is_larger() {
    // quotas of btrfs hold for everybody, and need no tool but its own; mounting an image takes the rights of root
    let prepare = "truncate -s 130M image && mkfs.btrfs -q image > made 2>&1 && mkdir -p disk && mount -o loop image disk && \
                   btrfs quota enable disk && btrfs subvolume create disk/runs > /dev/null";
    let tried = Bench::by_epoch().run_script(&["unshare", "-m", "sh", "-c", prepare]);
    if tried.code != Some(0) {
        println!("left out: no disk with quotas can be mounted here: {tried}");
        return;
    }
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let mut failed = 0;
    for limit in (48..=624).step_by(64) {
        let bench = Bench::by_epoch();
        let train = "$PROGRAM train exp.ron --work-dir disk/runs";
        let script = format!(
            "{prepare} && btrfs qgroup limit {limit}K disk/runs && \
             {{ {train}; echo \"first: $?\"; btrfs qgroup limit none disk/runs; \
                {train} --resume=auto; code=$?; cp -a disk/runs kept; exit $code; }}"
        );
        let ended = bench.run_script(&["unshare", "-m", "sh", "-c", &script]);
        assert_eq!(ended.code, Some(0), "{limit} kB: {ended}");
        if ended.stdout.contains("first: 1") {
            failed += 1;
            assert!(ended.stderr.contains("quota"), "{limit} kB: {ended}");
        } else {
            assert!(ended.stdout.contains("first: 0"), "{limit} kB: {ended}");
        }
        assert_same(&whole.path("runs/run"), &bench.path("kept/run"), &format!("{limit} kB"));
    }
    assert!((2..10).contains(&failed), "{failed} of 10 runs had no space");
}
