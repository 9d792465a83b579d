//! The numbers of the current window: logged each iter, read when a row is due.

use super::{RecordError, Row};
use crate::base::scalar::Scalar;
use crate::base::state::{Saved, State, StateError, StateMap, StateValue};
use std::collections::{BTreeMap, VecDeque};
use tch::{Device, Kind, Tensor};

/// Numbers by name, pending since the last row, and the values of finished rows.
///
/// Logging keeps a handle to the number, wherever it lies, and waits for nothing; the tensor must not be changed in
/// place afterwards. Once every name was seen, logging allocates nothing of its own.
#[derive(Debug)]
pub struct Record {
    /// In the order in which names were first logged, which is their order in a row.
    series: Vec<Series>,
    /// Where the next name is expected: names come in the same order each iter.
    next: usize,
    window: usize,
    latest: BTreeMap<String, f64>,
    device_reads: u64,
}

/// The pending values of one name, oldest first.
#[derive(Debug)]
struct Series {
    name: String,
    /// Of how many values at most a row shows the mean; 1 for those whose last value counts.
    keep: usize,
    pending: VecDeque<Scalar>,
}

impl Record {
    /// A record whose rows show the mean of at most the last `window` values of a name; 0 is taken as 1.
    pub fn new(window: usize) -> Record {
        Record { series: Vec::new(), next: 0, window: window.max(1), latest: BTreeMap::new(), device_reads: 0 }
    }

    /// Logs a number in the current iter. The next row shows the mean of what was logged since the last one.
    pub fn log(&mut self, name: &str, value: impl Into<Scalar>) {
        self.push(name, self.window, value.into());
    }

    /// Logs a number of which the next row shows the last value, such as a learning rate. The first call for a
    /// name decides between this and [`Record::log`].
    pub fn log_last(&mut self, name: &str, value: impl Into<Scalar>) {
        self.push(name, 1, value.into());
    }

    /// Whether anything was logged since the last row.
    pub fn has_pending(&self) -> bool {
        self.series.iter().any(|series| !series.pending.is_empty())
    }

    /// Reads what is pending, with one read for each device it lies on, and begins the next window.
    ///
    /// A name of which nothing was logged since the last row is left out. Means are taken in double precision, oldest
    /// value first, whatever the kinds of the tensors; one NaN makes the mean NaN.
    ///
    /// # Errors
    /// When a logged tensor has not exactly one element, or libtorch fails. What is pending stays then.
    pub fn read_window(&mut self) -> Result<Vec<(String, f64)>, RecordError> {
        let numbers = self.fetch()?;
        let mut rest = numbers.as_slice();
        let mut means = Vec::with_capacity(self.series.len());
        for series in &mut self.series {
            let (mine, others) = rest.split_at(series.pending.len());
            rest = others;
            series.pending.clear();
            if !mine.is_empty() {
                means.push((series.name.clone(), mine.iter().sum::<f64>() / mine.len() as f64));
            }
        }
        Ok(means)
    }

    /// How often a device was read so far. Only [`Record::read_window`] reads, and only where tensors were logged.
    pub fn device_reads(&self) -> u64 {
        self.device_reads
    }

    /// Remembers a finished row: its values are found as `val/accuracy`, those of a named loader as
    /// `val/hard/accuracy`.
    pub fn publish(&mut self, row: &Row) {
        for (name, value) in &row.values {
            self.set_final(&row.key(name), *value);
        }
    }

    /// Sets one value that is final, under its full name.
    pub fn set_final(&mut self, name: &str, value: f64) {
        match self.latest.get_mut(name) {
            Some(known) => *known = value,
            None => {
                self.latest.insert(name.to_owned(), value);
            }
        }
    }

    /// The value of the last finished row that had it, by its full name: `val/accuracy`.
    pub fn latest(&self, name: &str) -> Option<f64> {
        self.latest.get(name).copied()
    }

