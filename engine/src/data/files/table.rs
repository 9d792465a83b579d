//! Tables of comma-separated values.

use super::error::FileError;
use crate::base::plain;
use crate::base::suggest::meant;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

const FORMAT: &str = "a table";

/// A table with a name for each column, in memory. The library `csv` reads it by the rules of RFC 4180.
///
/// ```
/// use engine::data::files::Table;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("people.csv");
/// std::fs::write(&path, "name,age\n\"Curie, Marie\",66\nNoether,53\n")?;
/// let table = Table::read(&path, ',')?;
/// assert_eq!(table.numbers("age")?, [66.0, 53.0]);
/// assert_eq!(table.texts("name")?, ["Curie, Marie", "Noether"]);
/// let error = table.numbers("name").err().ok_or("a name is no number")?;
/// assert!(error.to_string().ends_with("line 2: `name` is `Curie, Marie`, expected a number"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads a table whose first line names the columns. `separator` is one ASCII character, such as `,`, `;` or a tab.
    ///
    /// # Errors
    /// When it can't be read, is not in UTF-8, names a column twice, or a line has more or fewer cells than there are
    /// columns.
    pub fn read(path: &Path, separator: char) -> Result<Self, FileError> {
        let refused = |what: String| FileError::content(path, FORMAT, what);
        let separator = u8::try_from(separator).ok().filter(u8::is_ascii);
        let separator = separator.ok_or_else(|| refused("the separator is not an ASCII character".into()))?;
        let file = plain::open(path, OpenOptions::new().read(true)).map_err(FileError::read(path))?;
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(file);
        let named = reader.headers().map_err(|error| refused(error.to_string()))?;
        // a mark of byte order is no part of the first name
        let columns: Vec<String> = named.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        if columns.is_empty() {
            return Err(refused("it is empty; its first line names the columns".into()));
        }
        if let Some(twice) = columns.iter().enumerate().find(|(place, name)| columns[..*place].contains(name)) {
            return Err(refused(format!("two columns are named `{}`", twice.1)));
        }
        let rows = reader.records().collect::<Result<_, _>>().map_err(|error| refused(error.to_string()))?;
        Ok(Table { path: path.to_owned(), columns, rows })
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The texts of a column.
    ///
    /// # Errors
    /// When no column has this name.
    pub fn texts(&self, column: &str) -> Result<Vec<&str>, FileError> {
        let place = self.place(column)?;
        Ok(self.rows.iter().map(|row| row.get(place).unwrap_or_default()).collect())
    }

    /// The numbers of a column, finite ones.
    ///
    /// # Errors
    /// When no column has this name, or a cell has something else; the line of the cell is named.
    pub fn numbers(&self, column: &str) -> Result<Vec<f64>, FileError> {
        self.parsed(column, "a number", |text| text.parse().ok().filter(|number: &f64| number.is_finite()))
    }

    /// The numbers of a column, where an empty cell is `None`.
    ///
    /// # Errors
    /// As [`Table::numbers`].
    pub fn numbers_or_empty(&self, column: &str) -> Result<Vec<Option<f64>>, FileError> {
        self.parsed(column, "a number or an empty cell", |text| match text {
            "" => Some(None),
            text => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Some),
        })
    }

    /// The whole numbers of a column.
    ///
    /// # Errors
    /// As [`Table::numbers`].
    pub fn integers(&self, column: &str) -> Result<Vec<i64>, FileError> {
        self.parsed(column, "a whole number", |text| text.parse().ok())
    }

    fn parsed<T>(&self, column: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, FileError> {
        let place = self.place(column)?;
        let cells = self.rows.iter().map(|row| {
            let text = row.get(place).unwrap_or_default().trim();
            parse(text).ok_or_else(|| {
                let line = row.position().map_or(0, csv::Position::line);
                let what = format!("line {line}: `{column}` is `{text}`, expected {expected}");
                FileError::content(&self.path, FORMAT, what)
            })
        });
        cells.collect()
    }

    fn place(&self, column: &str) -> Result<usize, FileError> {
        self.columns.iter().position(|name| name == column).ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(String::as_str).collect();
            let what = format!("it has no column `{column}`{}", meant(column, &known));
            FileError::content(&self.path, FORMAT, what)
        })
    }
}
