//! Batches on their way to a device. What stands for the device here shows the order of calls, and nothing about CUDA.

use super::*;
use crate::data::transfer::{Lane, Transfer};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tch::Device;

/// Notes what is asked of a device, and gives copies on the host.
#[derive(Clone, Default)]
struct Noted {
    calls: Arc<Mutex<Vec<&'static str>>>,
    /// The copy that fails, from 0.
    fails_at: Option<usize>,
}

impl Noted {
    fn note(&self, call: &'static str) -> Result<()> {
        let mut calls = self.calls.lock().unwrap();
        if call == "copy" && self.fails_at == Some(calls.iter().filter(|call| **call == "copy").count()) {
            return Err(Error::msg("the device is out of memory"));
        }
        calls.push(call);
        Ok(())
    }

    fn taken(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

impl Lane for Noted {
    fn copy(&mut self, tensor: &Tensor) -> Result<Option<Tensor>> {
        self.note("copy")?;
        Ok(Some(tensor.copy()))
    }
    fn mark(&mut self) -> Result<()> {
        self.note("mark")
    }
    fn wait(&mut self) -> Result<()> {
        self.note("wait")
    }
    fn keep(&mut self, _: &Tensor) -> Result<()> {
        self.note("keep")
    }
}

fn with_lane(lane: &Noted, workers: usize) -> Loader<Numbers> {
    let mut loader = open(&config(numbers(10), 4, workers));
    loader.opened_mut().set_transfer(Transfer::by(Box::new(lane.clone())));
    loader
}

/// Brings the next batch ahead, as soon as the workers have made it.
fn bring(loader: &mut Loader<Numbers>, lane: &Noted) {
    let begun = Instant::now();
    while !lane.calls.lock().unwrap().contains(&"mark") {
        loader.bring_ahead();
        assert!(begun.elapsed() < Duration::from_secs(60), "no batch was brought ahead");
        std::thread::yield_now();
    }
}

const COPIED: [&str; 4] = ["copy", "copy", "copy", "mark"];
const USED: [&str; 4] = ["wait", "keep", "keep", "keep"];

#[test]
fn a_batch_that_was_copied_ahead_is_used_behind_its_copy_and_counts_when_it_is_given() {
    let mut plain = open(&config(numbers(10), 4, 0));
    let lane = Noted::default();
    let mut loader = with_lane(&lane, 1);
    loader.start(Cursor::default()).unwrap();
    for pass in 0..3 {
        for _ in 0..3 {
            bring(&mut loader, &lane);
            // once is enough
            loader.bring_ahead();
            assert_eq!(lane.taken(), COPIED);
            assert_eq!(loader.cursor(), plain.cursor());
            let (ahead, expected) = (loader.next_batch().unwrap().unwrap(), plain.next_batch().unwrap().unwrap());
            assert_eq!(lane.taken(), USED);
            assert_eq!(seen(&ahead), seen(&expected), "pass {pass}");
            assert_eq!((ahead.2 == expected.2, loader.cursor()), (true, plain.cursor()));
        }
        // the next pass has not begun
        loader.bring_ahead();
        assert!(lane.taken().is_empty());
        loader.start(loader.cursor()).unwrap();
        plain.start(plain.cursor()).unwrap();
    }
}

#[test]
fn a_batch_that_was_copied_and_not_used_is_not_counted() {
    let lane = Noted::default();
    let mut loader = with_lane(&lane, 2);
    loader.next_batch().unwrap();
    let saved = loader.cursor();
    bring(&mut loader, &lane);
    assert_eq!((loader.cursor(), lane.taken()), (saved, COPIED.to_vec()));
    // somebody goes on from the checkpoint, elsewhere or here
    let expected = rest(&mut { open_at(saved) }, 9);
    for stop in [false, true] {
        if stop {
            loader.stop()
        } else {
            loader.start(saved).unwrap()
        }
        assert_eq!(rest(&mut loader, 9), expected);
        // none of what was copied before is waited for
        assert!(lane.taken().is_empty());
        loader.start(saved).unwrap();
        bring(&mut loader, &lane);
        lane.taken();
    }
}

fn open_at(cursor: Cursor) -> Loader<Numbers> {
    let mut loader = open(&config(numbers(10), 4, 0));
    loader.start(cursor).unwrap();
    loader
}

#[test]
fn batches_that_were_not_ready_go_the_plain_way() {
    let lane = Noted::default();
    // without workers none is ever ready
    let mut loader = with_lane(&lane, 0);
    let expected = rest(&mut open_at(Cursor::default()), 9);
    loader.bring_ahead();
    assert_eq!(rest(&mut loader, 9), expected);
    assert!(lane.taken().is_empty());
}

#[test]
fn a_copy_ahead_that_fails_changes_no_batch_and_is_told_once() {
    let lane = Noted { fails_at: Some(4), ..Noted::default() };
    let mut loader = with_lane(&lane, 1);
    loader.start(Cursor::default()).unwrap();
    bring(&mut loader, &lane);
    let mut found = rest(&mut loader, 1);
    let begun = Instant::now();
    let notice = loop {
        loader.bring_ahead();
        if let Some(notice) = loader.notice() {
            break notice;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing has failed");
        std::thread::yield_now();
    };
    assert_eq!(
        notice,
        "loader `train`: no batch is copied ahead to the device from now on, because it has failed: the device is out of memory"
    );
    lane.taken();
    found.extend(rest(&mut loader, 9));
    loader.bring_ahead();
    assert_eq!(found, rest(&mut open_at(Cursor::default()), 9));
    assert!(lane.taken().is_empty() && loader.notice().is_none());
}

#[test]
fn batches_are_the_same_where_memory_can_be_pinned_and_where_it_can_not() {
    let expected = rest(&mut open_at(Cursor::default()), 9);
    for workers in [0, 2] {
        let mut loader = open(&config(numbers(10), 4, workers));
        loader.transfer_to(Device::Cuda(0));
        assert_eq!(rest(&mut loader, 9), expected);
        match loader.notice() {
            None => assert!(tch::Cuda::is_available(), "nothing was said of memory that was not pinned"),
            Some(notice) => {
                let told = "loader `train`: batches lie in pageable memory from now on, because none could be pinned";
                assert!(notice.starts_with(told), "{notice}");
            }
        }
        assert!(loader.notice().is_none(), "it is told once");
        // nothing is asked for, so nothing fails
        let mut loader = open(&LoaderConfig { pin_memory: false, ..config(numbers(10), 4, workers) });
        loader.transfer_to(Device::Cuda(0));
        assert_eq!((rest(&mut loader, 9), loader.notice()), (expected.clone(), None));
    }
}
