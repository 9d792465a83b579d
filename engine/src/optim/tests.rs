//! Updates by scaled gradients, and updates that only the device knows whether to make.

use crate::base::{State as _, StateMap, StateValue};
use crate::native::{NativeError, PendingCopies, Scaling};
use crate::optim::{Adam, AdamW, Optim, Optimizer, Sgd};
use std::sync::{Arc, Mutex};
use tch::{Device, Kind, Tensor};

/// Every kernel, and each way in which a momentum starts.
fn recipes() -> Vec<Box<dyn Optimizer>> {
    let momentum = Sgd { momentum: 0.9, weight_decay: 0.1, ..Sgd::new(0.1) };
    vec![
        Box::new(Adam { weight_decay: 0.1, ..Adam::new(0.1) }),
        Box::new(AdamW { amsgrad: true, ..AdamW::new(0.1) }),
        Box::new(Sgd::new(0.1)),
        Box::new(Sgd { nesterov: true, ..momentum.clone() }),
        Box::new(Sgd { dampening: 0.3, ..momentum }),
    ]
}

/// Parameters with an optimizer. The second one does not lie in memory as its gradients do.
struct Trained {
    parameters: Vec<(String, Tensor)>,
    optim: Optim,
}

impl Trained {
    fn new(recipe: &dyn Optimizer) -> Self {
        let values = || Tensor::arange(6, (Kind::Float, Device::Cpu)) / 7.0 + 0.1;
        let parameters: Vec<(String, Tensor)> = [("a", values()), ("b", values().reshape([3, 2]).tr())]
            .map(|(name, tensor)| (name.to_owned(), tensor.detach().set_requires_grad(true)))
            .into();
        let handles = parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        Trained { optim: Optim::new("opt", recipe, handles).unwrap(), parameters }
    }

    /// Gives every parameter the gradient of step `k`, times `scale`.
    fn backward(&mut self, k: u32, scale: f64) {
        self.optim.zero_grad().unwrap();
        for (_, parameter) in &self.parameters {
            let ramp = Tensor::arange(6, (Kind::Float, Device::Cpu)).reshape(parameter.size());
            (parameter * ((ramp * 0.3 + f64::from(k)).cos() * scale)).sum(Kind::Float).backward();
        }
    }

    fn step(&mut self, grad_scale: Option<f32>, found_inf: Option<f32>) {
        let (grad_scale, found_inf) = (grad_scale.map(Tensor::from), found_inf.map(Tensor::from));
        let scaling = Scaling { grad_scale: grad_scale.as_ref(), found_inf: found_inf.as_ref(), rate: None };
        self.optim.step_scaled(scaling).unwrap();
    }

    /// The bits of all parameters.
    fn weights(&self) -> Vec<u32> {
        self.parameters.iter().flat_map(|(_, tensor)| bits(tensor)).collect()
    }

    fn gradients(&self) -> Vec<u32> {
        self.parameters.iter().flat_map(|(_, tensor)| bits(&tensor.grad())).collect()
    }

    /// The bits of everything that the optimizer keeps.
    fn state(&self) -> Vec<u32> {
        fn of(map: StateMap) -> Vec<u32> {
            let values = map.0.into_values().map(|value| match value {
                StateValue::Tensor(tensor) => bits(&tensor),
                StateValue::Map(map) => of(map),
                _ => Vec::new(),
            });
            values.flatten().collect()
        }
        of(self.optim.save_state())
    }
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    let flat = Vec::<f32>::try_from(tensor.detach().contiguous().reshape([-1])).unwrap();
    flat.into_iter().map(f32::to_bits).collect()
}

#[test]
fn an_update_with_found_inf_changes_no_bit_of_parameters_moments_and_steps() {
    for recipe in recipes() {
        let mut trained = Trained::new(recipe.as_ref());
        for k in 0..3 {
            trained.backward(k, 1.0);
            trained.step(None, Some(0.0));
        }
        let before = (trained.weights(), trained.state());
        assert!(!before.1.is_empty() || recipe.settings().get("momentum") == Some(0.0));
        trained.backward(3, f64::INFINITY);
        trained.step(None, Some(1.0));
        assert_eq!((trained.weights(), trained.state()), before, "{recipe:?}");
    }
}

