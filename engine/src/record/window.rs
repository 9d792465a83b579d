//! The numbers of one loop that no row has shown yet: logged each batch or iter, read together.

use super::RecordError;
use super::joined::Logged;
use crate::base::scalar::Scalar;
use crate::base::state::{Saved, StateError, StateMap, StateValue};
use crate::native::host_number;
use std::collections::VecDeque;
use tch::{Device, Kind, Tensor};

/// Numbers by name, pending since the last row.
///
/// Logging keeps a handle to the number, wherever it lies, and waits for nothing. Once every name was seen, logging
/// allocates nothing of its own, apart from what [`Span::Whole`] adds up once in a thousand times.
#[derive(Debug)]
pub(super) struct Window {
    /// In the order in which names were first logged, which is their order in a row.
    series: Vec<Series>,
    /// Where the next name is expected: names come in the same order each iter.
    next: usize,
    span: Span,
}

/// Which of the values since the last row a mean is taken of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Span {
    /// The last so many.
    Last(usize),
    /// All of them. So many are kept one by one; then they are added up, on the device where they lie.
    Whole(usize),
}

/// The values of one name.
#[derive(Debug)]
struct Series {
    name: String,
    /// Whether a row shows the mean, and not the last value.
    mean: bool,
    /// Oldest first.
    pending: VecDeque<Weighted>,
    /// Sums of older values, each times its weight.
    sums: Vec<Scalar>,
    /// The weights of what is in `sums`.
    summed: f64,
}

#[derive(Debug)]
struct Weighted {
    value: Scalar,
    weight: f64,
}

impl Window {
    pub(super) fn new(span: Span) -> Window {
        Window { series: Vec::new(), next: 0, span }
    }

    /// Adds a value to the mean of a name. The first call for a name decides between this and `log_last`.
    pub(super) fn log(&mut self, name: &str, value: Scalar, weight: f64) {
        self.push(name, true, Weighted { value, weight });
    }

    /// Sets the value of a name.
    pub(super) fn log_last(&mut self, name: &str, value: Scalar) {
        self.push(name, false, Weighted { value, weight: 1.0 });
    }

    /// Which values count.
    pub(super) fn span(&self) -> Span {
        self.span
    }

    pub(super) fn has_pending(&self) -> bool {
        self.series.iter().any(|series| !series.is_empty())
    }

    /// Forgets what is pending.
    pub(super) fn discard(&mut self) {
        self.series.iter_mut().for_each(Series::clear);
    }

    /// Reads what is pending, and forgets it; how many devices were read comes with it.
    ///
    /// # Errors
    /// When a tensor has not exactly one element, or libtorch fails. What is pending stays then.
    pub(super) fn read(&mut self) -> Result<(Vec<Logged>, u64), RecordError> {
        let (numbers, devices) = self.fetch()?;
        let mut rest = numbers.as_slice();
        let mut row = Vec::with_capacity(self.series.len());
        for series in &mut self.series {
            let (sums, others) = rest.split_at(series.sums.len());
            let (values, others) = others.split_at(series.pending.len());
            rest = others;
            if !series.is_empty() {
                let value = series.shown(sums, values);
                row.push(Logged { name: series.name.clone(), value, weight: series.mean.then(|| series.weight()) });
            }
            series.clear();
        }
        Ok((row, devices))
    }

    fn push(&mut self, name: &str, mean: bool, value: Weighted) {
        let expected = self.series.get(self.next).is_some_and(|series| series.name == name);
        let index = match expected {
            true => self.next,
            false => self.series.iter().position(|series| series.name == name).unwrap_or_else(|| self.add(name, mean)),
        };
        self.series[index].push(value, self.span);
        self.next = if index + 1 < self.series.len() { index + 1 } else { 0 };
    }

    fn add(&mut self, name: &str, mean: bool) -> usize {
        let pending = VecDeque::with_capacity(if mean { self.span.most() } else { 1 });
        self.series.push(Series { name: name.to_owned(), mean, pending, sums: Vec::new(), summed: 0.0 });
        self.series.len() - 1
    }

    /// All numbers, series by series, the sums first; and how many devices were read.
    fn fetch(&self) -> Result<(Vec<f64>, u64), RecordError> {
        read_numbers(self.series.iter().flat_map(|series| {
            let values = series.sums.iter().chain(series.pending.iter().map(|weighted| &weighted.value));
            values.map(|value| (series.name.as_str(), value))
        }))
    }
}

