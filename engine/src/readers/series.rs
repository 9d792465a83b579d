//! The numbers of rows, by the loop that they belong to and by their names.

/// Where a point is on the horizontal axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Finished iters.
    #[default]
    Iter,
    /// Epochs, with the part of the epoch under way: iters divided by the iters of an epoch.
    Epoch,
    /// Seconds since the start of the run, including the time before a resume.
    Time,
}

/// The rows of one loop and one loader.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// `train`, `val`, `test`, or `val/hard` where the loop has several loaders.
    pub name: String,
    pub(super) iters: Vec<u64>,
    pub(super) epochs: Vec<u64>,
    pub(super) times: Vec<f64>,
    pub(super) series: Vec<Series>,
    /// Values that were left out because there are too many names, or their names are too long.
    pub(super) left_out: u64,
    /// Rows that were put before others.
    pub(super) out_of_order: u64,
    /// The smallest number of iters of an epoch that is not at odds with any row.
    pub(super) iters_per_epoch: Option<f64>,
}

/// The values of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The name in its rows: `loss`.
    pub name: String,
    /// The row of each value.
    at: Vec<u32>,
    /// The values; NaN for what was not finite.
    values: Vec<f64>,
    /// Of all values, as long as they have only been added at the end.
    known: Known,
}

/// What a table shows of values, so that it need not go through all of them each time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Known {
    /// The places of the smallest and of the largest finite value; the first of several.
    extremes: Option<(usize, usize)>,
    not_finite: usize,
    /// Values were taken out or changed: what is known is void.
    void: bool,
}

impl Known {
    /// With one value more.
    fn and(self, values: &[f64], place: usize) -> Known {
        let value = values[place];
        if !value.is_finite() {
            return Known { not_finite: self.not_finite + 1, ..self };
        }
        let (low, high) = self.extremes.unwrap_or((place, place));
        let low = if value < values[low] { place } else { low };
        let high = if value > values[high] { place } else { high };
        Known { extremes: Some((low, high)), ..self }
    }
}

/// A group with more names is no run's.
const MOST_NAMES: usize = 4096;
/// Bytes of a name; a longer one is no run's, and tables of many of them would take all memory.
pub(super) const LONGEST_NAME: usize = 512;
/// Rows that may come after those of later iters: results of evaluations. More of them would take long to be put in order.
const MOST_OUT_OF_ORDER: u64 = 10_000;

impl Group {
    /// Adds a row without values. A value is the last that was written for its iter: what a `val` command measures again
    /// replaces what was there. Training rows behind this one are dropped: they are of a process that was killed.
    ///
    /// Returns the number of the row; `None` when there are too many, and it was left out.
    pub(super) fn row(&mut self, (iter, epoch, time): (u64, u64, f64), is_train: bool) -> Option<usize> {
        let row = match self.iters.last() {
            Some(&last) if iter <= last => {
                let row = self.iters.partition_point(|known| *known < iter);
                if is_train {
                    self.cut(row);
                } else if self.iters[row] != iter {
                    if self.out_of_order >= MOST_OUT_OF_ORDER {
                        return None;
                    }
                    self.out_of_order += 1;
                    self.series.iter_mut().for_each(|series| series.make_room(row));
                    self.insert(row, (iter, epoch, time));
                } else {
                    self.series.iter_mut().for_each(|series| series.remove(row));
                    (self.epochs[row], self.times[row]) = (epoch, time);
                }
                row
            }
            _ => self.iters.len(),
        };
        if row == self.iters.len() {
            // a file of four thousand million rows is not read
            u32::try_from(row).ok()?;
            self.insert(row, (iter, epoch, time));
        }
        Some(row)
    }

    /// The number of the series of a name, which is made where it is missing. `hint` is where it is looked for first. `None`
    /// when there are too many names, or the name is too long; that is counted.
    pub(super) fn number_of(&mut self, name: &str, hint: usize) -> Option<usize> {
        // rows mostly have the same names in the same order
        let known = match self.series.get(hint) {
            Some(series) if series.name == name => Some(hint),
            _ => self.series.iter().position(|series| series.name == name),
        };
        match known {
            None if self.series.len() == MOST_NAMES || name.len() > LONGEST_NAME => {
                self.left_out += 1;
                None
            }
            None => {
                self.series.push(Series { name: name.to_owned(), ..Series::default() });
                Some(self.series.len() - 1)
            }
            known => known,
        }
    }

