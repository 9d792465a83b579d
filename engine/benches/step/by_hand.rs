//! The step as one would write it in Rust without an engine: tch, libtorch's fused AdamW, the loss read in every iter.

use crate::nets::{BenchNet, Kind, fill};
use crate::talk::{Talk, WARM_UP, one_thread_on_the_cpu};
use engine::native::{AdamOptions, AdamStep, Scaling, TensorList, fused_adam, zero_grad};
use engine::prelude::*;

/// The loop. `foreach` raises each parameter's count of updates by an operator of libtorch, as `torch._foreach_add_` does on
/// a CPU; libtorch's own fused kernel in C++ and in Python is called so.
pub(crate) fn serve(net: Kind, device: Device, foreach: bool) -> Result<()> {
    one_thread_on_the_cpu(device);
    let vs = nn::VarStore::new(device);
    let network = BenchNet::new(&vs.root(), net);
    let mut variables: Vec<(String, Tensor)> = vs.variables().into_iter().collect();
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    fill(variables.iter().map(|(name, tensor)| (name.as_str(), tensor)));
    let mut optimizer = AdamWByHand::new(&variables)?;
    let mut counts: Vec<Tensor> = match foreach {
        true => variables.iter().map(|_| Tensor::from(0.0f32)).collect(),
        false => Vec::new(),
    };
    let (inputs, targets) = net.batch(device);
    let mut talk = Talk::new(device);
    let mut iters = WARM_UP;
    loop {
        let mut last = None;
        for _ in 0..iters {
            zero_grad(&optimizer.parameters)?;
            let loss = network.loss(&inputs, &targets);
            loss.f_backward()?;
            tch::no_grad(|| counts.iter_mut().try_for_each(|count| count.f_add_scalar_(1.0).map(|_| ())))?;
            optimizer.step()?;
            let _read = f64::try_from(&loss)?;
            last = Some(loss);
        }
        talk.answer(&last.ok_or_else(|| Error::msg("a round has no iter"))?)?;
        match talk.question()? {
            Some(wanted) => iters = wanted,
            None => return Ok(()),
        }
    }
}

struct AdamWByHand {
    parameters: TensorList,
    state: [TensorList; 3],
}

impl AdamWByHand {
    fn new(variables: &[(String, Tensor)]) -> Result<Self> {
        let undefined = || TensorList::undefined(variables.len());
        Ok(AdamWByHand {
            parameters: TensorList::new(variables.iter().map(|(_, tensor)| tensor))?,
            state: [undefined()?, undefined()?, undefined()?],
        })
    }

    fn step(&mut self) -> Result<()> {
        let [exp_avgs, exp_avg_sqs, steps] = &mut self.state;
        let options = AdamOptions {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.01,
            decoupled: true,
            amsgrad: false,
            maximize: false,
        };
        let parameters = &self.parameters;
        let scaling = Scaling::default();
        Ok(fused_adam(AdamStep { parameters, exp_avgs, exp_avg_sqs, max_exp_avg_sqs: None, steps, options, scaling })?)
    }
}
