//! Saves on a thread of their own.

use super::*;
use crate::checkpoint::host::Lane;
use crate::native::{NativeError, PendingCopies};
use std::sync::{Arc, Mutex};

fn job(dir: &Path, iter: u64) -> Job {
    let retention = Some(Retention { keep: 2, protected: vec![iter_name(Iter(1))] });
    Job { dir: dir.to_owned(), names: vec![iter_name(Iter(iter)), "best".to_owned()], retention }
}

#[test]
fn a_save_in_the_background_is_that_of_the_moment_and_lets_the_older_ones_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut saver = Saver::default();
    for iter in 1..=4 {
        let mut given = snapshot(iter);
        saver.begin(job(dir.path(), iter), &given).unwrap();
        // the training goes on at once
        let _ = given.models[0].trained[0].1.fill_(-1.0);
        let saved = saver.wait().unwrap();
        assert_eq!((saved.iter, saved.not_deleted.len()), (Iter(iter), 0));
        let paths = saved.written.unwrap();
        assert_eq!(paths, [dir.path().join(iter_name(Iter(iter))), dir.path().join("best")]);
        assert_eq!(bits(&load(&paths[0]).unwrap().models[0].trained[1].1), bits(&tensor(Kind::Float)));
    }
    assert_eq!(listing(dir.path()), ["best", "iter_000000001", "iter_000000003", "iter_000000004", "latest"]);
    assert!(!saver.is_busy() && saver.wait().is_none());
}

#[test]
fn one_save_is_under_way_at_most_and_its_end_is_asked_for_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut saver = Saver::default();
    saver.begin(job(dir.path(), 1), &snapshot(1)).unwrap();
    assert_eq!(saver.under_way(), Some("iter_000000001"));
    assert!(saver.begin(job(dir.path(), 2), &snapshot(2)).unwrap_err().to_string().contains("another save"));
    while saver.finished().is_none() {
        std::thread::yield_now();
    }
    assert!(!saver.is_busy());
    saver.begin(job(dir.path(), 2), &snapshot(2)).unwrap();
    // whoever goes away waits for it
    drop(saver);
    assert_eq!(load(&dir.path().join("iter_000000002")).unwrap().meta.iter, Iter(2));
}

#[test]
fn the_memory_of_a_copy_is_taken_again_by_the_next_one_and_only_where_it_fits() {
    let mut memory = HostMemory::default();
    let places = |copy: &HostCopy| -> Vec<usize> {
        copy.snapshot.models[0].trained.iter().map(|(_, tensor)| tensor.data_ptr() as usize).collect()
    };
    let first = memory.copy(&snapshot(1)).unwrap();
    let before = places(&first);
    memory.keep(first);
    let second = memory.copy(&snapshot(2)).unwrap();
    assert_eq!(places(&second), before);
    assert_eq!(bits(&second.snapshot.models[0].trained[1].1), bits(&tensor(Kind::Half)));
    memory.keep(second);
    // other shapes, other kinds, other orders of elements
    let others = [tensor(Kind::Float).transpose(0, 1), tensor(Kind::Float).reshape([12]), tensor(Kind::Int64)];
    for (place, other) in others.into_iter().enumerate() {
        let given = with_models(vec![Weights::new("net", vec![("w".to_owned(), other.shallow_clone())])]);
        let copy = memory.copy(&given).unwrap();
        let got = &copy.snapshot.models[0].trained[0].1;
        assert_eq!((got.size(), got.kind(), bits(got)), (other.size(), other.kind(), bits(&own(&other))), "{place}");
    }
}

#[test]
fn two_tensors_over_one_memory_are_copied_once_and_others_never_share() {
    let mut memory = HostMemory::default();
    let weight = tensor(Kind::Float);
    let given = |tensors: Vec<Tensor>| {
        let named = tensors.into_iter().enumerate().map(|(place, tensor)| (format!("w{place}"), tensor)).collect();
        with_models(vec![Weights::new("net", named)])
    };
    for round in 0..3 {
        let tied = given(vec![weight.shallow_clone(), weight.shallow_clone(), weight.transpose(0, 1), weight.copy()]);
        let copy = memory.copy(&tied).unwrap();
        let places: Vec<usize> = copy.snapshot.models[0].trained.iter().map(|(_, t)| t.data_ptr() as usize).collect();
        assert_eq!(places[0], places[1], "{round}");
        assert!(places[2] != places[0] && places[3] != places[0] && places[2] != places[3], "{round}: {places:?}");
        memory.keep(copy);
    }
}

