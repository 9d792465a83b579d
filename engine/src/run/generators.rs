//! libtorch's generators of one run: dropout masks and noise come from them, so they belong to its state.

use crate::base::{Result, Saved, StateMap, StateValue};
use crate::native::{generator_state, seed_generator, set_generator_state};
use tch::{Device, Tensor};

/// The states of the generators of the run's devices.
#[derive(Debug, Default)]
pub(crate) struct Generators(Vec<(Device, Tensor)>);

impl Generators {
    /// Where they stand now: the CPU's always, and that of the run's device when it is another.
    ///
    /// # Errors
    /// When libtorch has no such device.
    pub(crate) fn of(device: Device) -> Result<Generators> {
        let states = devices(device).map(|device| Ok((device, generator_state(device)?)));
        states.collect::<Result<_>>().map(Generators)
    }

    /// Puts them back.
    ///
    /// # Errors
    /// When a state is not that of such a generator.
    pub(crate) fn put_back(&self) -> Result<()> {
        self.0.iter().try_for_each(|(device, state)| Ok(set_generator_state(*device, state)?))
    }

    /// Puts those of a device, and the CPU's, to the start of a seed.
    ///
    /// # Errors
    /// When libtorch has no such device.
    pub(crate) fn seed(device: Device, seed: u64) -> Result<()> {
        devices(device).try_for_each(|device| Ok(seed_generator(device, seed)?))
    }

    pub(crate) fn save(&self) -> StateMap {
        let states = self.0.iter().map(|(device, state)| (name(*device).to_owned(), Saved::save(state)));
        StateMap(states.collect())
    }

    /// Those of this device that were saved. A run may go on on another kind of device, whose generator then starts
    /// from the seed.
    ///
    /// # Errors
    /// When an entry is no tensor.
    pub(crate) fn restore(device: Device, mut saved: StateMap) -> Result<Generators> {
        let found = devices(device).filter_map(|device| saved.0.remove(name(device)).map(|state| (device, state)));
        let states = found.map(|(device, state): (_, StateValue)| Ok((device, Tensor::restore(state)?)));
        states.collect::<Result<_>>().map(Generators)
    }
}

fn devices(device: Device) -> impl Iterator<Item = Device> {
    [Some(Device::Cpu), (device != Device::Cpu).then_some(device)].into_iter().flatten()
}

fn name(device: Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        _ => "device",
    }
}
