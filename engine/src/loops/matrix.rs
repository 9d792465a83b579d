//! A matrix of counts as a table and as a picture.

use crate::metric::Matrix;
use crate::record::{Cell, Image, RecordError, Table};

/// The side of a picture in pixels, about.
const SIDE: usize = 512;
/// The largest side of one cell.
const CELL: usize = 32;
/// The colour of a cell that has all counts of its row.
const FULL: [f64; 3] = [8.0, 48.0, 107.0];

/// A row for each row of the matrix, with its name in front.
pub(super) fn table(matrix: &Matrix) -> Table {
    let table = Table::new(std::iter::once(&matrix.corner).chain(&matrix.labels).cloned());
    matrix.labels.iter().zip(&matrix.counts).fold(table, |table, (label, counts)| {
        let counts = counts.iter().map(|count| Cell::Number(*count as f64));
        table.row(std::iter::once(Cell::Text(label.clone())).chain(counts))
    })
}

/// A square for each count, coloured by its share of the row: white for nothing, dark blue for all.
pub(super) fn picture(matrix: &Matrix) -> Result<Image, RecordError> {
    let classes = matrix.counts.len();
    let cell = (SIDE / classes.max(1)).clamp(1, CELL);
    let mut pixels = Vec::with_capacity(3 * (classes * cell).pow(2));
    for counts in &matrix.counts {
        let total = counts.iter().sum::<i64>().max(1) as f64;
        let mut line = Vec::with_capacity(3 * classes * cell);
        for count in counts {
            let share = *count as f64 / total;
            let colour = FULL.map(|full| (255.0 + share * (full - 255.0)).round() as u8);
            (0..cell).for_each(|_| line.extend(colour));
        }
        (0..cell).for_each(|_| pixels.extend_from_slice(&line));
    }
    let side = (classes * cell) as u32;
    Image::new(side, side, 3, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        let labels = ["cat", "dog"].map(str::to_owned).to_vec();
        Matrix { name: "m".into(), corner: "target".into(), labels, counts: vec![vec![4, 0], vec![1, 1]] }
    }

    #[test]
    fn a_table_has_a_row_for_each_target() {
        assert_eq!(table(&matrix()).to_string(), "target  cat  dog\ncat     4    0\ndog     1    1");
    }

    #[test]
    fn the_colour_of_a_cell_is_its_share_of_the_row() {
        let image = picture(&matrix()).unwrap();
        assert_eq!((image.width(), image.height(), image.channels()), (64, 64, 3));
        let at = |x: usize, y: usize| &image.pixels()[3 * (64 * y + x)..][..3];
        assert_eq!(
            [at(0, 0), at(63, 0), at(0, 63), at(63, 63)],
            [&[8, 48, 107], &[255, 255, 255], &[132, 152, 181], &[132, 152, 181]]
        );
    }

    #[test]
    fn a_row_without_a_count_is_white() {
        let image = picture(&Matrix { counts: vec![vec![0, 0], vec![0, 2]], ..matrix() }).unwrap();
        assert_eq!(image.pixels()[..3], [255; 3]);
    }
}
