//! Damaged files, killed processes, full disks.

use super::*;

#[test]
fn every_cut_of_every_file_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1);
    for name in files(&path) {
        let file = path.join(&name);
        let whole = fs::read(&file).unwrap();
        for end in 0..whole.len() {
            fs::write(&file, &whole[..end]).unwrap();
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains(&*file.to_string_lossy()), "{name} cut at {end}: {error}");
        }
        fs::write(&file, &whole).unwrap();
    }
    load(&path).unwrap();
}

#[test]
fn a_changed_byte_and_a_missing_file_are_errors_that_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1);
    for name in files(&path) {
        let file = path.join(&name);
        let whole = fs::read(&file).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            fs::write(&file, &changed).unwrap();
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains(&*file.to_string_lossy()), "{name} changed at {at}: {error}");
        }
        fs::remove_file(&file).unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(error.contains(&*name), "{error}");
        fs::write(&file, &whole).unwrap();
    }
}

/// Whole files, each of them what some file of a checkpoint is.
#[test]
fn a_file_in_the_place_of_another_is_an_error_that_names_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let (path, other) = (save_at(dir.path(), 1), save_at(dir.path(), 2));
    for name in files(&path) {
        let file = path.join(&name);
        let whole = fs::read(&file).unwrap();
        let of_this = files(&path).into_iter().map(|source| path.join(source));
        for source in of_this.chain([other.join(&name)]) {
            let content = fs::read(&source).unwrap();
            if content == whole {
                continue;
            }
            fs::write(&file, content).unwrap();
            let error = load(&path).unwrap_err().to_string();
            // another whole manifest tells other sizes and hashes, so that a file that it lists is the one that is wrong
            let named = error.contains(&*file.to_string_lossy()) || name == MANIFEST && error.contains("is damaged");
            assert!(named, "{} in the place of {name}: {error}", source.display());
        }
        fs::write(&file, &whole).unwrap();
    }
    load(&path).unwrap();
}

#[test]
fn every_cut_of_a_bare_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(save_at(dir.path(), 1).join("net.safetensors")).unwrap();
    let bare = dir.path().join("bare.safetensors");
    for end in 0..whole.len() {
        fs::write(&bare, &whole[..end]).unwrap();
        assert!(matches!(load_models(&bare).unwrap_err(), CheckpointError::Damaged { .. }), "cut at {end}");
    }
}

#[test]
fn a_kill_between_the_rename_and_latest_still_finds_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    save_at(dir.path(), 1);
    let latest = fs::read(dir.path().join(LATEST)).unwrap();
    let second = save_at(dir.path(), 2);
    assert_eq!(fs::read_to_string(dir.path().join(LATEST)).unwrap(), "iter_000000002\n");
    fs::write(dir.path().join(LATEST), latest).unwrap();
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().0, second);
}

#[test]
fn what_a_killed_process_left_is_ignored_and_cleaned() {
    let dir = tempfile::tempdir().unwrap();
    let first = save_at(dir.path(), 1);
    for left in [".tmp-1-iter_000000009", ".gone-iter_000000008"] {
        fs::create_dir(dir.path().join(left)).unwrap();
        fs::copy(first.join(META), dir.path().join(left).join(META)).unwrap();
    }
    fs::write(dir.path().join(".latest.tmp-1"), "iter").unwrap();
    let newest = newest_valid(dir.path()).unwrap();
    assert_eq!(newest.found.unwrap().0, first);
    assert!(newest.unusable.is_empty());
    assert_eq!(clean(dir.path()).unwrap().deleted.len(), 3);
    assert_eq!(listing(dir.path()), ["iter_000000001", "latest"]);
}