#[test]
fn updates_with_found_inf_0_are_those_without_it_to_the_bit() {
    for recipe in recipes() {
        let (mut plain, mut asked) = (Trained::new(recipe.as_ref()), Trained::new(recipe.as_ref()));
        for k in 0..4 {
            plain.backward(k, 1.0);
            plain.optim.step().unwrap();
            asked.backward(k, 1.0);
            asked.step(None, Some(0.0));
        }
        assert_eq!(plain.weights(), asked.weights(), "{recipe:?}");
        assert_eq!(plain.state(), asked.state(), "{recipe:?}");
    }
}

/// The very first one too, at which a momentum starts.
#[test]
fn what_follows_an_update_that_was_left_out_is_as_if_it_had_never_been() {
    for recipe in recipes() {
        for skipped in [0, 2] {
            let (mut plain, mut skipping) = (Trained::new(recipe.as_ref()), Trained::new(recipe.as_ref()));
            for k in 0..4 {
                if k == skipped {
                    skipping.backward(9, f64::NAN);
                    skipping.step(None, Some(1.0));
                }
                plain.backward(k, 1.0);
                plain.optim.step().unwrap();
                skipping.backward(k, 1.0);
                skipping.step(None, Some(0.0));
            }
            assert_eq!(plain.weights(), skipping.weights(), "{recipe:?} after {skipped}");
        }
    }
}

/// A power of two, so that no bit is lost on the way.
#[test]
fn gradients_are_divided_by_grad_scale_and_left_so() {
    for recipe in recipes() {
        let (mut plain, mut scaled) = (Trained::new(recipe.as_ref()), Trained::new(recipe.as_ref()));
        for k in 0..4 {
            plain.backward(k, 1.0);
            plain.optim.step().unwrap();
            scaled.backward(k, 1024.0);
            scaled.step(Some(1024.0), Some(0.0));
        }
        assert_eq!(plain.weights(), scaled.weights(), "{recipe:?}");
        assert_eq!(plain.gradients(), scaled.gradients(), "{recipe:?}");
    }
}

#[test]
fn a_scale_that_no_kernel_can_read_is_refused_before_anything_moves() {
    for recipe in recipes() {
        let mut trained = Trained::new(recipe.as_ref());
        trained.backward(0, 1.0);
        let before = trained.weights();
        for wrong in [Tensor::from(0.0f64), Tensor::from_slice(&[0.0f32, 1.0])] {
            let error =
                trained.optim.step_scaled(Scaling { found_inf: Some(&wrong), ..Scaling::default() }).unwrap_err();
            let text = "`found_inf` is not a float of one element on the device of the parameters, cpu";
            assert!(crate::base::Error::new(error).to_string().contains("opt"), "{recipe:?}");
            let error =
                trained.optim.step_scaled(Scaling { grad_scale: Some(&wrong), ..Scaling::default() }).unwrap_err();
            assert!(format!("{:#}", crate::base::Error::new(error)).contains(&text.replace("found_inf", "grad_scale")));
        }
        assert_eq!(trained.weights(), before, "{recipe:?}");
    }
}

/// Notes what the state is when it is told that it is about to change.
#[derive(Debug)]
struct Noting {
    state: Mutex<Vec<Tensor>>,
    found: Mutex<Vec<Vec<u32>>>,
}

impl PendingCopies for Noting {
    fn block_stream(&self) -> Result<(), NativeError> {
        let now = self.state.lock().unwrap().iter().flat_map(bits).collect();
        self.found.lock().unwrap().push(now);
        Ok(())
    }
}

fn tensors_of(map: StateMap) -> Vec<Tensor> {
    let values = map.0.into_values().map(|value| match value {
        StateValue::Tensor(tensor) => vec![tensor],
        StateValue::Map(map) => tensors_of(map),
        _ => Vec::new(),
    });
    values.flatten().collect()
}

#[test]
fn an_update_asks_once_before_it_changes_a_state_that_is_being_copied() {
    for recipe in recipes() {
        let mut trained = Trained::new(recipe.as_ref());
        trained.backward(0, 1.0);
        trained.step(None, None);
        let before = trained.state();
        let state = Mutex::new(tensors_of(trained.optim.save_state()));
        let noting = Arc::new(Noting { state, found: Mutex::default() });
        trained.optim.set_pending_copies(Arc::clone(&noting) as Arc<dyn PendingCopies>);
        for k in 1..3 {
            trained.backward(k, 1.0);
            assert_eq!(noting.found.lock().unwrap().is_empty(), k == 1, "{recipe:?}");
            trained.step(None, None);
        }
        assert_eq!(*noting.found.lock().unwrap(), [before], "{recipe:?}");
    }
}
