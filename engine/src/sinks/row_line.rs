//! A row as a line of the console: what people look at first, as much of it as fits. `log.txt` has all of it.

use super::format::value_text;
use crate::record::{Row, RowPhase};
use std::collections::BTreeMap;

/// Makes lines of rows. On a terminal, numbers stand below each other, and no line is wider than it.
#[derive(Debug, Default)]
pub(super) struct RowLines {
    /// Columns of the terminal; `None`: no terminal, so nothing is cut or aligned.
    pub(super) columns: Option<usize>,
    /// Whether names and phases are coloured.
    pub(super) color: bool,
    /// The widest number so far, by phase and name.
    widest: BTreeMap<String, usize>,
}

/// A number with its name.
struct Part {
    rank: Rank,
    /// Before the number.
    name: String,
    number: String,
    /// Behind the number.
    unit: &'static str,
}

/// What a number is, in the order of a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Moment,
    Loss,
    Other,
    LearningRate,
    Speed,
    Eta,
}

/// Between two parts.
const GAP: &str = "  ";

impl RowLines {
    /// The line of a row.
    pub(super) fn line(&mut self, row: &Row) -> String {
        let mut parts = vec![part("epoch", row.at.epoch as f64), part("iter", row.at.iter as f64)];
        parts.iter_mut().for_each(|part| part.rank = Rank::Moment);
        let shown = row
            .values
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "iter_time" | "data_time" | "comm_time" | "slowest_rank"));
        parts.extend(shown.map(|(name, value)| part(name, *value)));
        parts.sort_by_key(|part| part.rank);
        let head = row.loader.as_ref().map_or(row.phase.to_string(), |loader| format!("{} {loader}", row.phase));
        if let Some(columns) = self.columns {
            self.align(&head, &mut parts);
            self.fit(columns, &head, &mut parts);
        }
        let mut line = self.colored(phase_color(row.phase), &head);
        for Part { name, number, unit, .. } in parts {
            line.push_str(GAP);
            if !name.is_empty() {
                line.push_str(&self.colored(DIM, &name));
                line.push(' ');
            }
            line.push_str(&number);
            line.push_str(unit);
        }
        line
    }

    /// Numbers of one name are as wide as the widest of them so far.
    fn align(&mut self, head: &str, parts: &mut [Part]) {
        for part in parts {
            let widest = self.widest.entry(format!("{head} {} {}", part.name, part.unit)).or_default();
            *widest = part.number.chars().count().max(*widest);
            part.number = format!("{:>width$}", part.number, width = *widest);
        }
    }

    /// Leaves out what a person looks at last, until the line fits.
    fn fit(&self, columns: usize, head: &str, parts: &mut Vec<Part>) {
        let width = |parts: &[Part]| head.chars().count() + parts.iter().map(Part::width).sum::<usize>();
        // the mark that something is missing takes its place too
        let mark = GAP.len() + 1;
        if width(parts) <= columns {
            return;
        }
        for rank in [Rank::Other, Rank::LearningRate, Rank::Speed, Rank::Loss, Rank::Eta] {
            while width(parts) + mark > columns
                && let Some(last) = parts.iter().rposition(|part| part.rank == rank)
            {
                parts.remove(last);
            }
        }
        parts.push(Part { rank: Rank::Eta, name: String::new(), number: "…".to_owned(), unit: "" });
    }

    fn colored(&self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

impl Part {
    fn width(&self) -> usize {
        let name = self.name.chars().count();
        GAP.len() + name + usize::from(name > 0) + self.number.chars().count() + self.unit.len()
    }
}

fn part(name: &str, value: f64) -> Part {
    let is_lr = name == "lr" || name.starts_with("lr/");
    let rank = match name {
        "samples_per_second" => Rank::Speed,
        "eta" => Rank::Eta,
        _ if name == "loss" || name.ends_with("/loss") => Rank::Loss,
        _ if is_lr => Rank::LearningRate,
        _ => Rank::Other,
    };
    let number = value_text(name, value);
    match rank {
        Rank::Speed => Part { rank, name: String::new(), number, unit: " samples/s" },
        _ => Part { rank, name: name.to_owned(), number, unit: "" },
    }
}

const DIM: &str = "2";

fn phase_color(phase: RowPhase) -> &'static str {
    match phase {
        RowPhase::Train => "36",
        RowPhase::Val => "32",
        _ => "33",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Moment;

    fn row(iter: u64, values: &[(&str, f64)]) -> Row {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Row { phase: RowPhase::Train, loader: None, at: Moment { epoch: 2, iter, time: 1.0 }, values }
    }

    const VALUES: &[(&str, f64)] = &[
        ("loss", 0.59314),
        ("grad_norm", 1.25),
        ("iter_time", 0.01),
        ("data_time", 0.001),
        ("samples_per_second", 1438.2),
        ("eta", 12.0),
        ("lr", 0.001),
    ];

    #[test]
    fn what_people_look_at_first_comes_first() {
        let line = RowLines::default().line(&row(46, VALUES));
        let expected =
            "train  epoch 2  iter 46  loss 0.5931  grad_norm 1.250  lr 1.000e-3  1438 samples/s  eta 0:00:12";
        assert_eq!(line, expected);
    }

    #[test]
    fn a_line_fits_the_terminal_and_keeps_what_matters_most() {
        let mut lines = RowLines { columns: Some(84), ..RowLines::default() };
        let many: Vec<(String, f64)> = (0..20).map(|n| (format!("value_{n}"), n as f64 / 7.0)).collect();
        let more: Vec<(&str, f64)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let line = lines.line(&row(46, &[VALUES, &more].concat()));
        assert_eq!(line, "train  epoch 2  iter 46  loss 0.5931  lr 1.000e-3  1438 samples/s  eta 0:00:12  …");
        for columns in [1, 20, 40, 60, 100, 120] {
            lines.columns = Some(columns);
            let line = lines.line(&row(46, &[VALUES, &more].concat()));
            assert!(line.chars().count() <= columns.max("train  epoch 2  iter 46  …".len()), "{columns}: {line}");
            assert!(!line.contains("value_") || line.contains("loss"), "{line}");
        }
    }

    #[test]
    fn numbers_stand_below_each_other() {
        let mut lines = RowLines { columns: Some(100), ..RowLines::default() };
        let wide = lines.line(&row(1000, &[("loss", 12.345), ("lr", 0.001)]));
        let narrow = lines.line(&row(7, &[("loss", 3.0), ("lr", 0.0)]));
        assert_eq!(wide, "train  epoch 2  iter 1000  loss 12.35  lr 1.000e-3");
        assert_eq!(narrow, "train  epoch 2  iter    7  loss     3  lr        0");
    }

    #[test]
    fn colours_are_there_where_they_are_wanted_and_take_no_room() {
        let mut lines = RowLines { columns: Some(60), color: true, ..RowLines::default() };
        let line = lines.line(&row(46, &[("loss", 0.5)]));
        let plain = line.replace("\u{1b}[36m", "").replace("\u{1b}[2m", "").replace("\u{1b}[0m", "");
        assert_eq!(plain, "train  epoch 2  iter 46  loss 0.5000");
        assert_ne!(line, plain);
    }
}