#[test]
fn a_checkpoint_whose_replacement_never_came_is_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1);
    let replaced = dir.path().join(".old-iter_000000001");
    fs::rename(&path, &replaced).unwrap();
    put_back(dir.path()).unwrap();
    load(&path).unwrap();
    // one whose replacement did come stays where it is until it is deleted
    fs::create_dir(&replaced).unwrap();
    put_back(dir.path()).unwrap();
    assert_eq!(clean(dir.path()).unwrap().deleted, [replaced]);
    load(&path).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    // the kernel's own tree: not writable for anybody, the superuser included
    let error = save(Path::new("/proc/checkpoints"), &["one"], &snapshot(1)).unwrap_err();
    assert!(error.to_string().contains("`/proc/checkpoints`"), "{error}");
}

/// A full disk, by a limit on the size of files. It holds for a whole process, so the test runs itself again as a child.
#[test]
fn a_save_that_fails_in_the_middle_leaves_the_older_checkpoint_and_nothing_else() {
    const CHILD: &str = "ENGINE_TEST_LIMITED_DIR";
    if let Some(dir) = std::env::var_os(CHILD) {
        let big = vec![("w".to_owned(), Tensor::zeros([1 << 20], (Kind::Float, Device::Cpu)))];
        let big = with_models(vec![Weights::new("net", big)]);
        let error = save(Path::new(&dir), &["iter_000000002"], &big).unwrap_err();
        assert!(error.to_string().contains("net.safetensors"), "{error}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let first = save_at(dir.path(), 1);
    let name =
        "checkpoint::tests::faults::a_save_that_fails_in_the_middle_leaves_the_older_checkpoint_and_nothing_else";
    let script = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" --exact \"$1\"";
    let status = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(CHILD, dir.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&status.stdout);
    assert!(status.status.success() && output.contains("1 passed"), "{output}");
    assert_eq!(listing(dir.path()), ["iter_000000001", "latest"]);
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().0, first);
}

/// Saves, replaces and deletes without end; the parent kills it wherever it happens to be.
#[test]
fn a_kill_at_any_moment_leaves_a_newest_checkpoint_that_is_whole() {
    const CHILD: &str = "ENGINE_TEST_KILLED_DIR";
    if let Some(dir) = std::env::var_os(CHILD) {
        let dir = Path::new(&dir);
        let first = newest_valid(dir).unwrap().found.map_or(0, |(_, snapshot)| snapshot.meta.iter.get());
        // bounded, so that it ends where the parent failed and kills nothing
        for iter in first + 1..first + 2000 {
            save(dir, &[iter_name(Iter(iter)), "last".to_owned()], &snapshot(iter)).unwrap();
            assert!(retain(dir, 2, &["none"]).unwrap().failed.is_empty());
        }
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "checkpoint::tests::faults::a_kill_at_any_moment_leaves_a_newest_checkpoint_that_is_whole";
    save_as(dir.path(), "last", &snapshot(0));
    let mut reached = 0;
    for round in 0..12 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(CHILD, dir.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // each child gets past its first checkpoint, and is killed at another distance from it
        while list(dir.path()).map_or(true, |found| !found.iter().any(|path| is_newer(path, reached))) {
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_micros(1 + round * 1700));
        child.kill().unwrap();
        child.wait().unwrap();
        put_back(dir.path()).unwrap();
        let newest = newest_valid(dir.path()).unwrap();
        assert!(newest.unusable.is_empty(), "{:?}", newest.unusable);
        let (path, mut snapshot) = newest.found.unwrap();
        assert!(snapshot.meta.iter.get() > reached);
        reached = snapshot.meta.iter.get();
        assert_eq!(snapshot.state.take::<Tensor>("step").unwrap().double_value(&[0]), reached as f64);
        assert!(clean(dir.path()).unwrap().failed.is_empty());
        complete(dir.path(), &path).unwrap();
        assert_eq!(load(&dir.path().join("last")).unwrap().meta.iter.get(), reached);
        load(&dir.path().join(iter_name(Iter(reached)))).unwrap();
        assert!(listing(dir.path()).iter().all(|name| !name.starts_with('.')));
    }
}

fn is_newer(path: &Path, iter: u64) -> bool {
    iter_of_name(&path.file_name().unwrap().to_string_lossy()).is_some_and(|named| named.get() > iter)
}

/// A pipe has no end, and a device none either; a folder is no file.
#[test]
fn what_is_no_plain_file_is_refused_and_never_opened() {
    let dir = tempfile::tempdir().unwrap();
    save_at(dir.path(), 1);
    let path = save_at(dir.path(), 2);
    for name in files(&path) {
        let file = path.join(&name);
        let whole = fs::read(&file).unwrap();
        let replacements: [fn(&Path); 3] = [
            |file| assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success()),
            |file| std::os::unix::fs::symlink("/dev/zero", file).unwrap(),
            |file| fs::create_dir(file).unwrap(),
        ];
        for replace in replacements {
            fs::remove_file(&file).unwrap();
            replace(&file);
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains(&*file.to_string_lossy()) && error.contains("not a regular file"), "{error}");
            assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().1.meta.iter, Iter(1));
            assert!(load_models(&file).is_err());
            if file.is_dir() {
                fs::remove_dir(&file).unwrap();
            } else {
                fs::remove_file(&file).unwrap();
            }
            fs::write(&file, &whole).unwrap();
        }
    }
}

