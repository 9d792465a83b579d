//! Optimizers that see all their parameters as one vector.

use crate::optim::error::OptimError;
use crate::optim::optimizer::Optimizer;
use tch::Tensor;

/// Whether the parameters are one vector: of one group, device and kind.
pub(super) fn check_one_vector(
    optimizer: &str,
    recipe: &dyn Optimizer,
    parameters: &[(String, Tensor)],
) -> Result<(), OptimError> {
    let refused = |why| Err(OptimError::Contradiction { owner: recipe.name().to_owned(), why });
    let rules = recipe.groups();
    if !rules.rules.is_empty() || rules.no_decay_on_bias_and_norm || rules.layer_decay.is_some() {
        return refused("its parameters are one vector, so they are one group; remove the rules".to_owned());
    }
    let Some((first, at)) = parameters.first() else { return Ok(()) };
    let place = |tensor: &Tensor| format!("{:?} on {:?}", tensor.kind(), tensor.device());
    match parameters.iter().find(|(_, tensor)| place(tensor) != place(at)) {
        None => Ok(()),
        Some((name, tensor)) => refused(format!(
            "the parameters of `{optimizer}` have to be of one kind and on one device: `{first}` is {}, `{name}` is {}",
            place(at),
            place(tensor)
        )),
    }
}
