//! A staged backward: a backbone once, its tasks one by one. The gradients are those of a joint backward, in less memory.

use crate::support::{ByIter, Setup, Toyed as _};
use engine::base::{Output, Result};
use engine::native::MemoryMeter;
use engine::phase::Phase;
use engine::run::{Context, TaskScale};
use std::cell::Cell;
use std::rc::Rc;
use tch::{Device, Kind, Reduction, Tensor};

const ROWS: i64 = 256;
const FEATURES: i64 = 64;
const HIDDEN: i64 = 512;
const NAMES: [&str; 3] = ["boxes", "signs", "lanes"];

/// A backbone with heads, each wide enough that its activations are most of the memory.
struct Heads {
    backbone: Tensor,
    heads: Vec<[Tensor; 2]>,
    x: Tensor,
}

impl Heads {
    fn new(count: usize) -> Self {
        let fill = |rows: i64, columns: i64, by: f64| {
            (Tensor::arange(rows * columns, (Kind::Float, Device::Cpu)) * by).sin().reshape([rows, columns]) * 0.1
        };
        let leaf = |rows, columns, by| fill(rows, columns, by).set_requires_grad(true);
        let head = |by| [leaf(FEATURES, HIDDEN, by), leaf(HIDDEN, 1, by)];
        Heads {
            backbone: leaf(8, FEATURES, 0.7),
            heads: [0.3, 0.4, 0.5][..count].iter().copied().map(head).collect(),
            x: fill(ROWS, 8, 0.9),
        }
    }

    fn features(&self) -> Tensor {
        self.x.matmul(&self.backbone).tanh()
    }

    fn loss(&self, head: usize, features: &Tensor) -> Tensor {
        let [first, last] = &self.heads[head];
        let target = Tensor::full([features.size()[0], 1], head as f64, (Kind::Float, Device::Cpu));
        features.matmul(first).tanh().exp().tanh().matmul(last).mse_loss(&target, Reduction::Mean)
    }

    fn joint(&self, losses: &[f64], cx: &mut Context<'_>) -> Result<Output> {
        let features = self.features();
        let all = (0..self.heads.len()).map(|head| self.loss(head, &features) * losses[head]);
        cx.backward(&all.reduce(|sum, loss| sum + loss).unwrap())?;
        Ok(Output::without_loss())
    }

    fn staged(&self, scales: &[TaskScale], cx: &mut Context<'_>) -> Result<Output> {
        let features = self.features();
        let mut staged = cx.staged(&[&features])?;
        for head in 0..self.heads.len() {
            staged.task(NAMES[head], scales[head], |features, _| Ok(self.loss(head, &features[0])))?;
        }
        staged.backward()
    }

    /// Each leaf's, the backbone's last.
    fn gradients(&self) -> Vec<Vec<f32>> {
        let leaves = self.heads.iter().flatten().chain([&self.backbone]);
        leaves.map(|leaf| Vec::<f32>::try_from(leaf.grad().reshape([-1])).unwrap()).collect()
    }
}

/// The gradients of one update of so many batches, and the most bytes that were alive at a time in one of its steps.
fn measured(
    heads: usize,
    accumulate: u64,
    step: impl Fn(&Heads, &mut Context<'_>) -> Result<Output> + 'static,
) -> (Vec<Vec<f32>>, i64) {
    let net = Rc::new(Heads::new(heads));
    let most = Rc::new(Cell::new(0));
    let mut setup = Setup::iters(1);
    setup.train.accumulate = accumulate;
    let mut driver = setup.plain::<ByIter>();
    let (of_step, kept) = (net.clone(), most.clone());
    driver.toy().on_train = Some(Box::new(move |_, cx: &mut Context<'_>| {
        let meter = MemoryMeter::start()?;
        let output = step(&of_step, cx)?;
        kept.set(meter.peak_bytes().max(kept.get()));
        Ok(output)
    }));
    driver.train_all().unwrap();
    let most = most.get();
    (net.gradients(), most)
}

const PLAIN: [TaskScale; 3] = [TaskScale { loss: 1.0, features: 1.0 }; 3];

#[test]
fn two_tasks_have_the_gradients_of_the_joint_backward_to_the_bit() {
    for accumulate in [1, 3] {
        let (joint, _) = measured(2, accumulate, |net, cx| net.joint(&[1.0; 2], cx));
        let (staged, _) = measured(2, accumulate, |net, cx| net.staged(&PLAIN, cx));
        assert!(joint.iter().flatten().any(|gradient| gradient.abs() > 1e-4));
        assert_eq!(joint, staged, "{accumulate} batches");
    }
}

#[test]
fn three_tasks_have_the_same_gradients_in_less_memory() {
    let (joint, whole) = measured(3, 1, |net, cx| net.joint(&[1.0; 3], cx));
    let (staged, part) = measured(3, 1, |net, cx| net.staged(&PLAIN, cx));
    // in the backbone three gradients are added in another order: the last bit may differ
    let largest = joint.iter().flatten().fold(0.0, |largest: f32, gradient| largest.max(gradient.abs()));
    let pairs = joint.iter().flatten().zip(staged.iter().flatten());
    let furthest = pairs.map(|(joint, staged)| (joint - staged).abs()).fold(0.0, f32::max);
    assert!(furthest <= 1e-6 * largest, "{furthest} of {largest}");
    assert_eq!(joint[..6], staged[..6], "heads are not touched by the order");
    // of each head three tensors of [256, 512] floats are kept for backward; two heads more in the joint backward
    let kept = 3 * ROWS * HIDDEN * 4;
    assert!(whole - part > kept, "{whole} and {part} bytes");
}

