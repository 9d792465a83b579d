//! The table, cut into folds: one of them is for the validation, the others are for the training.

use engine::data::files::Table;
use engine::prelude::*;
use engine::random::{Stream, permutation};
use std::path::PathBuf;

/// The column that is to be told from the others.
const TARGET: &str = "cultivar";

/// Wines: quantities `[13]` as they were measured, and the cultivar.
pub struct Wines {
    quantities: Vec<Vec<f32>>,
    cultivars: Vec<i64>,
}

/// The wines of some folds of a table.
#[component(dataset)]
pub struct WinesConfig {
    /// The table: a file of comma-separated values whose first line names the columns.
    #[config(exists)]
    pub table: PathBuf,
    /// Which part.
    pub part: Part,
    /// The fold that is for the validation, from 0 to `folds - 1`.
    #[config(default = 0)]
    pub fold: usize,
    /// How many folds there are.
    #[config(default = 5, range = 2..=100)]
    pub folds: usize,
}

/// A part of the table.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Part {
    /// All folds but one.
    Train,
    /// The one fold.
    Val,
    /// The whole table.
    All,
}

impl Dataset for Wines {
    type Config = WinesConfig;
    type Item = (Vec<f32>, i64);

    fn open(config: &WinesConfig) -> Result<Self> {
        let WinesConfig { table, part, fold, folds } = config;
        if fold >= folds {
            return Err(Error::msg(format!("`fold` is {fold}, and the {folds} folds are 0 to {}", folds - 1)));
        }
        let table = Table::read(table, ',')?;
        let columns: Vec<Vec<f64>> = table
            .columns()
            .iter()
            .filter(|name| *name != TARGET)
            .map(|name| table.numbers(name))
            .collect::<Result<_, _>>()?;
        let all = table.integers(TARGET)?;
        // the table is sorted by cultivar; all runs cut it in the same way
        let order = permutation(table.len(), &mut Stream::new(0, "folds", 0, 0));
        let chosen: Vec<usize> = order
            .into_iter()
            .enumerate()
            .filter(|(place, _)| match part {
                Part::Train => place % folds != *fold,
                Part::Val => place % folds == *fold,
                Part::All => true,
            })
            .map(|(_, row)| row)
            .collect();
        let quantities = |row: &usize| columns.iter().map(|column| column[*row] as f32).collect();
        Ok(Wines {
            quantities: chosen.iter().map(quantities).collect(),
            cultivars: chosen.iter().map(|row| all[*row]).collect(),
        })
    }

    fn len(&self) -> usize {
        self.cultivars.len()
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, i64)> {
        Ok((self.quantities[index].clone(), self.cultivars[index]))
    }
}

impl Wines {
    /// The quantities of all wines `[n, 13]`.
    pub fn quantities(&self) -> Tensor {
        let rows: Vec<Tensor> = self.quantities.iter().map(|row| Tensor::from_slice(row)).collect();
        Tensor::stack(&rows, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn open(part: Part, fold: usize) -> Result<Wines> {
        let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/wine.csv");
        Wines::open(&WinesConfig { table, part, fold, folds: 5 })
    }

    #[test]
    fn every_wine_is_in_one_fold() {
        let vals: Vec<Wines> = (0..5).map(|fold| open(Part::Val, fold).unwrap()).collect();
        assert_eq!(vals.iter().map(Wines::len).sum::<usize>(), 178);
        for (fold, val) in vals.iter().enumerate() {
            let train = open(Part::Train, fold).unwrap();
            assert_eq!(train.len() + val.len(), 178);
            assert!(val.quantities.iter().all(|wine| !train.quantities.contains(wine)));
        }
        assert!(open(Part::Val, 5).is_err());
    }
}
