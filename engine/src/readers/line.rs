//! A row as a line of JSON holds it.

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A row as it is written.
pub(super) struct Line<'a> {
    pub(super) phase: Cow<'a, str>,
    pub(super) loader: Option<Cow<'a, str>>,
    pub(super) epoch: u64,
    pub(super) iter: u64,
    pub(super) time: f64,
    pub(super) values: Vec<(Cow<'a, str>, f64)>,
}

impl<'a> Line<'a> {
    /// `None` for what is no row.
    pub(super) fn read(text: &'a [u8]) -> Option<Line<'a>> {
        let mut read = serde_json::Deserializer::from_slice(text);
        let line = read.deserialize_map(LineVisitor).ok()?;
        read.end().ok().map(|()| line)
    }

    /// Whether it is of the training, whose iters only grow.
    pub(super) fn is_train(&self) -> bool {
        self.phase == "train"
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
        let (mut phase, mut iter) = (None, None);
        let mut line =
            Line { phase: "".into(), loader: None, epoch: 0, iter: 0, time: 0.0, values: Vec::with_capacity(16) };
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "phase" => phase = Some(map.next_value::<Text<'de>>()?.0),
                "loader" => line.loader = Some(map.next_value::<Text<'de>>()?.0),
                "epoch" => line.epoch = map.next_value()?,
                "iter" => iter = Some(map.next_value()?),
                "time" => line.time = map.next_value()?,
                _ => {
                    if let Cell(Some(value)) = map.next_value()? {
                        line.values.push((key, value));
                    }
                }
            }
        }
        line.phase = phase.ok_or_else(|| A::Error::missing_field("phase"))?;
        line.iter = iter.ok_or_else(|| A::Error::missing_field("iter"))?;
        Ok(line)
    }
}

/// A text that is borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(TextVisitor)
    }
}

/// The value of a name: a number, NaN for `null`, or nothing for what is neither.
struct Cell(Option<f64>);

impl<'de> serde::Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
        Ok(Cell(Some(value)))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
        Ok(Cell(Some(value as f64)))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
        Ok(Cell(Some(value as f64)))
    }
    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell(Some(f64::NAN)))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Cell, E> {
        Ok(Cell(None))
    }
    fn visit_str<E>(self, _: &str) -> Result<Cell, E> {
        Ok(Cell(None))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell(None))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell(None))
    }
}