#[test]
fn tensors_longer_than_a_slice_come_back_to_the_bit() {
    let lengths = [1 << 18, (1 << 18) + 1, (1 << 20) - 1, 3 << 18];
    let named = lengths.iter().map(|length| {
        let numbers = Tensor::arange(*length, (Kind::Int64, Device::Cpu)).to_kind(Kind::Float);
        (format!("w{length}"), numbers)
    });
    let mut named: Vec<(String, Tensor)> = named.collect();
    named.push(("odd".to_owned(), Tensor::arange((1 << 20) + 7, (Kind::Int64, Device::Cpu)).to_kind(Kind::Uint8)));
    named.push(("turned".to_owned(), named[3].1.reshape([3, 1 << 18]).transpose(0, 1)));
    let expected: BTreeMap<String, Vec<u8>> = named.iter().map(|(name, t)| (name.clone(), bits(&own(t)))).collect();
    let back = saved_and_loaded(&with_models(vec![Weights::new("net", named)]));
    for (name, tensor) in &back.models[0].trained {
        assert!(bits(tensor) == expected[name], "{name}");
    }
}

/// A lane that copies nothing before somebody waits for it: what is changed before that is copied as it is by then.
#[derive(Debug, Default)]
struct Lazy(Mutex<Queued>);

/// Into where and from where.
#[derive(Debug, Default)]
struct Queued {
    before_the_mark: Vec<(Tensor, Tensor)>,
    after_it: Vec<(Tensor, Tensor)>,
}

impl Lazy {
    fn do_it(&self) -> Result<(), NativeError> {
        let queued = std::mem::take(&mut self.0.lock().unwrap().before_the_mark);
        queued.into_iter().for_each(|(mut into, from)| into.copy_(&from));
        Ok(())
    }
}

impl PendingCopies for Lazy {
    fn block_stream(&self) -> Result<(), NativeError> {
        self.do_it()
    }
}

impl Lane for Lazy {
    fn device(&self) -> Device {
        Device::Cpu
    }
    fn begin(&mut self) -> Result<(), NativeError> {
        Ok(())
    }
    fn copy(&mut self, into: &mut Tensor, from: &Tensor) -> Result<(), NativeError> {
        let queued = self.0.get_mut().unwrap();
        queued.after_it.push((into.shallow_clone(), from.shallow_clone()));
        Ok(())
    }
    fn mark(&mut self) -> Result<(), NativeError> {
        let queued = self.0.get_mut().unwrap();
        queued.before_the_mark.append(&mut queued.after_it);
        Ok(())
    }
    fn wait(&self) -> Result<(), NativeError> {
        self.do_it()
    }
}

/// Weights and the state of an optimizer, which are what they are called.
fn beside_each_other() -> (Tensor, Tensor, Snapshot) {
    let (weight, moment) = (tensor(Kind::Float), tensor(Kind::Double));
    let mut given = with_models(vec![Weights::new("net", vec![("weight".to_owned(), weight.shallow_clone())])]);
    given.state.put_map(Snapshot::UPDATES, |map| {
        map.put_map(Snapshot::OPTIMIZERS, |map| map.put("moment", &moment.shallow_clone()));
    });
    (weight, moment, given)
}

fn moment_of(snapshot: &Snapshot) -> Tensor {
    let mut state = StateMap(snapshot.state.0.iter().map(|(key, value)| (key.clone(), value.copied())).collect());
    let mut updates = state.take_map(Snapshot::UPDATES).unwrap();
    updates.take_map(Snapshot::OPTIMIZERS).unwrap().take("moment").unwrap()
}

#[test]
fn the_state_of_an_optimizer_may_change_once_it_was_held_and_all_else_at_once() {
    for holds in [true, false] {
        let (mut weight, mut moment, given) = beside_each_other();
        let copy = HostMemory::default().copy_by(&given, Some(Arc::new(Lazy::default()))).unwrap();
        let _ = weight.fill_(-1.0);
        if holds {
            copy.reading().unwrap().block_stream().unwrap();
        }
        let _ = moment.fill_(-1.0);
        copy.wait().unwrap();
        assert_eq!(bits(&copy.snapshot.models[0].trained[0].1), bits(&tensor(Kind::Float)));
        // without waiting for the lane, the copy has the values of after the update: so the test can fail
        assert_eq!(bits(&moment_of(&copy.snapshot)) == bits(&tensor(Kind::Double)), holds);
    }
}

#[test]
fn a_lane_that_somebody_else_holds_is_not_used() {
    let (_, mut moment, given) = beside_each_other();
    let shared: Arc<dyn Lane> = Arc::new(Lazy::default());
    let copy = HostMemory::default().copy_by(&given, Some(Arc::clone(&shared))).unwrap();
    let _ = moment.fill_(-1.0);
    assert_eq!(bits(&moment_of(&copy.snapshot)), bits(&tensor(Kind::Double)));
}
