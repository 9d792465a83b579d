//! Going backward by hand: the same gradients, less memory, and what is told when it can't be.

use crate::support::{ByIter, Setup, Toyed as _};
use engine::base::Output;
use engine::native::MemoryMeter;
use engine::phase::Phase;
use engine::run::Context;
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Device, Kind, Reduction, Tensor};

#[test]
fn by_hand_the_gradients_are_those_of_a_loss_that_is_given_back() {
    let trained = |by_hand: bool| {
        let mut setup = Setup { adam: true, ..Setup::iters(4) };
        // one batch counts a third of its update
        setup.train.accumulate = 3;
        let mut driver = setup.plain::<ByIter>();
        driver.toy().on_train = Some(Box::new(move |output: Output, cx: &mut Context<'_>| {
            if !by_hand {
                return Ok(output);
            }
            cx.backward(output.loss()?)?;
            Ok(Output::without_loss().value("loss", output.loss()?))
        }));
        driver.train_all().unwrap();
        driver.weights()
    };
    assert_eq!(trained(true), trained(false));
}

#[test]
fn a_step_without_a_loss_that_has_not_gone_backward_is_refused() {
    let mut driver = Setup::iters(2).plain::<ByIter>();
    driver.toy().on_train = Some(Box::new(|_, _| Ok(Output::without_loss())));
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.contains("`train_step` gave no loss and has not called `cx.backward`"), "{error}");
}

#[test]
fn what_can_not_go_backward_is_refused_with_the_reason() {
    let told = |step: fn(Output, &mut Context<'_>) -> engine::base::Result<Output>| {
        let mut driver = Setup::iters(2).plain::<ByIter>();
        driver.toy().on_train = Some(Box::new(step));
        format!("{:#}", driver.train_all().unwrap_err())
    };
    let several = told(|output, cx| cx.backward(&output.loss()?.expand([2], false)).map(|()| output));
    assert!(several.contains("the loss of `cx.backward` has shape [2]"), "{several}");
    let detached = told(|output, cx| cx.backward(&output.loss()?.detach()).map(|()| output));
    assert!(detached.contains("the loss of `cx.backward` has no gradient"), "{detached}");
    let nothing = told(|output, cx| cx.backward_from(output.loss()?, &Tensor::new()).map(|()| output));
    assert!(nothing.contains("was given a tensor without a gradient"), "{nothing}");
}

#[test]
fn outside_a_step_there_is_nothing_to_go_backward_from() {
    let mut driver = Setup::iters(1).plain::<ByIter>();
    driver.on(|phase, cx| match phase {
        Phase::BeforeTrainIter => cx.backward(&Tensor::from(1.0)),
        _ => Ok(()),
    });
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.contains("`cx.backward` works only within a training step"), "{error}");
}

const ROWS: i64 = 512;
const FEATURES: i64 = 64;
const HIDDEN: i64 = 512;

/// A backbone with two heads, each wide enough that its activations are most of the memory.
struct TwoHeads {
    backbone: Tensor,
    heads: [[Tensor; 3]; 2],
    x: Tensor,
}

impl TwoHeads {
    fn new() -> Self {
        let fill = |rows: i64, columns: i64, by: f64| {
            (Tensor::arange(rows * columns, (Kind::Float, Device::Cpu)) * by).sin().reshape([rows, columns]) * 0.1
        };
        let leaf = |rows, columns, by| fill(rows, columns, by).set_requires_grad(true);
        TwoHeads {
            backbone: leaf(8, FEATURES, 0.7),
            heads: [0.3, 0.4].map(|by| [leaf(FEATURES, HIDDEN, by), leaf(HIDDEN, HIDDEN, by), leaf(HIDDEN, 1, by)]),
            x: fill(ROWS, 8, 0.9),
        }
    }

    fn loss(&self, head: usize, features: &Tensor) -> Tensor {
        let [first, second, last] = &self.heads[head];
        let target = Tensor::full([ROWS, 1], head as f64, (Kind::Float, Device::Cpu));
        features.matmul(first).tanh().matmul(second).tanh().matmul(last).mse_loss(&target, Reduction::Mean)
    }

    fn joint(&self, cx: &mut Context<'_>) -> engine::base::Result<()> {
        let features = self.x.matmul(&self.backbone).tanh();
        cx.backward(&(self.loss(0, &features) + self.loss(1, &features)))
    }

    fn staged(&self, cx: &mut Context<'_>) -> engine::base::Result<()> {
        let features = self.x.matmul(&self.backbone).tanh();
        let shared = features.detach().set_requires_grad(true);
        for head in 0..2 {
            cx.backward(&self.loss(head, &shared))?;
        }
        cx.backward_from(&features, &shared.grad())
    }

    fn gradients(&self) -> Vec<f32> {
        let all: Vec<Tensor> =
            self.heads.iter().flatten().chain([&self.backbone]).map(|leaf| leaf.grad().reshape([-1])).collect();
        Vec::<f32>::try_from(Tensor::cat(&all, 0)).unwrap()
    }
}

type Backward = fn(&TwoHeads, &mut Context<'_>) -> engine::base::Result<()>;

/// The gradients, and the most bytes that were alive at a time.
fn measured(backward: Backward) -> (Vec<f32>, i64) {
    let net = Rc::new(TwoHeads::new());
    let peak = Rc::new(RefCell::new(0));
    let mut driver = Setup::iters(1).plain::<ByIter>();
    let (of_step, kept) = (net.clone(), peak.clone());
    driver.toy().on_train = Some(Box::new(move |_, cx: &mut Context<'_>| {
        let meter = MemoryMeter::start()?;
        backward(&of_step, cx)?;
        *kept.borrow_mut() = meter.peak_bytes();
        Ok(Output::without_loss())
    }));
    driver.train_all().unwrap();
    let peak = *peak.borrow();
    (net.gradients(), peak)
}

#[test]
fn heads_that_go_backward_one_by_one_give_the_same_gradients_in_less_memory() {
    let ((joint, whole), (staged, part)) = (measured(TwoHeads::joint), measured(TwoHeads::staged));
    let furthest = joint.iter().zip(&staged).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(furthest < 1e-6, "{furthest}");
    // far above the difference that is allowed
    let largest = joint.iter().fold(0.0, |largest: f32, gradient| largest.max(gradient.abs()));
    assert!(largest > 1e-4, "{largest}");
    // while the second head goes backward, the two activations of the first, [512, 512] floats each, are gone; its
    // gradients, a little more than one such tensor, have come
    let activation = ROWS * HIDDEN * 4;
    assert!(whole - part > activation / 2, "{whole} and {part} bytes");
}
