//! `schedule`: a setting over the whole training as text, and as a picture.

mod numbers;
mod picture;

use crate::base::Result;
use crate::cli::out;
use crate::cli::schedule::numbers::{bounds, places, short};
use crate::cli::target::Target;
use crate::trainer::{Build, Experiment, ScheduledSetting, scheduled};

/// Moments of the curve, and of the picture.
const MOMENTS: u64 = 1200;
/// Characters of a curve.
const WIDTH: usize = 60;
/// Rows of the table.
const ROWS: usize = 21;

/// Prints the curve of each group and a table, and writes the picture, if one is wanted.
pub(super) fn print<T: Build>(experiment: Experiment<T>, setting: &str, svg: Option<Target>) -> Result<()> {
    let scheduled = scheduled(experiment, setting, MOMENTS)?;
    out::text(text(&scheduled))?;
    let Some(target) = svg else { return Ok(()) };
    let path = target.path.clone();
    target.write(picture::svg(&scheduled).as_bytes())?;
    out::line(format_args!("\nthe picture is in {}", path.display()))
}

fn text(scheduled: &ScheduledSetting) -> String {
    let epochs = scheduled.max_epochs.map_or(String::new(), |epochs| format!(" in {epochs} epochs"));
    let mut text = format!("`{}` over {} iters{epochs}\n", scheduled.setting, scheduled.max_iters);
    let width = scheduled.groups.iter().map(|group| group.name.len()).max().unwrap_or(0);
    for group in &scheduled.groups {
        let (least, most) = bounds(&group.values);
        let curve = curve(&group.values, most);
        text.push_str(&format!("  {:<width$}  {curve}  {} to {}\n", group.name, short(least), short(most)));
    }
    scheduled.notes.iter().for_each(|note| text.push_str(&format!("  {note}\n")));
    text.push('\n');
    let mut rows = vec![["iter", "epoch"].map(str::to_owned).to_vec()];
    rows[0].extend(scheduled.groups.iter().map(|group| group.name.clone()));
    for place in places(scheduled.moments.len(), ROWS) {
        let (iter, epoch) = scheduled.moments[place];
        let mut row = vec![iter.to_string(), epoch.to_string()];
        row.extend(scheduled.groups.iter().map(|group| short(group.values[place])));
        rows.push(row);
    }
    if scheduled.max_epochs.is_none() {
        rows.iter_mut().for_each(|row| drop(row.remove(1)));
    }
    let widths: Vec<usize> =
        (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        text.push_str(&format!("  {}\n", cells.join("  ")));
    }
    text
}

/// The values in eight heights from 0 to the largest.
fn curve(values: &[f64], most: f64) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let height = |place: usize| {
        let part = if most > 0.0 { values[place].max(0.0) / most } else { 0.0 };
        HEIGHTS[((part * 7.0).round() as usize).min(7)]
    };
    places(values.len(), WIDTH).into_iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::ScheduledGroup;

    #[test]
    fn a_curve_and_a_table_show_each_group() {
        let group = |name: &str, first: f64| ScheduledGroup {
            name: name.to_owned(),
            values: (0..4).map(|iter| first * f64::from(4 - iter) / 4.0).collect(),
        };
        let scheduled = ScheduledSetting {
            setting: "lr".to_owned(),
            max_iters: 4,
            max_epochs: Some(2),
            moments: vec![(0, 0), (1, 0), (2, 1), (3, 1)],
            groups: vec![group("opt/default", 0.1), group("opt/*.bias", 1e-6)],
            notes: vec!["what is not known".to_owned()],
        };
        let expected = "\
`lr` over 4 iters in 2 epochs
  opt/default  █▆▅▃  0.025 to 0.1
  opt/*.bias   █▆▅▃  2.5e-7 to 1e-6
  what is not known

  iter  epoch  opt/default  opt/*.bias
     0      0          0.1        1e-6
     1      0        0.075      7.5e-7
     2      1         0.05        5e-7
     3      1        0.025      2.5e-7
";
        assert_eq!(text(&scheduled), expected);
        let by_iter = text(&ScheduledSetting { max_epochs: None, ..scheduled });
        assert!(by_iter.starts_with("`lr` over 4 iters\n") && by_iter.contains("  iter  opt/default"), "{by_iter}");
    }
}