#[test]
fn a_file_that_is_longer_than_it_was_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1);
    let bare = dir.path().join("bare.safetensors");
    fs::copy(path.join("net.safetensors"), &bare).unwrap();
    for file in files(&path).into_iter().map(|name| path.join(name)).chain([bare.clone()]) {
        let whole = fs::read(&file).unwrap();
        // a hole of a terabyte takes no place on the disk, and would take one in memory
        fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(1 << 40).unwrap();
        if file == bare {
            let error = load_models(&file).unwrap_err().to_string();
            assert!(error.contains("it has 1099511627776 bytes, and"), "{error}");
            fs::write(&file, "").unwrap();
            fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(1 << 40).unwrap();
            assert!(load_models(&file).unwrap_err().to_string().contains("no header"));
        } else {
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains(&*file.to_string_lossy()), "{error}");
        }
        fs::write(&file, &whole).unwrap();
    }
}

/// By a name that is too long for the mark of what is being deleted; no disk refuses that to one user alone.
#[test]
fn an_old_checkpoint_that_can_not_be_deleted_is_told_and_keeps_no_other_one() {
    let dir = tempfile::tempdir().unwrap();
    let stuck = dir.path().join(format!("iter_{:0>247}", 2));
    fs::create_dir(&stuck).unwrap();
    for iter in [1, 3, 4] {
        save_at(dir.path(), iter);
    }
    let found = retain(dir.path(), 1, &["none"]).unwrap();
    assert_eq!(found.deleted, [dir.path().join("iter_000000003"), dir.path().join("iter_000000001")]);
    assert_eq!(found.failed.len(), 1);
    assert!(found.failed[0].to_string().contains("can't delete"), "{:?}", found.failed);
    assert!(stuck.is_dir());
}

#[test]
fn what_lies_in_a_checkpoints_place_is_replaced_whatever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let best = dir.path().join("best");
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("kept"), "").unwrap();
    let pipe = |path: &Path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    pipe(&best);
    save_as(dir.path(), "best", &snapshot(1));
    fs::remove_dir_all(&best).unwrap();
    // a link is replaced, and not what it leads to; so is what lies in the place of the one that was replaced
    std::os::unix::fs::symlink(&elsewhere, &best).unwrap();
    pipe(&dir.path().join(".old-best"));
    save_as(dir.path(), "best", &snapshot(2));
    assert_eq!(load(&best).unwrap().meta.iter, Iter(2));
    assert_eq!(listing(dir.path()), ["best", "elsewhere", "latest"]);
    assert_eq!(listing(&elsewhere), ["kept"]);
}