    /// The full names that have a value, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.latest.keys().map(String::as_str)
    }

    fn push(&mut self, name: &str, keep: usize, value: Scalar) {
        let expected = self.series.get(self.next).is_some_and(|series| series.name == name);
        let index = match expected {
            true => self.next,
            false => self.series.iter().position(|series| series.name == name).unwrap_or_else(|| self.add(name, keep)),
        };
        self.series[index].push(value);
        self.next = if index + 1 < self.series.len() { index + 1 } else { 0 };
    }

    fn add(&mut self, name: &str, keep: usize) -> usize {
        self.series.push(Series { name: name.to_owned(), keep, pending: VecDeque::with_capacity(keep) });
        self.series.len() - 1
    }

    /// All pending numbers, series by series.
    fn fetch(&mut self) -> Result<Vec<f64>, RecordError> {
        let mut numbers = Vec::new();
        let mut devices: Vec<OnDevice> = Vec::new();
        for series in &self.series {
            for value in &series.pending {
                let place = numbers.len();
                match value {
                    Scalar::Number(number) => numbers.push(*number),
                    Scalar::Lazy(tensor) => {
                        if tensor.numel() != 1 {
                            return Err(RecordError::NotOne { name: series.name.clone(), shape: tensor.size() });
                        }
                        numbers.push(f64::NAN);
                        OnDevice::of(&mut devices, tensor.device()).add(place, tensor)?;
                    }
                }
            }
        }
        for device in devices {
            self.device_reads += 1;
            for (place, number) in device.read()? {
                numbers[place] = number;
            }
        }
        Ok(numbers)
    }
}

impl Series {
    fn push(&mut self, value: Scalar) {
        if self.pending.len() == self.keep {
            self.pending.pop_front();
        }
        self.pending.push_back(value);
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
        let numbers = Vec::<f64>::try_from(Tensor::f_cat(&parts, 0)?.f_to_device(Device::Cpu)?)?;
        Ok(places.into_iter().zip(numbers))
    }
}

/// What is pending and what is final, so that a resumed run writes the rows of one that was never stopped. Reads
/// nothing from the device: pending tensors are saved as tensors.
impl State for Record {
    fn save_state(&self) -> StateMap {
        let mut state = StateMap::new();
        let series = self.series.iter().map(|series| {
            let mut entry = StateMap::new();
            entry.put("name", &series.name);
            entry.put("averaged", &(series.keep > 1 || self.window == 1));
            let pending = series.pending.iter().map(|value| match value {
                Scalar::Number(number) => StateValue::Float(*number),
                Scalar::Lazy(tensor) => StateValue::Tensor(tensor.shallow_clone()),
            });
            entry.0.insert("pending".to_owned(), StateValue::List(pending.collect()));
            StateValue::Map(entry)
        });
        state.0.insert("series".to_owned(), StateValue::List(series.collect()));
        state.put("latest", &self.latest);
        state
    }

    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        let saved: Vec<StateMap> = state.take("series")?;
        self.latest = state.take("latest")?;
        self.next = 0;
        self.series.clear();
        for mut entry in saved {
            let keep = if entry.take("averaged")? { self.window } else { 1 };
            let index = self.add(&entry.take::<String>("name")?, keep);
            for Pending(value) in entry.take::<Vec<Pending>>("pending")? {
                self.series[index].push(value);
            }
        }
        Ok(())
    }
}

/// A pending value as it lies in a checkpoint: read or not.
struct Pending(Scalar);

