//! What an update may not do: ask for memory on the engine's side. In a program of its own, for it counts
//! with the program's allocator. (What libtorch allocates doesn't pass through it.)
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use engine::base::{Epoch, Iter};
use engine::optim::schedule::{Cosine, Linear};
use engine::optim::{Adam, AdamW, Clip, Optim, Optimizer, Planned, Progress, Schedules, Sgd};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tch::{Device, Kind, Tensor};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: hands every call on to the system's allocator; the counter is a thread-local without a destructor,
// so that counting neither allocates nor fails.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the pointer came from `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn an_update_with_schedule_and_clipping_allocates_nothing_of_the_engine() {
    let recipes: [Box<dyn Optimizer>; 3] = [
        Box::new(AdamW { no_decay_on_bias_and_norm: true, ..AdamW::new(0.1) }),
        Box::new(Adam { amsgrad: true, ..Adam::new(0.1) }),
        Box::new(Sgd { momentum: 0.9, ..Sgd::new(0.1) }),
    ];
    for recipe in recipes {
        let parameters: Vec<(String, Tensor)> = (0..20)
            .map(|i| {
                (format!("p{i}"), Tensor::ones(vec![3; 1 + i % 2], (Kind::Float, Device::Cpu)).set_requires_grad(true))
            })
            .collect();
        let handles = parameters.iter().map(|(name, p)| (name.clone(), p.shallow_clone())).collect();
        let mut optims = [Optim::new("opt", &*recipe, handles).unwrap()];
        let warm_up: Linear = ron::from_str("(iters: Some(3))").unwrap();
        let cosine: Cosine = ron::from_str("()").unwrap();
        let schedules = Schedules(vec![Box::new(warm_up), Box::new(cosine)]);
        assert!(ALLOCATIONS.get() > 0, "the counter does not count");
        for iter in 0..10 {
            for (_, parameter) in &parameters {
                (parameter * parameter).sum(Kind::Float).backward();
            }
            let planned = Planned { max_epochs: 1, max_iters: 10, iters_per_epoch: 10 };
            let progress = Progress { epoch: Epoch(0), iter: Iter(iter), planned };
            let before = ALLOCATIONS.get();
            schedules.apply(&mut optims, &progress).unwrap();
            let norm = optims[0].clip(&Clip::Norm(1.0)).unwrap();
            optims[0].step().unwrap();
            optims[0].zero_grad().unwrap();
            assert_eq!(ALLOCATIONS.get() - before, 0, "update {iter} of {recipe:?}");
            drop(norm);
        }
    }
}
