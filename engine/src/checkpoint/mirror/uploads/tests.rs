//! Uploads to a slow store: it waits at each file until the test lets it go on. The checkpoints are real.

use super::*;
use crate::base::state::StateMap;
use crate::base::units::{Epoch, Iter};
use crate::checkpoint::{Meta, Snapshot, load, save};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tempfile::TempDir;

/// Uploads into a folder, file by file, each when it may.
struct Slow {
    disk: TempDir,
    there: TempDir,
    uploads: Uploads,
    /// Gives the folder of links of a job whose first file has come to the gate.
    at_gate: Receiver<PathBuf>,
    /// Opens the gate for one file; for all, once it is dropped.
    gate: Option<Sender<()>>,
    /// The name and iter of each checkpoint that was written.
    written: Receiver<(String, u64)>,
}

impl Slow {
    /// `refuses` says whether the storage refuses a checkpoint of this name.
    fn new(mut refuses: impl FnMut(&str) -> bool + Send + 'static) -> Slow {
        let (disk, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ((at_gate_in, at_gate), (gate, gate_out), (written_in, written)) = (channel(), channel(), channel());
        let to = there.path().to_owned();
        let upload = move |job: &mut Job, _: &[String]| {
            if refuses(&job.name) {
                let (address, code) = (job.name.clone(), "AccessDenied".to_owned());
                return Err(MirrorError::Refused { address, doing: "written", status: 403, code });
            }
            let target = to.join(&job.name);
            let _ = std::fs::remove_dir_all(&target);
            // the manifest is read before the files, as for a real one
            let manifest = std::fs::read(job.folder.join("manifest")).while_trying("read", &job.folder)?;
            let text = String::from_utf8(manifest.clone()).unwrap();
            let files = text.lines().filter(|line| !line.starts_with("engine") && !line.starts_with("seal"));
            at_gate_in.send(job.folder.clone()).unwrap();
            for file in files.map(|line| line.splitn(3, ' ').last().unwrap()) {
                let _ = gate_out.recv();
                let (from, copy) = (job.folder.join(file), target.join(file));
                std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
                std::fs::copy(&from, copy).while_trying("read", &from)?;
            }
            std::fs::write(target.join("manifest"), manifest).unwrap();
            // verifies every hash
            written_in.send((job.name.clone(), load(&target).unwrap().meta.iter.get())).unwrap();
            Ok(())
        };
        let uploads = Uploads::by(&MirrorUrl::new("s3://runs/all").unwrap(), upload).unwrap();
        Slow { disk, there, uploads, at_gate, gate: Some(gate), written }
    }

    /// Saves a checkpoint of this iter, and begins to copy it.
    fn save(&mut self, name: &str, iter: u64) {
        let mut state = StateMap::new();
        state.put("iter", &iter);
        let meta = Meta::new(Epoch(0), Iter(iter));
        let snapshot = Snapshot { meta, models: Vec::new(), state, ranks: vec![StateMap::new()] };
        let saved = save(self.disk.path(), &[name], &snapshot).unwrap();
        self.uploads.begin(&saved[0], None);
    }

    fn wait_at_gate(&self) -> PathBuf {
        self.at_gate.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    fn open_gate(&mut self) {
        self.gate = None;
    }

    fn written(&self) -> Vec<(String, u64)> {
        self.written.try_iter().collect()
    }

    fn assert_no_links_are_left(&self) {
        let names = std::fs::read_dir(self.disk.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn written(all: &[(&str, u64)]) -> Vec<(String, u64)> {
    all.iter().map(|(name, iter)| ((*name).to_owned(), *iter)).collect()
}

#[test]
fn a_best_checkpoint_that_improves_during_its_upload_is_copied_and_so_are_others() {
    let mut slow = Slow::new(|_| false);
    slow.save("best_loss", 1);
    slow.wait_at_gate();
    // one file is through, the others wait
    slow.gate.as_ref().unwrap().send(()).unwrap();
    slow.save("best_loss", 2);
    slow.save("iter_000000002", 2);
    slow.save("best_loss", 3);
    slow.save("iter_000000003", 3);
    slow.open_gate();
    slow.uploads.finish().unwrap();
    // the version that was under way is whole, and those that waited gave way to newer ones
    assert_eq!(slow.written(), written(&[("best_loss", 1), ("best_loss", 3), ("iter_000000003", 3)]));
    assert_eq!(slow.uploads.told(), [""; 0]);
    let mut best = load(&slow.there.path().join("best_loss")).unwrap();
    assert_eq!(best.state.take::<u64>("iter").unwrap(), 3);
    slow.assert_no_links_are_left();
}

#[test]
fn a_checkpoint_whose_files_are_gone_is_told_and_keeps_no_other_one() {
    let mut slow = Slow::new(|_| false);
    slow.save("best_loss", 1);
    std::fs::remove_dir_all(slow.wait_at_gate()).unwrap();
    slow.save("iter_000000001", 1);
    slow.open_gate();
    let error = slow.uploads.finish().unwrap_err().to_string();
    assert!(error.contains("s3://runs/all") && error.contains("`best_loss`: can't read"), "{error}");
    assert_eq!(slow.written(), written(&[("iter_000000001", 1)]));
    let told = slow.uploads.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("warning: the checkpoint `best_loss` is not copied to the mirror: can't read"),
        "{told:?}"
    );
    slow.assert_no_links_are_left();
}

#[test]
fn a_later_version_makes_good_for_one_that_was_lost() {
    let mut slow = Slow::new(|_| false);
    slow.save("best_loss", 1);
    std::fs::remove_dir_all(slow.wait_at_gate()).unwrap();
    slow.save("best_loss", 2);
    slow.open_gate();
    slow.uploads.finish().unwrap();
    assert_eq!(slow.written(), written(&[("best_loss", 2)]));
    assert_eq!(slow.uploads.told().len(), 1);
}

#[test]
fn one_that_the_storage_refuses_is_tried_again_after_others() {
    let mut refusals = 2;
    let mut slow = Slow::new(move |name| {
        let refused = name == "best_loss" && refusals > 0;
        refusals -= u32::from(refused);
        refused
    });
    slow.save("best_loss", 1);
    slow.save("iter_000000001", 1);
    slow.open_gate();
    // a refusal is waited for at the end, too
    slow.uploads.finish().unwrap();
    assert_eq!(slow.written(), written(&[("iter_000000001", 1), ("best_loss", 1)]));
    let told = slow.uploads.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("`best_loss` could not be copied to the mirror yet: "), "{told:?}");
    assert_eq!(told[1], "the checkpoint `best_loss` is in the mirror now");
    slow.assert_no_links_are_left();
}
