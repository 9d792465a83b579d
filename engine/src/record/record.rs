//! The values that were logged since the last row of each loop, and the values of finished rows.

use super::joined::Logged;
use super::window::{Span, Window, read_numbers};
use super::{RecordError, Row, RowPhase};
use crate::base::scalar::Scalar;
use crate::base::state::{State, StateError, StateMap};
use std::collections::BTreeMap;

/// Numbers by name, pending since the last row of their loop, and the values of finished rows.
///
/// Training, validation and test each have their own window, so that values of a `val_step` are never in a row of the
/// training. Logging keeps a handle to the number on its device and waits for nothing; the tensor must not be changed
/// in place afterwards.
#[derive(Debug)]
pub struct Record {
    /// By the place of their phase in [`RowPhase::ALL`].
    windows: [Window; 3],
    latest: BTreeMap<String, f64>,
    device_reads: u64,
}

/// So many values of one name are kept one by one in an evaluation before they are added up.
const ADDED_UP: usize = 1000;

impl Record {
    /// A record whose rows of training show the mean of at most the last `window` values of a name; 0 means 1.
    pub fn new(window: usize) -> Record {
        let windows = spans(window.max(1)).map(Window::new);
        Record { windows, latest: BTreeMap::new(), device_reads: 0 }
    }

    /// Logs a number. The next row of the phase shows the weighted mean of the values since the last row: of the last
    /// `window` values in training, of all values in an evaluation.
    pub fn log(&mut self, phase: RowPhase, name: &str, value: impl Into<Scalar>, weight: f64) {
        self.window(phase).log(name, value.into(), weight);
    }

    /// Logs a number, such as a learning rate, for which the next row of the phase shows the last value. The first
    /// call for a name decides between this and [`Record::log`].
    pub fn log_last(&mut self, phase: RowPhase, name: &str, value: impl Into<Scalar>) {
        self.window(phase).log_last(name, value.into());
    }

    /// Whether anything was logged since the last row of this phase.
    pub fn has_pending(&self, phase: RowPhase) -> bool {
        self.windows[phase as usize].has_pending()
    }

    /// Reads the pending values of a phase, with one read for each device, and begins its next window.
    ///
    /// Names without a value since the last row are left out. Means are computed in double precision, oldest value
    /// first, for tensors of any kind; one NaN makes the mean NaN.
    ///
    /// # Errors
    /// When a logged tensor does not have exactly one element, or libtorch fails. Then the values stay pending.
    pub fn read_window(&mut self, phase: RowPhase) -> Result<Vec<(String, f64)>, RecordError> {
        let logged = self.read_logged(phase)?.into_iter();
        Ok(logged.map(|logged| (logged.name, logged.value)).collect())
    }

    /// As [`Record::read_window`], with what each mean counts for, so that the numbers of several processes can be joined.
    ///
    /// # Errors
    /// Those of [`Record::read_window`].
    pub fn read_logged(&mut self, phase: RowPhase) -> Result<Vec<Logged>, RecordError> {
        let (row, devices) = self.window(phase).read()?;
        self.device_reads += devices;
        Ok(row)
    }

    /// Drops the pending values of a phase: an evaluation that was interrupted has no numbers.
    pub fn discard(&mut self, phase: RowPhase) {
        self.window(phase).discard();
    }

    /// Reads numbers that are not logged, with one read for each device.
    ///
    /// # Errors
    /// When a tensor does not have exactly one element, or libtorch fails.
    pub fn read_all(&mut self, name: &str, numbers: &[Scalar]) -> Result<Vec<f64>, RecordError> {
        let (numbers, devices) = read_numbers(numbers.iter().map(|number| (name, number)))?;
        self.device_reads += devices;
        Ok(numbers)
    }

    /// How often a device was read so far: by [`Record::read_window`] where tensors were logged, and for each image and
    /// histogram.
    pub fn device_reads(&self) -> u64 {
        self.device_reads
    }

    /// Counts a read of an image or a histogram.
    pub fn count_read(&mut self) {
        self.device_reads += 1;
    }

    /// Stores the values of a finished row: as `val/accuracy`, for a named loader as `val/hard/accuracy`.
    pub fn publish(&mut self, row: &Row) {
        for (name, value) in &row.values {
            self.set_final(&row.key(name), *value);
        }
    }

    /// Sets one final value by its full name.
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

    fn window(&mut self, phase: RowPhase) -> &mut Window {
        &mut self.windows[phase as usize]
    }
}

/// In the order of [`RowPhase::ALL`].
fn spans(window: usize) -> [Span; 3] {
    [Span::Last(window), Span::Whole(ADDED_UP), Span::Whole(ADDED_UP)]
}

/// What is pending and what is final, so that a resumed run writes the rows of one that was never stopped.
impl State for Record {
    fn save_state(&self) -> StateMap {
        let mut state = StateMap::new();
        for phase in RowPhase::ALL {
            state.put(phase.as_str(), &self.windows[phase as usize]);
        }
        state.put("latest", &self.latest);
        state
    }

    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        for phase in RowPhase::ALL {
            let window = &mut self.windows[phase as usize];
            *window = state.take::<Window>(phase.as_str())?.with_span(window.span());
        }
        self.latest = state.take("latest")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RowPhase::{Train, Val};
    use tch::{Kind, Tensor};

    fn value(row: &[(String, f64)], name: &str) -> f64 {
        row.iter().find(|(known, _)| known == name).unwrap().1
    }

