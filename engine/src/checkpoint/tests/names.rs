//! Which checkpoint is which: names, order, what is kept.

use super::*;

#[test]
fn the_newest_that_verifies_is_taken_and_the_broken_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let paths = [2, 10, 9].map(|iter| save_at(dir.path(), iter));
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().0, paths[1]);
    let weights = paths[1].join("net.safetensors");
    fs::write(&weights, &fs::read(&weights).unwrap()[..20]).unwrap();
    let newest = newest_valid(dir.path()).unwrap();
    let (path, snapshot) = newest.found.unwrap();
    assert_eq!((path, snapshot.meta.iter), (paths[2].clone(), Iter(9)));
    assert_eq!(newest.unusable.len(), 1);
    let (path, why) = &newest.unusable[0];
    assert_eq!(*path, paths[1]);
    assert!(why.to_string().contains("iter_000000010/net.safetensors"));
}

#[test]
fn no_checkpoint_is_nothing_and_only_broken_ones_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(newest_valid(&dir.path().join("not there")).unwrap().found.is_none());
    assert!(newest_valid(dir.path()).unwrap().found.is_none());
    for iter in [1, 2] {
        fs::remove_file(save_at(dir.path(), iter).join(MANIFEST)).unwrap();
    }
    let error = newest_valid(dir.path()).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::NoneValid { count: 2, newest, .. } if newest.to_string().contains("iter_000000002"))
    );
}

#[test]
fn named_checkpoints_are_ordered_by_their_iter_and_latest_decides_among_equals() {
    let dir = tempfile::tempdir().unwrap();
    save_at(dir.path(), 5);
    let best = save_as(dir.path(), "best_accuracy", &snapshot(8));
    assert_eq!(list(dir.path()).unwrap()[0], best);
    let by_iter = save_at(dir.path(), 8);
    assert_eq!(list(dir.path()).unwrap()[..2], [by_iter, best]);
}

#[test]
fn saving_under_a_name_again_replaces_it() {
    let dir = tempfile::tempdir().unwrap();
    save_as(dir.path(), "last", &snapshot(1));
    let path = save_as(dir.path(), "last", &snapshot(2));
    assert_eq!(load(&path).unwrap().meta.iter, Iter(2));
    assert_eq!(listing(dir.path()), ["last", "latest"]);
}

#[test]
fn retain_keeps_the_newest_the_protected_and_the_named() {
    let dir = tempfile::tempdir().unwrap();
    for iter in 1..=6 {
        save_at(dir.path(), iter);
    }
    save_as(dir.path(), "best", &snapshot(2));
    let found = retain(dir.path(), 2, &["iter_000000003"]).unwrap();
    assert_eq!((found.deleted.len(), found.failed.len()), (3, 0));
    assert_eq!(listing(dir.path()), ["best", "iter_000000003", "iter_000000005", "iter_000000006", "latest"]);
}

#[test]
fn names_that_no_file_can_have_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(201);
    for name in ["", "..", "a/b", ".hidden", "latest", "damaged-one", "a\nb", "a b", &long] {
        let error = save(dir.path(), &[name], &snapshot(1)).unwrap_err();
        assert!(matches!(error, CheckpointError::Name { what: "checkpoint", .. }), "{name:?}: {error}");
    }
    for models in [vec!["net.raw"], vec!["../net"], vec!["net", "net"]] {
        let models = models.into_iter().map(|model| Weights::new(model, Vec::new())).collect();
        let error = save(dir.path(), &["one"], &with_models(models)).unwrap_err();
        assert!(matches!(error, CheckpointError::Name { what: "model", .. }), "{error}");
    }
    assert_eq!(listing(dir.path()), Vec::<String>::new());
}

#[test]
fn a_model_may_have_the_name_of_anything_else() {
    // every name of a field of a struct, too
    let names = ["latest", "manifest", "meta", "modèle", "ranks", "run", "state", "模型"];
    let models = names.map(|model| Weights::new(model, vec![("weight".to_owned(), tensor(Kind::Float))]));
    let back = saved_and_loaded(&with_models(models.into()));
    assert_eq!(back.models.iter().map(|weights| weights.model.as_str()).collect::<Vec<_>>(), names);
}