/// Reads numbers, each with its name for the message, with one read for each device; how many devices were read comes with
/// them.
pub(super) fn read_numbers<'a>(
    named: impl Iterator<Item = (&'a str, &'a Scalar)>,
) -> Result<(Vec<f64>, u64), RecordError> {
    let mut numbers = Vec::new();
    let mut devices: Vec<OnDevice> = Vec::new();
    for (name, value) in named {
        let place = numbers.len();
        match value {
            Scalar::Number(number) => numbers.push(*number),
            Scalar::Lazy(tensor) => {
                if tensor.numel() != 1 {
                    return Err(RecordError::NotOne { name: name.to_owned(), shape: tensor.size() });
                }
                numbers.push(f64::NAN);
                let device = OnDevice::of(&mut devices, tensor.device());
                match host_number(tensor) {
                    Some(number) => numbers[place] = number,
                    None => device.add(place, tensor)?,
                }
            }
        }
    }
    let count = devices.len() as u64;
    for device in devices {
        for (place, number) in device.read()? {
            numbers[place] = number;
        }
    }
    Ok((numbers, count))
}

impl Span {
    /// How many values are kept one by one.
    fn most(self) -> usize {
        match self {
            Span::Last(most) | Span::Whole(most) => most,
        }
    }
}

impl Series {
    fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.sums.is_empty()
    }

    fn clear(&mut self) {
        self.pending.clear();
        self.sums.clear();
        self.summed = 0.0;
    }

    fn push(&mut self, value: Weighted, span: Span) {
        match span {
            _ if !self.mean => self.pending.clear(),
            Span::Last(most) if self.pending.len() == most => drop(self.pending.pop_front()),
            // one that can't be added up is told when the row is read
            Span::Whole(most) if self.pending.len() >= most => drop(self.add_up()),
            _ => {}
        }
        self.pending.push_back(value);
    }

    /// Puts the pending values into sums, one for the host and one for each device: nothing is read.
    fn add_up(&mut self) -> Result<(), RecordError> {
        let mut host = 0.0;
        let mut devices: Vec<(Device, Vec<Tensor>, Vec<f64>)> = Vec::new();
        for Weighted { value, weight } in &self.pending {
            match value {
                Scalar::Number(number) => host += number * weight,
                Scalar::Lazy(tensor) if tensor.numel() != 1 => {
                    return Err(RecordError::NotOne { name: self.name.clone(), shape: tensor.size() });
                }
                Scalar::Lazy(tensor) => {
                    let number = tensor.f_reshape([0i64; 0])?.f_to_kind(Kind::Double)?;
                    match devices.iter_mut().find(|(device, ..)| *device == tensor.device()) {
                        Some((_, numbers, weights)) => {
                            numbers.push(number);
                            weights.push(*weight);
                        }
                        None => devices.push((tensor.device(), vec![number], vec![*weight])),
                    }
                }
            }
        }
        let mut sums = vec![Scalar::Number(host)];
        for (device, numbers, weights) in devices {
            let weights = Tensor::from_slice(&weights).f_to_device(device)?;
            sums.push(Scalar::Lazy(Tensor::f_stack(&numbers, 0)?.f_mul(&weights)?.f_sum(Kind::Double)?));
        }
        self.summed += self.pending.iter().map(|weighted| weighted.weight).sum::<f64>();
        self.sums.extend(sums);
        self.pending.clear();
        Ok(())
    }

    /// What the mean counts for, beside means of the same name of other processes.
    fn weight(&self) -> f64 {
        self.summed + self.pending.iter().map(|weighted| weighted.weight).sum::<f64>()
    }

    /// The number of a row, from the sums and the pending values as they were read.
    fn shown(&self, sums: &[f64], values: &[f64]) -> f64 {
        if !self.mean {
            return values.last().copied().unwrap_or(f64::NAN);
        }
        let first = self.pending.front().map_or(1.0, |weighted| weighted.weight);
        if sums.is_empty() && self.pending.iter().all(|weighted| weighted.weight == first) {
            // the plain mean, without the rounding of a weight that changes nothing
            return values.iter().sum::<f64>() / values.len() as f64;
        }
        let weighted = self.pending.iter().zip(values).map(|(of, value)| of.weight * value);
        let weights = self.pending.iter().map(|weighted| weighted.weight).sum::<f64>();
        (sums.iter().sum::<f64>() + weighted.sum::<f64>()) / (self.summed + weights)
    }
}

/// The numbers that lie on one device, those of one kind together: stacking takes one kernel a kind.
struct OnDevice {
    device: Device,
    kinds: Vec<(Kind, Vec<Tensor>, Vec<usize>)>,
}

impl OnDevice {
    fn of(devices: &mut Vec<OnDevice>, device: Device) -> &mut OnDevice {
        let index = devices.iter().position(|known| known.device == device).unwrap_or_else(|| {
            devices.push(OnDevice { device, kinds: Vec::new() });
            devices.len() - 1
        });
        &mut devices[index]
    }

    fn add(&mut self, place: usize, tensor: &Tensor) -> Result<(), tch::TchError> {
        let kind = tensor.f_kind()?;
        let number = tensor.f_reshape([0i64; 0])?;
        match self.kinds.iter_mut().find(|(known, ..)| *known == kind) {
            Some((_, tensors, places)) => {
                tensors.push(number);
                places.push(place);
            }
            None => self.kinds.push((kind, vec![number], vec![place])),
        }
        Ok(())
    }