#[diagnostic::do_not_recommend]
impl Saved for Pending {
    fn save(&self) -> StateValue {
        match &self.0 {
            Scalar::Number(number) => StateValue::Float(*number),
            Scalar::Lazy(tensor) => StateValue::Tensor(tensor.shallow_clone()),
        }
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

    fn value(row: &[(String, f64)], name: &str) -> f64 {
        row.iter().find(|(known, _)| known == name).unwrap().1
    }

    #[test]
    fn nothing_is_read_between_rows_and_all_names_in_one_read() {
        let mut record = Record::new(50);
        for iter in 0..10 {
            record.log("loss", Tensor::from(iter as f32));
            record.log("hits", Tensor::from(2 * iter));
            record.log("half", Tensor::from_slice(&[0.5]).to_kind(Kind::Half));
            record.log("host", f64::from(iter));
        }
        assert_eq!(record.device_reads(), 0);
        let row = record.read_window().unwrap();
        assert_eq!(record.device_reads(), 1);
        let expected = [("loss", 4.5), ("hits", 9.0), ("half", 0.5), ("host", 4.5)];
        assert_eq!(row, expected.map(|(name, mean)| (name.to_owned(), mean)));
    }

    #[test]
    fn numbers_of_the_host_need_no_read() {
        let mut record = Record::new(50);
        record.log("loss", 1.0);
        record.read_window().unwrap();
        assert_eq!(record.device_reads(), 0);
    }

    #[test]
    fn a_row_shows_only_what_was_logged_since_the_last() {
        let mut record = Record::new(50);
        record.log("loss", Tensor::from(1.0));
        record.log("rare", 7.0);
        record.read_window().unwrap();
        record.log("loss", Tensor::from(3.0));
        assert_eq!(record.read_window().unwrap(), [("loss".to_owned(), 3.0)]);
        assert_eq!(record.read_window().unwrap(), []);
    }

    #[test]
    fn the_mean_is_over_the_last_values_of_the_window() {
        let mut record = Record::new(3);
        (1..=10).for_each(|iter| record.log("loss", Tensor::from(f64::from(iter))));
        assert_eq!(value(&record.read_window().unwrap(), "loss"), 9.0);
    }

    #[test]
    fn the_last_value_of_a_setting_is_shown_not_its_mean() {
        let mut record = Record::new(50);
        [0.1, 0.2, 0.3].into_iter().for_each(|lr| record.log_last("lr", lr));
        assert_eq!(value(&record.read_window().unwrap(), "lr"), 0.3);
    }

    #[test]
    fn a_mean_is_taken_in_double_precision() {
        let mut record = Record::new(1000);
        (0..1000).for_each(|_| record.log("loss", Tensor::from(0.1f32)));
        let expected = (0..1000).map(|_| f64::from(0.1f32)).sum::<f64>() / 1000.0;
        assert_eq!(value(&record.read_window().unwrap(), "loss"), expected);
    }

    #[test]
    fn one_nan_is_not_hidden_by_the_mean() {
        let mut record = Record::new(50);
        record.log("loss", 1.0);
        record.log("loss", Tensor::from(f32::NAN));
        assert!(value(&record.read_window().unwrap(), "loss").is_nan());
    }

    #[test]
    fn a_tensor_of_several_elements_is_refused_by_its_name() {
        let mut record = Record::new(50);
        record.log("loss", Tensor::from_slice(&[1.0, 2.0]));
        let error = record.read_window().unwrap_err().to_string();
        assert!(error.contains("`loss`") && error.contains("[2]"), "{error}");
    }

    #[test]
    fn a_logged_number_keeps_no_graph() {
        let mut record = Record::new(50);
        let weight = Tensor::from(2.0).set_requires_grad(true);
        record.log("loss", &(&weight * 3.0));
        assert!(record.series[0].pending.iter().all(|value| matches!(value, Scalar::Lazy(t) if !t.requires_grad())));
        assert_eq!(value(&record.read_window().unwrap(), "loss"), 6.0);
    }

    #[test]
    fn a_window_that_is_warm_does_not_grow() {
        let mut record = Record::new(8);
        let capacities = |record: &Record| record.series.iter().map(|s| s.pending.capacity()).collect::<Vec<_>>();
        record.log("loss", 0.0);
        record.log_last("lr", 0.0);
        let warm = capacities(&record);
        for iter in 0..100 {
            record.log("loss", f64::from(iter));
            record.log_last("lr", f64::from(iter));
            if iter % 30 == 29 {
                record.read_window().unwrap();
            }
        }
        assert_eq!(capacities(&record), warm);
    }

    #[test]
    fn a_restored_record_gives_the_row_of_one_that_was_never_stopped() {
        let log = |record: &mut Record, iters: std::ops::Range<i64>| {
            for iter in iters {
                record.log("loss", Tensor::from(iter as f32 * 0.1));
                record.log("host", iter as f64);
                record.log_last("lr", iter as f64);
            }
        };
        let mut whole = Record::new(5);
        log(&mut whole, 0..7);
        let mut first = Record::new(5);
        log(&mut first, 0..4);
        first.set_final("val/accuracy", 0.75);
        let mut second = Record::new(5);
        second.load_state(first.save_state()).unwrap();
        assert_eq!(first.device_reads(), 0);
        log(&mut second, 4..7);
        assert_eq!(second.read_window().unwrap(), whole.read_window().unwrap());
        assert_eq!(second.latest("val/accuracy"), Some(0.75));
    }
}