    #[test]
    fn nothing_is_read_between_rows_and_all_names_in_one_read() {
        let mut record = Record::new(50);
        for iter in 0..10 {
            record.log(Train, "loss", Tensor::from(iter as f32), 1.0);
            record.log(Train, "hits", Tensor::from(2 * iter), 1.0);
            record.log(Train, "half", Tensor::from_slice(&[0.5]).to_kind(Kind::Half), 1.0);
            record.log(Train, "host", f64::from(iter), 1.0);
        }
        assert_eq!(record.device_reads(), 0);
        let row = record.read_window(Train).unwrap();
        assert_eq!(record.device_reads(), 1);
        let expected = [("loss", 4.5), ("hits", 9.0), ("half", 0.5), ("host", 4.5)];
        assert_eq!(row, expected.map(|(name, mean)| (name.to_owned(), mean)));
    }

    #[test]
    fn numbers_of_the_host_need_no_read() {
        let mut record = Record::new(50);
        record.log(Train, "loss", 1.0, 1.0);
        record.read_window(Train).unwrap();
        assert_eq!(record.device_reads(), 0);
    }

    #[test]
    fn a_row_shows_only_what_was_logged_since_the_last() {
        let mut record = Record::new(50);
        record.log(Train, "loss", Tensor::from(1.0), 1.0);
        record.log(Train, "rare", 7.0, 1.0);
        record.read_window(Train).unwrap();
        record.log(Train, "loss", Tensor::from(3.0), 1.0);
        assert_eq!(record.read_window(Train).unwrap(), [("loss".to_owned(), 3.0)]);
        assert_eq!(record.read_window(Train).unwrap(), []);
    }

    #[test]
    fn the_mean_is_over_the_last_values_of_the_window() {
        let mut record = Record::new(3);
        (1..=10).for_each(|iter| record.log(Train, "loss", Tensor::from(f64::from(iter)), 1.0));
        assert_eq!(value(&record.read_window(Train).unwrap(), "loss"), 9.0);
    }

    #[test]
    fn the_last_value_of_a_setting_is_shown_not_its_mean() {
        let mut record = Record::new(50);
        [0.1, 0.2, 0.3].into_iter().for_each(|lr| record.log_last(Train, "lr", lr));
        assert_eq!(value(&record.read_window(Train).unwrap(), "lr"), 0.3);
    }

    #[test]
    fn a_mean_is_taken_in_double_precision() {
        let mut record = Record::new(1000);
        (0..1000).for_each(|_| record.log(Train, "loss", Tensor::from(0.1f32), 1.0));
        let expected = (0..1000).map(|_| f64::from(0.1f32)).sum::<f64>() / 1000.0;
        assert_eq!(value(&record.read_window(Train).unwrap(), "loss"), expected);
    }

    #[test]
    fn one_nan_is_not_hidden_by_the_mean() {
        let mut record = Record::new(50);
        record.log(Train, "loss", 1.0, 1.0);
        record.log(Train, "loss", Tensor::from(f32::NAN), 1.0);
        assert!(value(&record.read_window(Train).unwrap(), "loss").is_nan());
    }

    #[test]
    fn a_tensor_of_several_elements_is_refused_by_its_name() {
        let mut record = Record::new(50);
        record.log(Train, "loss", Tensor::from_slice(&[1.0, 2.0]), 1.0);
        let error = record.read_window(Train).unwrap_err().to_string();
        assert!(error.contains("`loss`") && error.contains("[2]"), "{error}");
    }

    #[test]
    fn a_restored_record_gives_the_row_of_one_that_was_never_stopped() {
        let log = |record: &mut Record, iters: std::ops::Range<i64>| {
            for iter in iters {
                record.log(Train, "loss", Tensor::from(iter as f32 * 0.1), 1.0);
                record.log(Train, "host", iter as f64, 1.0);
                record.log_last(Train, "lr", iter as f64);
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
        assert_eq!(second.read_window(Train).unwrap(), whole.read_window(Train).unwrap());
        assert_eq!(second.latest("val/accuracy"), Some(0.75));
    }

    #[test]
    fn what_is_logged_in_an_evaluation_is_in_no_row_of_the_training() {
        let mut record = Record::new(50);
        record.log(Train, "loss", 1.0, 1.0);
        record.log(Val, "loss", 7.0, 1.0);
        assert_eq!(record.read_window(Train).unwrap(), [("loss".to_owned(), 1.0)]);
        assert!(!record.has_pending(Train) && record.has_pending(Val));
        record.discard(Val);
        assert_eq!(record.read_window(Val).unwrap(), []);
    }

    #[test]
    fn the_mean_of_an_evaluation_is_over_all_values_by_their_weights_and_reads_once() {
        let batches = 2 * ADDED_UP + 345;
        let (mut record, mut restored) = (Record::new(3), Record::new(3));
        let (mut sum, mut weights) = (0.0, 0.0);
        for batch in 0..batches {
            // the last batch is smaller
            let (value, weight) = (batch as f64 * 0.25, if batch + 1 == batches { 3.0 } else { 64.0 });
            record.log(Val, "device", Tensor::from(value as f32), weight);
            record.log(Val, "host", value, weight);
            sum += value * weight;
            weights += weight;
            if batch == ADDED_UP + 7 {
                restored.load_state(record.save_state()).unwrap();
                record = std::mem::replace(&mut restored, Record::new(3));
            }
        }
        assert_eq!(record.device_reads(), 0);
        let row = record.read_window(Val).unwrap();
        assert_eq!(record.device_reads(), 1);
        for name in ["device", "host"] {
            assert!((value(&row, name) - sum / weights).abs() < 1e-9, "{name}: {}", value(&row, name));
        }
    }
}