    /// One copy to the host, whatever the kinds.
    fn read(self) -> Result<impl Iterator<Item = (usize, f64)>, tch::TchError> {
        let mut parts = Vec::with_capacity(self.kinds.len());
        let mut places = Vec::new();
        for (_, tensors, its_places) in self.kinds {
            parts.push(Tensor::f_stack(&tensors, 0)?.f_to_kind(Kind::Double)?);
            places.extend(its_places);
        }
        let numbers = match parts.is_empty() {
            // all of them lay on the host
            true => Vec::new(),
            false => Vec::<f64>::try_from(Tensor::f_cat(&parts, 0)?.f_to_device(Device::Cpu)?)?,
        };
        Ok(places.into_iter().zip(numbers))
    }
}

/// Reads nothing from the device: pending tensors are saved as tensors.
impl Saved for Window {
    fn save(&self) -> StateValue {
        let series = self.series.iter().map(|series| {
            let mut entry = StateMap::new();
            entry.put("name", &series.name);
            entry.put("mean", &series.mean);
            let scalars = |values: &mut dyn Iterator<Item = &Scalar>| StateValue::List(values.map(saved).collect());
            entry.0.insert("pending".to_owned(), scalars(&mut series.pending.iter().map(|of| &of.value)));
            entry.put("weights", &series.pending.iter().map(|of| of.weight).collect::<Vec<f64>>());
            entry.0.insert("sums".to_owned(), scalars(&mut series.sums.iter()));
            entry.put("summed", &series.summed);
            StateValue::Map(entry)
        });
        StateValue::List(series.collect())
    }

    /// With a span of 1, until [`Window::with_span`] tells another.
    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut window = Window::new(Span::Last(1));
        for mut entry in Vec::<StateMap>::restore(value)? {
            let index = window.add(&entry.take::<String>("name")?, entry.take("mean")?);
            let series = &mut window.series[index];
            let values = entry.take::<Vec<Pending>>("pending")?;
            let weights = entry.take::<Vec<f64>>("weights")?;
            if values.len() != weights.len() {
                let why = format!("{} values have {} weights", values.len(), weights.len());
                return Err(StateError::Unfit { name: "weights".to_owned(), why });
            }
            series
                .pending
                .extend(values.into_iter().zip(weights).map(|(Pending(value), weight)| Weighted { value, weight }));
            series.sums = entry.take::<Vec<Pending>>("sums")?.into_iter().map(|Pending(sum)| sum).collect();
            series.summed = entry.take("summed")?;
        }
        Ok(window)
    }
}

impl Window {
    /// The same values over another span.
    pub(super) fn with_span(mut self, span: Span) -> Window {
        self.span = span;
        for series in self.series.iter_mut().filter(|series| series.mean) {
            if let Span::Last(most) = span {
                series.pending.drain(..series.pending.len().saturating_sub(most));
            }
            series.pending.reserve(span.most().saturating_sub(series.pending.len()));
        }
        self
    }
}

fn saved(value: &Scalar) -> StateValue {
    match value {
        Scalar::Number(number) => StateValue::Float(*number),
        Scalar::Lazy(tensor) => StateValue::Tensor(tensor.shallow_clone()),
    }
}

/// A value as it lies in a checkpoint: read or not.
struct Pending(Scalar);

#[diagnostic::do_not_recommend]
impl Saved for Pending {
    fn save(&self) -> StateValue {
        saved(&self.0)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        match value {
            StateValue::Tensor(tensor) => Ok(Pending(Scalar::Lazy(tensor))),
            other => f64::restore(other).map(|number| Pending(Scalar::Number(number))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logged_number_keeps_no_graph() {
        let mut window = Window::new(Span::Last(50));
        let weight = Tensor::from(2.0).set_requires_grad(true);
        window.log("loss", Scalar::from(&weight * 3.0), 1.0);
        let kept = &window.series[0].pending[0].value;
        assert!(matches!(kept, Scalar::Lazy(tensor) if !tensor.requires_grad()));
        let row = window.read().unwrap().0;
        assert_eq!(row, [Logged { name: "loss".to_owned(), value: 6.0, weight: Some(1.0) }]);
    }

    #[test]
    fn a_window_that_is_warm_does_not_grow() {
        let capacities = |window: &Window| window.series.iter().map(|s| s.pending.capacity()).collect::<Vec<_>>();
        for span in [Span::Last(8), Span::Whole(8)] {
            let mut window = Window::new(span);
            window.log("loss", Scalar::Number(0.0), 1.0);
            window.log_last("lr", Scalar::Number(0.0));
            let warm = capacities(&window);
            for iter in 0..100 {
                window.log("loss", Scalar::Number(f64::from(iter)), 1.0);
                window.log_last("lr", Scalar::Number(f64::from(iter)));
                if iter % 30 == 29 {
                    window.read().unwrap();
                }
            }
            assert_eq!(capacities(&window), warm, "{span:?}");
        }
    }
}
