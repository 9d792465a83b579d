//! The values that can be recorded under a name: numbers, images, histograms, texts, figures and tables.

use super::{Histogram, Image, Table};
use std::fmt;

/// A recorded value, on the host.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// An image.
    Image(Image),
    /// A histogram of the elements of a tensor.
    Histogram(Histogram),
    /// A text, of any length.
    Text(String),
    /// A plot or drawing.
    Figure(Figure),
    /// Rows of cells under headings.
    Table(Table),
}

/// A plot or drawing from a plotting library.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// Drawn as pixels.
    Image(Image),
    /// An SVG document, as plotting libraries write it.
    Svg(String),
}

impl From<Image> for Figure {
    fn from(image: Image) -> Figure {
        Figure::Image(image)
    }
}

/// The kinds of values; a sink says which it accepts, before a value is read from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// [`Value::Number`].
    Number,
    /// [`Value::Image`].
    Image,
    /// [`Value::Histogram`].
    Histogram,
    /// [`Value::Text`].
    Text,
    /// [`Value::Figure`] made of pixels.
    Figure,
    /// [`Value::Figure`] as an SVG document.
    Svg,
    /// [`Value::Table`].
    Table,
}

impl Value {
    /// What it is.
    pub fn kind(&self) -> ValueKind {
        match self {
            Value::Number(_) => ValueKind::Number,
            Value::Image(_) => ValueKind::Image,
            Value::Histogram(_) => ValueKind::Histogram,
            Value::Text(_) => ValueKind::Text,
            Value::Figure(figure) => figure.kind(),
            Value::Table(_) => ValueKind::Table,
        }
    }
}

impl Figure {
    /// What it is.
    pub fn kind(&self) -> ValueKind {
        match self {
            Figure::Image(_) => ValueKind::Figure,
            Figure::Svg(_) => ValueKind::Svg,
        }
    }
}

/// In the plural: `images`.
impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ValueKind::Number => "numbers",
            ValueKind::Image => "images",
            ValueKind::Histogram => "histograms",
            ValueKind::Text => "texts",
            ValueKind::Figure => "figures",
            ValueKind::Svg => "SVG figures",
            ValueKind::Table => "tables",
        })
    }
}
