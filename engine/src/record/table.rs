//! Rows of cells under headings, and how they are written as text.

use std::fmt;

/// A table: headings, and rows of as many cells.
///
/// ```
/// use engine::record::Table;
///
/// let table = Table::new(["digit", "right"]).row(["0".into(), 0.99.into()]).row(["8".into(), 0.5.into()]);
/// assert_eq!(table.to_string(), "digit  right\n0      0.99\n8      0.5");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// One cell of a table, or the value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(String),
}

impl Table {
    /// A table without rows.
    pub fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Table {
        Table { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row. Missing cells are empty, and cells without a heading are dropped.
    #[must_use]
    pub fn row(mut self, cells: impl IntoIterator<Item = Cell>) -> Table {
        let mut row: Vec<Cell> = cells.into_iter().take(self.columns.len()).collect();
        row.resize(self.columns.len(), Cell::Text(String::new()));
        self.rows.push(row);
        self
    }

    /// The headings.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows, each with one cell for each heading.
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// The table in Markdown.
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ");
        let mut text = line(self.columns.iter().map(|column| escaped(column)).collect());
        text.push_str(&line(vec!["---".to_owned(); self.columns.len()]));
        for row in &self.rows {
            text.push_str(&line(row.iter().map(|cell| escaped(&cell.to_string())).collect()));
        }
        text
    }
}

/// Columns of equal width, without a line feed at the end.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| cell.to_string().replace('\n', " ")).collect()).collect();
        let lines = std::iter::once(&self.columns).chain(&cells);
        let width = |column: usize| lines.clone().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for (index, line) in lines.enumerate() {
            let padded: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}", padded.join("  ").trim_end())?;
        }
        Ok(())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Number(number) => number.fmt(f),
            Cell::Bool(flag) => flag.fmt(f),
            Cell::Text(text) => text.fmt(f),
        }
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Cell {
        Cell::Number(number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Cell {
        Cell::Bool(flag)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_keeps_the_shape_of_a_table_whatever_its_cells_hold() {
        let table = Table::new(["a|b", "c"]).row(["x\ny".into()]).row(["1".into(), true.into(), 7.0.into()]);
        assert_eq!(table.to_markdown(), "| a\\|b | c |\n| --- | --- |\n| x y |  |\n| 1 | true |\n");
    }
}
