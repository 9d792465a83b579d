//! Skipped updates: on request, or because of a gradient that is not finite.

use crate::base::{Flag, Result, Scalar};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// What happens to an update whose gradient has no finite norm: it contains an infinity or a NaN, or it is so large
/// that its norm overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NonFinite {
    /// The update is made as usual.
    #[default]
    Apply,
    /// The update is skipped. The device decides, and nothing is read from it.
    Skip,
    /// This update and all later ones are skipped, and the training fails at the next place where the host reads the
    /// result: when a row is written, at a validation or a checkpoint, or at the end.
    Stop,
}

/// The updates that were skipped so far.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    /// Those that are known on the host.
    known: u64,
    /// Those that only the device knows: a 0-d `i64`.
    on_device: Option<Tensor>,
    /// With [`NonFinite::Stop`]: the number of the first update whose gradient was not finite, 0 while there was none; a
    /// 0-d `i64` on the device.
    first: Option<Tensor>,
    /// Whether the last update was left out.
    last: Option<Flag>,
}

impl Skipped {
    /// The current update is skipped on request.
    pub(super) fn on_request(&mut self) {
        self.known += 1;
        self.last = Some(Flag::Known(true));
    }

    /// The current update is made.
    pub(super) fn none(&mut self) {
        self.last = None;
    }

    /// Takes in whether the gradient of now is not finite (1 or 0, on its device), and gives what the update is told as
    /// `found_inf`. `number` is that of the update, from 1 on.
    pub(super) fn found(&mut self, not_finite: Tensor, then: NonFinite, number: u64) -> Result<Tensor> {
        let (device, mut found) = (not_finite.device(), not_finite);
        if then == NonFinite::Stop {
            let number = found.f_to_kind(Kind::Int64)?.f_mul_scalar(number as i64)?;
            let first = match &self.first {
                Some(first) => {
                    let first = first.f_to_device(device)?;
                    first.f_where_self(&first.f_gt(0)?, &number)?
                }
                None => number,
            };
            found = first.f_gt(0)?.f_to_kind(Kind::Float)?;
            self.first = Some(first);
        }
        let one = found.f_to_kind(Kind::Int64)?;
        // a new tensor each time: the old one may be waiting in the record
        self.on_device = Some(match &self.on_device {
            Some(count) => count.f_to_device(device)?.f_add(&one)?,
            None => one,
        });
        self.last = Some(Flag::Lazy(found.shallow_clone()));
        Ok(found)
    }

    /// Whether the last update was left out.
    pub(super) fn last(&self) -> Flag {
        self.last.clone().unwrap_or(Flag::Known(false))
    }

    /// How many were skipped.
    pub(super) fn count(&self) -> Result<Scalar> {
        Ok(match &self.on_device {
            Some(count) => Scalar::Lazy(count.f_add_scalar(self.known as i64)?),
            None => Scalar::Number(self.known as f64),
        })
    }

    /// Goes on from what a checkpoint tells.
    pub(super) fn restore(&mut self, count: u64) {
        *self = Skipped { known: count, ..Skipped::default() };
    }

    /// Reads the number of the first update whose gradient was not finite, with [`NonFinite::Stop`].
    pub(super) fn read_first(&self) -> Result<Option<u64>> {
        let Some(first) = &self.first else { return Ok(None) };
        let number = i64::try_from(first)?;
        Ok(u64::try_from(number).ok().filter(|number| *number > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each update is left out, by the gradients before it that were not finite.
    fn left_out(then: NonFinite, not_finite: &[bool]) -> (Vec<bool>, Skipped) {
        let mut skipped = Skipped::default();
        let mut of_update = |(index, bad): (usize, &bool)| {
            let found = skipped.found(Tensor::from(f32::from(*bad)), then, index as u64 + 1).unwrap();
            assert_eq!(found.double_value(&[]) == 1.0, skipped.last().read().unwrap());
            skipped.last().read().unwrap()
        };
        (not_finite.iter().enumerate().map(&mut of_update).collect(), skipped)
    }

    #[test]
    fn skip_leaves_out_those_alone_and_stop_all_that_follow() {
        let bad = [false, true, false, true, false];
        let (left, skipped) = left_out(NonFinite::Skip, &bad);
        assert_eq!(left, bad);
        assert_eq!((skipped.count().unwrap().read().unwrap(), skipped.read_first().unwrap()), (2.0, None));
        let (left, skipped) = left_out(NonFinite::Stop, &bad);
        assert_eq!(left, [false, true, true, true, true]);
        assert_eq!((skipped.count().unwrap().read().unwrap(), skipped.read_first().unwrap()), (4.0, Some(2)));
    }

    #[test]
    fn those_on_request_are_known_at_once_and_counted_with_the_others() {
        let (_, mut skipped) = left_out(NonFinite::Skip, &[true]);
        assert_eq!(skipped.last().known(), None);
        skipped.on_request();
        assert_eq!(skipped.last().known(), Some(true));
        skipped.none();
        assert_eq!(skipped.last().known(), Some(false));
        assert_eq!(skipped.count().unwrap().read().unwrap(), 2.0);
        skipped.restore(7);
        assert_eq!(skipped.count().unwrap().read().unwrap(), 7.0);
    }
}