#[test]
fn a_state_under_several_names_is_written_once() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    let names = ["iter_000000008", "best_val_loss", "best_val_accuracy"];
    let paths = save(dir.path(), &names, &snapshot(8)).unwrap();
    for name in files(&paths[0]) {
        let inodes: Vec<u64> = paths.iter().map(|path| fs::metadata(path.join(&name)).unwrap().ino()).collect();
        assert!(inodes.iter().all(|inode| *inode == inodes[0]), "{name}");
    }
    assert_eq!(fs::read_to_string(dir.path().join(LATEST)).unwrap(), "iter_000000008\n");
    // each is whole by itself
    assert!(retain(dir.path(), 0, &["best_val_loss"]).unwrap().failed.is_empty());
    for path in &paths[1..] {
        assert_eq!(load(path).unwrap().meta.names, names);
    }
}

#[test]
fn a_name_that_a_kill_has_prevented_is_given_later_and_no_newer_one_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["iter_000000008", "best_val_loss", "best_val_accuracy"];
    save_as(dir.path(), "best_val_loss", &snapshot(3));
    save_as(dir.path(), "best_val_accuracy", &snapshot(9));
    let written = save(dir.path(), &names[..1], &snapshot(8)).unwrap().remove(0);
    assert_eq!(complete(dir.path(), &written).unwrap(), Vec::<PathBuf>::new());
    // as after a kill between the first name and the second
    let whole = tempfile::tempdir().unwrap();
    let paths = save(whole.path(), &names, &snapshot(8)).unwrap();
    fs::remove_dir_all(&written).unwrap();
    fs::rename(&paths[0], &written).unwrap();
    let best = dir.path().join("best_val_loss");
    assert_eq!(complete(dir.path(), &written).unwrap(), std::slice::from_ref(&best));
    assert_eq!(load(&best).unwrap().meta.iter, Iter(8));
    assert_eq!(load(&dir.path().join("best_val_accuracy")).unwrap().meta.iter, Iter(9));
    assert_eq!(complete(dir.path(), &written).unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn one_that_was_set_aside_is_neither_found_nor_counted_nor_deleted() {
    let dir = tempfile::tempdir().unwrap();
    for iter in [1, 2, 3] {
        save_at(dir.path(), iter);
    }
    let third = dir.path().join("iter_000000003");
    assert_eq!(set_aside(&third).unwrap(), dir.path().join("damaged-iter_000000003"));
    save_at(dir.path(), 3);
    assert_eq!(set_aside(&third).unwrap(), dir.path().join("damaged-iter_000000003.2"));
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().1.meta.iter, Iter(2));
    assert_eq!(retain(dir.path(), 2, &["none"]).unwrap().deleted, Vec::<PathBuf>::new());
    assert_eq!(listing(dir.path()).len(), 5);
}

#[test]
fn what_a_run_has_left_behind_or_a_failed_one_has_saved_is_found_only_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    for iter in [1, 2, 3, 4] {
        save_at(dir.path(), iter);
    }
    let later = later_than(dir.path(), Iter(2)).unwrap();
    assert_eq!(later, [dir.path().join("iter_000000004"), dir.path().join("iter_000000003")]);
    let left: Vec<PathBuf> = later.iter().map(|path| leave_behind(path).unwrap()).collect();
    assert_eq!(left[1], dir.path().join("left-iter_000000003"));
    let failed = save_as(dir.path(), &format!("{FAILED}iter_000000005"), &snapshot(5));
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().1.meta.iter, Iter(2));
    assert_eq!(retain(dir.path(), 2, &["none"]).unwrap().deleted, Vec::<PathBuf>::new());
    // `latest` never tells it
    assert_eq!(fs::read_to_string(dir.path().join(LATEST)).unwrap(), "iter_000000004\n");
    for path in left.iter().chain([&failed]) {
        assert!(!is_counted(path));
        load(path).unwrap();
    }
    let error = save(dir.path(), &["left-one"], &snapshot(1)).unwrap_err();
    assert!(error.to_string().contains("set aside"), "{error}");
}

#[test]
fn a_checkpoint_that_somebody_has_renamed_is_taken_for_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for iter in [6, 9, 12] {
        save_at(dir.path(), iter);
    }
    let named = |name: &str| dir.path().join(name);
    // a number that no run reaches, one that no number type holds, and two that were exchanged
    fs::rename(named("iter_000000006"), named("iter_999999999")).unwrap();
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().1.meta.iter, Iter(12));
    fs::rename(named("iter_999999999"), named("iter_99999999999999999999999")).unwrap();
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().1.meta.iter, Iter(12));
    fs::rename(named("iter_000000009"), named("x")).unwrap();
    fs::rename(named("iter_000000012"), named("iter_000000009")).unwrap();
    fs::rename(named("x"), named("iter_000000012")).unwrap();
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().0, named("iter_000000009"));
    let found = retain(dir.path(), 1, &[] as &[&str]).unwrap();
    assert_eq!(found.deleted, [named("iter_000000012")]);
}
