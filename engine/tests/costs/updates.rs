//! One update by optimizers, with schedules and clipping.

use crate::allocations::allocations;
use engine::base::{Epoch, Iter};
use engine::optim::schedule::{Cosine, Linear};
use engine::optim::{Adam, AdamW, Clip, Optim, Optimizer, PlannedLength, Schedules, Sgd, TrainingProgress};
use tch::{Device, Kind, Tensor};

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
        for iter in 0..10 {
            for (_, parameter) in &parameters {
                (parameter * parameter).sum(Kind::Float).backward();
            }
            let planned = PlannedLength::epochs(1, 10);
            let progress = TrainingProgress { epoch: Epoch(0), iter: Iter(iter), planned };
            let before = allocations();
            schedules.apply(&mut optims, &progress).unwrap();
            let norm = optims[0].clip(&Clip::Norm(1.0)).unwrap();
            optims[0].step().unwrap();
            optims[0].zero_grad().unwrap();
            assert_eq!(allocations() - before, 0, "update {iter} of {recipe:?}");
            drop(norm);
        }
    }
}
