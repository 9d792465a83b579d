//! The state of an optimizer that sees all its parameters as one vector.

use crate::base::state::{StateError, StateMap, StateValue};
use crate::optim::live::Optim;
use crate::optim::minimizer::Minimizer;
use tch::Tensor;

/// The parameters of the vector: the name and the number of elements of each, in their order.
pub(super) type Layout = Vec<(String, u64)>;

impl Optim {
    pub(super) fn layout(&self) -> Layout {
        let sizes = (0..self.parameters().len()).map(|index| match self.parameters().get(index) {
            Ok(Some(tensor)) => tensor.numel() as u64,
            _ => 0,
        });
        self.parameter_names().iter().cloned().zip(sizes).collect()
    }
}

/// The state, and of which parameters it is.
pub(super) fn saved_whole(minimizer: &dyn Minimizer, layout: Layout) -> StateMap {
    let mut state = StateMap::new();
    state.put("layout", &layout);
    state.put("state", &minimizer.save_state());
    state
}

/// Restores the state, on the device of the parameters; `first` is one of them.
pub(super) fn load_whole(
    minimizer: &mut dyn Minimizer,
    mut saved: StateMap,
    layout: Layout,
    first: Option<Tensor>,
) -> Result<(), StateError> {
    let of: Layout = saved.take("layout")?;
    if of != layout {
        let differs = |(name, size): &(String, u64)| !layout.iter().any(|own| own == &(name.clone(), *size));
        let which = of.iter().find(|parameter| differs(parameter)).map_or_else(
            || "the parameters are others, or in another order".to_owned(),
            |(name, size)| format!("there is no parameter `{name}` of {size} elements now"),
        );
        let why = format!(
            "it is of all parameters as one vector, and {which}; undo the change, or begin a new run with `--fresh`"
        );
        return Err(StateError::Unfit { name: "layout".into(), why });
    }
    let mut state = saved.take_map("state")?;
    if let Some(first) = first {
        let elements = layout.iter().map(|(_, size)| *size).sum();
        bring(&mut state, &first, elements)?;
    }
    minimizer.load_state(state)
}

/// Copies of the tensors on the device of a parameter; each has so many elements, of the kind of the parameter.
fn bring(state: &mut StateMap, parameter: &Tensor, elements: u64) -> Result<(), StateError> {
    for (name, value) in &mut state.0 {
        match value {
            StateValue::Map(map) => bring(map, parameter, elements).map_err(|error| error.at(name))?,
            StateValue::Tensor(tensor) => {
                let unfit = |why: String| StateError::Unfit { name: name.to_string(), why };
                if (tensor.numel() as u64, tensor.kind()) != (elements, parameter.kind()) {
                    let (found, kind) = (tensor.numel(), tensor.kind());
                    let wanted = parameter.kind();
                    return Err(unfit(format!(
                        "it has {found} elements of {kind:?}, expected {elements} of {wanted:?}"
                    )));
                }
                let copy = tensor
                    .f_to_device(parameter.device())
                    .and_then(|near| near.f_zeros_like().and_then(|mut fresh| fresh.f_copy_(&near).map(|_| fresh)));
                *tensor = copy.map_err(|error| unfit(error.to_string()))?;
            }
            _ => {}
        }
    }
    Ok(())
}