#[test]
fn a_task_scales_its_loss_and_what_reaches_the_backbone() {
    // powers of two: the same bits whatever is multiplied first
    let scales = [TaskScale { loss: 2.0, features: 0.25 }, TaskScale { loss: 0.5, features: 4.0 }];
    let (scaled, _) = measured(2, 1, move |net, cx| net.staged(&scales, cx));
    let (heads, _) = measured(2, 1, |net, cx| net.joint(&[2.0, 0.5], cx));
    let (backbone, _) = measured(2, 1, |net, cx| net.joint(&[0.5, 2.0], cx));
    assert_eq!(scaled[..4], heads[..4]);
    assert_eq!(scaled[4], backbone[4]);
    assert_ne!(scaled[4], heads[4]);
    // a task that does not train the backbone
    let only_first = [TaskScale::default(), TaskScale { loss: 1.0, features: 0.0 }];
    let (staged, _) = measured(2, 1, move |net, cx| net.staged(&only_first, cx));
    let (first, _) = measured(1, 1, |net, cx| net.joint(&[1.0], cx));
    assert_eq!((&staged[0], &staged[4]), (&first[0], &first[2]));
    assert!(staged[2].iter().any(|gradient| *gradient != 0.0), "its head is trained");
}

#[test]
fn tasks_on_rows_of_their_own_share_one_run_of_the_backbone() {
    const FIRST: i64 = 100;
    let split = |net: &Heads| net.features().split_with_sizes([FIRST, ROWS - FIRST], 0);
    let (joint, _) = measured(2, 1, move |net, cx| {
        let features = split(net);
        cx.backward(&(net.loss(0, &features[0]) + net.loss(1, &features[1])))?;
        Ok(Output::without_loss())
    });
    let (staged, _) = measured(2, 1, move |net, cx| {
        let features = split(net);
        let mut staged = cx.staged(&[&features[0], &features[1]])?;
        for head in 0..2 {
            staged.task(NAMES[head], TaskScale::default(), |features, _| Ok(net.loss(head, &features[head])))?;
        }
        staged.backward()
    });
    assert_eq!(joint, staged);
}

#[test]
fn rows_show_each_loss_and_their_weighted_sum() {
    let net = Heads::new(2);
    let losses = [0, 1].map(|head| net.loss(head, &net.features()).double_value(&[]));
    let mut driver = Setup::iters(1).plain::<ByIter>();
    let seen = driver.watch_at(Phase::AfterForward, |cx| {
        let output = cx.output().unwrap();
        let values = output.values().iter().map(|(name, value)| (*name, value.read().unwrap()));
        values.collect::<Vec<_>>()
    });
    let scales = [TaskScale { loss: 0.5, features: 1.0 }, TaskScale::default()];
    driver.toy().on_train = Some(Box::new(move |_, cx: &mut Context<'_>| net.staged(&scales, cx)));
    driver.train_all().unwrap();
    let rows = seen.take();
    let [("boxes", first), ("signs", second), ("loss", sum)] = rows[0][..] else { panic!("{rows:?}") };
    assert_eq!([first, second], losses);
    assert!((sum - (0.5 * losses[0] + losses[1])).abs() < 1e-6, "{sum}");
}

#[test]
fn a_frozen_backbone_takes_no_gradient() {
    let net = Rc::new(Heads::new(2));
    let _ = net.backbone.set_requires_grad(false);
    let mut driver = Setup::iters(1).plain::<ByIter>();
    let of_step = net.clone();
    driver.toy().on_train = Some(Box::new(move |_, cx: &mut Context<'_>| of_step.staged(&PLAIN, cx)));
    driver.train_all().unwrap();
    assert!(!net.backbone.grad().defined());
    assert!(net.heads.iter().flatten().all(|leaf| leaf.grad().defined()));
}

#[test]
fn a_mistake_in_a_stage_is_told() {
    let told = |step: fn(&Heads, &mut Context<'_>) -> Result<Output>| {
        let net = Heads::new(2);
        let mut driver = Setup::iters(2).plain::<ByIter>();
        driver.toy().on_train = Some(Box::new(move |_, cx: &mut Context<'_>| step(&net, cx)));
        format!("{:#}", driver.train_all().unwrap_err())
    };
    let unfinished = told(|net, cx| {
        let features = net.features();
        let mut staged = cx.staged(&[&features])?;
        staged.task("boxes", TaskScale::default(), |features, _| Ok(net.loss(0, &features[0])))?;
        Ok(Output::without_loss())
    });
    assert!(unfinished.contains("`train_step` has called `cx.staged` and not ended it"), "{unfinished}");
    let empty = told(|net, cx| cx.staged(&[&net.features()])?.backward());
    assert!(empty.contains("a stage has ended without a task"), "{empty}");
    let several = told(|net, cx| {
        let features = net.features();
        let mut staged = cx.staged(&[&features])?;
        staged.task("boxes", TaskScale::default(), |features, _| Ok(net.loss(0, &features[0]).expand([2], false)))?;
        staged.backward()
    });
    assert!(several.contains("the loss of the task `boxes` has shape [2]"), "{several}");
    // the error of a task, not that the stage is open
    let failed = told(|net, cx| {
        let features = net.features();
        let mut staged = cx.staged(&[&features])?;
        staged.task("boxes", TaskScale::default(), |_, _| Err(engine::base::Error::msg("no boxes")))?;
        staged.backward()
    });
    assert!(failed.contains("no boxes") && !failed.contains("not ended"), "{failed}");
}

#[test]
fn outside_a_step_there_is_no_stage() {
    let mut driver = Setup::iters(1).plain::<ByIter>();
    driver.on(|phase, cx| match phase {
        Phase::BeforeTrainIter => cx.staged(&[]).map(drop),
        _ => Ok(()),
    });
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.contains("`cx.staged` works only within a training step"), "{error}");
}
