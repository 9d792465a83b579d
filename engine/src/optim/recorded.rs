//! Updates that are part of a CUDA graph: the learning rate lies on the device, and all other settings are fixed.

use crate::base::{Error, Result};
use crate::native::Scaling;
use crate::optim::error::OptimError;
use crate::optim::live::Optim;
use crate::optim::rate::DeviceRate;
use tch::Device;

const RATE: &str = "lr";

impl Optim {
    /// Why its updates can't be part of a CUDA graph; `None` when they can.
    pub(crate) fn why_not_recorded(&self, device: Device) -> Option<String> {
        let elsewhere = || self.groups.iter().flat_map(|group| &group.buckets).any(|bucket| bucket.device != device);
        if !self.algorithm.can_be_recorded() {
            return Some(format!("`{}` ({}) takes its learning rate from the host", self.name, self.recipe));
        }
        elsewhere().then(|| format!("`{}` has parameters on several devices", self.name))
    }

    /// An update with the learning rates that [`Optim::refresh_rates`] has put on the device.
    pub(crate) fn step_recorded(&mut self, scaling: Scaling<'_>) -> Result<(), OptimError> {
        self.update(scaling, true)
    }

    /// Brings the learning rates of now to the device, those that have changed.
    pub(crate) fn refresh_rates(&mut self) -> Result<()> {
        for group in &mut self.groups {
            let Some(bucket) = group.buckets.first() else { continue };
            let value = group.settings.get(RATE).ok_or_else(|| Error::msg("an optimizer without a learning rate"))?;
            match &mut group.rate {
                Some(rate) => rate.refresh(value)?,
                None => group.rate = Some(DeviceRate::new(value, bucket.device)?),
            }
        }
        Ok(())
    }

    /// A number that changes with every setting that a recorded update holds: all but the learning rate.
    pub(crate) fn settings_mark(&self) -> u64 {
        let settings = self.groups.iter().flat_map(|group| group.settings.all());
        let fixed = settings.filter(|setting| setting.name != RATE);
        fixed
            .fold(0xcbf2_9ce4_8422_2325, |mark, setting| (mark ^ setting.value.to_bits()).wrapping_mul(0x100_0000_01b3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{AdamW, Sgd};
    use tch::{Kind, Tensor};

    fn parameter() -> Tensor {
        Tensor::from_slice(&[0.7f32, -1.3]).set_requires_grad(true)
    }

    #[test]
    fn a_rate_on_the_device_follows_the_setting_and_gives_the_bits_of_a_rounded_one() {
        for recipe in [&AdamW::new(1e-3) as &dyn crate::optim::Optimizer, &Sgd::new(1e-3)] {
            let (left, right) = (parameter(), parameter());
            let optim = |parameter: &Tensor| {
                Optim::new("opt", recipe, vec![("weight".to_owned(), parameter.shallow_clone())]).unwrap()
            };
            let (mut recorded, mut plain) = (optim(&left), optim(&right));
            assert_eq!(recorded.why_not_recorded(Device::Cpu), None);
            assert!(recorded.why_not_recorded(Device::Cuda(0)).unwrap().contains("several devices"));
            for step in 1..=20 {
                let rate = 1e-3 / f64::from(step);
                recorded.groups_mut()[0].settings_mut().set("lr", rate).unwrap();
                plain.groups_mut()[0].settings_mut().set("lr", f64::from(rate as f32)).unwrap();
                for (optim, parameter) in [(&mut recorded, &left), (&mut plain, &right)] {
                    optim.zero_grad().unwrap();
                    (parameter * parameter * f64::from(step)).sum(Kind::Float).backward();
                }
                recorded.refresh_rates().unwrap();
                recorded.step_recorded(Scaling::default()).unwrap();
                plain.step().unwrap();
            }
            assert!(left.equal(&right), "{left:?} {right:?}");
        }
    }

    #[test]
    fn the_mark_is_of_all_settings_but_the_rate() {
        let mut optim = Optim::new("opt", &AdamW::new(1e-3), vec![("weight".to_owned(), parameter())]).unwrap();
        let mark = optim.settings_mark();
        optim.groups_mut()[0].settings_mut().set("lr", 0.5).unwrap();
        assert_eq!(optim.settings_mark(), mark);
        optim.groups_mut()[0].settings_mut().set("weight_decay", 0.5).unwrap();
        assert_ne!(optim.settings_mark(), mark);
    }
}