#[test]
fn what_else_lies_in_a_checkpoint_is_given_no_further_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = save(dir.path(), &["iter_000000001", "best"], &snapshot(1)).unwrap().remove(0);
    fs::remove_dir_all(dir.path().join("best")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path.join("pipe")).status().unwrap().success());
    std::os::unix::fs::symlink(&path, path.join("run/loop")).unwrap();
    assert_eq!(complete(dir.path(), &path).unwrap(), [dir.path().join("best")]);
    assert_eq!(listing(&dir.path().join("best")), ["manifest", "meta.ron", "net.safetensors", "ranks", "run"]);
    assert_eq!(listing(&dir.path().join("best/run")), ["state.ron", "state.safetensors"]);
    load(&dir.path().join("best")).unwrap();
}

#[test]
fn latest_may_be_anything_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1);
    let latest = dir.path().join(LATEST);
    let replacements: [fn(&Path); 3] = [
        |file| assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success()),
        |file| std::os::unix::fs::symlink("/dev/zero", file).unwrap(),
        |file| fs::File::create(file).unwrap().set_len(1 << 40).unwrap(),
    ];
    for replace in replacements {
        fs::remove_file(&latest).unwrap();
        replace(&latest);
        assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().0, path);
        set_latest(dir.path(), &path).unwrap();
        assert_eq!(fs::read_to_string(&latest).unwrap(), "iter_000000001\n");
    }
}

#[test]
fn a_manifest_that_lies_under_a_right_seal_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1);
    let sealed = |lines: &[String]| {
        let body = format!("engine checkpoint {FORMAT}\n{}", lines.concat());
        format!("{body}seal {}\n", blake3::hash(body.as_bytes()))
    };
    let listed: Vec<String> =
        fs::read_to_string(path.join(MANIFEST)).unwrap().lines().map(|line| format!("{line}\n")).collect();
    let listed = &listed[1..listed.len() - 1];
    let line = |name: &str| listed.iter().find(|line| line.ends_with(&format!(" {name}\n"))).unwrap().clone();
    let with = |name: &str, other: String| -> Vec<String> {
        listed.iter().map(|known| if *known == line(name) { other.clone() } else { known.clone() }).collect()
    };
    let of_size = |size: &str| {
        let own = line("net.safetensors");
        let mut words: Vec<&str> = own.trim_end().split(' ').collect();
        words[1] = size;
        with("net.safetensors", format!("{}\n", words.join(" ")))
    };
    let named = |name: &str| with("net.safetensors", line("net.safetensors").replace("net.safetensors", name));
    fs::write(path.join("manifest"), sealed(listed)).unwrap();
    load(&path).unwrap();
    let lies = [
        ("nothing", Vec::new()),
        ("no state", listed.iter().filter(|line| !line.contains("run/state.ron")).cloned().collect()),
        ("no meta", listed.iter().filter(|line| !line.contains(META)).cloned().collect()),
        ("a size of nothing", of_size("0")),
        ("the largest size", of_size("18446744073709551615")),
        ("a larger size than any number", of_size("99999999999999999999999")),
        ("a size below nothing", of_size("-1")),
        ("another folder", named("../net.safetensors")),
        ("the root", named("/etc/passwd")),
        ("no name", named("")),
        ("a file that is not there", named("other.safetensors")),
        ("no hash", with("net.safetensors", "00 5 net.safetensors\n".to_owned())),
        ("an empty line", with("net.safetensors", "\n".to_owned())),
    ];
    for (what, lines) in lies {
        fs::write(path.join(MANIFEST), sealed(&lines)).unwrap();
        let error = load(&path).map(drop).unwrap_err();
        assert!(error.is_damage(), "{what}: {error}");
    }
    // more ranks than there are, in a meta file that is sealed too
    let meta = fs::read_to_string(path.join(META)).unwrap().replace("ranks: 1", "ranks: 4294967295");
    fs::write(path.join(META), &meta).unwrap();
    let own = format!("{} {} {META}\n", blake3::hash(meta.as_bytes()), meta.len());
    fs::write(path.join(MANIFEST), sealed(&with(META, own))).unwrap();
    let error = load(&path).map(drop).unwrap_err();
    assert!(error.is_damage() && error.to_string().contains("ranks/1"), "{error}");
}