    /// Puts a value into a row.
    pub(super) fn put(&mut self, row: usize, series: usize, value: f64) {
        self.series[series].put(row, value);
    }

    fn insert(&mut self, row: usize, (iter, epoch, time): (u64, u64, f64)) {
        self.iters.insert(row, iter);
        self.epochs.insert(row, epoch);
        self.times.insert(row, time);
        if epoch > 0 && iter > 0 {
            let iters = iter as f64 / epoch as f64;
            self.iters_per_epoch = Some(self.iters_per_epoch.map_or(iters, |known| known.min(iters)));
        }
    }

    /// Drops the rows from this one on.
    fn cut(&mut self, row: usize) {
        self.iters.truncate(row);
        self.epochs.truncate(row);
        self.times.truncate(row);
        self.series.iter_mut().for_each(|series| {
            let kept = series.at.partition_point(|at| (*at as usize) < row);
            series.known.void |= kept < series.at.len();
            series.at.truncate(kept);
            series.values.truncate(kept);
        });
    }

    /// The series of all names, in the order of their first rows.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// The series of a name.
    pub fn get(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.name == name)
    }

    /// Epoch, iter and time of the last row.
    pub fn last(&self) -> Option<(u64, u64, f64)> {
        Some((*self.epochs.last()?, *self.iters.last()?, *self.times.last()?))
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.iters.len()
    }

    /// The iters of an epoch, as far as these rows tell: the smallest number that is not at odds with any of them.
    pub(super) fn iters_per_epoch(&self) -> Option<f64> {
        self.iters_per_epoch
    }
}

impl Series {
    fn put(&mut self, row: usize, value: f64) {
        let row = row as u32;
        let place = match self.at.last() {
            Some(last) if *last >= row => self.at.partition_point(|at| *at < row),
            _ => self.at.len(),
        };
        match self.at.get(place) {
            Some(at) if *at == row => {
                self.values[place] = value;
                self.known.void = true;
            }
            Some(_) => {
                self.at.insert(place, row);
                self.values.insert(place, value);
                self.known.void = true;
            }
            None => {
                self.at.push(row);
                self.values.push(value);
                if !self.known.void {
                    self.known = self.known.and(&self.values, place);
                }
            }
        }
    }

    fn make_room(&mut self, row: usize) {
        self.at.iter_mut().filter(|at| **at as usize >= row).for_each(|at| *at += 1);
    }

    fn remove(&mut self, row: usize) {
        if let Ok(place) = self.at.binary_search(&(row as u32)) {
            self.at.remove(place);
            self.values.remove(place);
            self.known.void = true;
        }
    }

    /// The values in order, NaN for what was not finite.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Where the values are on an axis, one number for each of them. `iters_per_epoch` is that of the run.
    pub fn places<'a>(
        &'a self,
        group: &'a Group,
        axis: Axis,
        iters_per_epoch: Option<f64>,
    ) -> impl Iterator<Item = f64> + 'a {
        self.at.iter().map(move |at| {
            let row = *at as usize;
            match (axis, iters_per_epoch) {
                (Axis::Iter, _) => group.iters[row] as f64,
                (Axis::Time, _) => group.times[row],
                (Axis::Epoch, Some(iters)) => group.iters[row] as f64 / iters,
                (Axis::Epoch, None) => group.epochs[row] as f64,
            }
        })
    }

    /// The iter of a value.
    pub fn iter_of(&self, group: &Group, place: usize) -> Option<u64> {
        self.at.get(place).map(|at| group.iters[*at as usize])
    }

    /// The last value, or `None` without any.
    pub fn last(&self) -> Option<f64> {
        self.values.last().copied()
    }

    fn known(&self) -> Known {
        match self.known.void {
            true => (0..self.values.len()).fold(Known::default(), |known, place| known.and(&self.values, place)),
            false => self.known,
        }
    }

    /// The place of the smallest or largest finite value; the first of several.
    pub fn extreme(&self, largest: bool) -> Option<usize> {
        self.known().extremes.map(|(low, high)| if largest { high } else { low })
    }

    /// How many values were not finite.
    pub fn not_finite(&self) -> usize {
        self.known().not_finite
    }
}
