//! Words of experiment files and of attributes. This file is read by `engine-macros` too, so it names nothing else.

/// The words that say how layers are merged, each with one value: `Append([..])`.
pub(crate) const OPERATORS: [&str; 4] = ["Append", "Prepend", "Patch", "Replace"];

/// The words that take a value from elsewhere, with the number of values that each is followed by: `Ref("model.width")`.
pub(crate) const EXPRESSIONS: [(&str, usize); 6] =
    [("Include", 1), ("Ref", 1), ("Add", 2), ("Sub", 2), ("Mul", 2), ("Div", 2)];

/// The named levels of hooks, from the first to the last, with their numbers.
pub(crate) const LEVELS: [(&str, u8); 7] =
    [("HIGHEST", 0), ("HIGHER", 10), ("HIGH", 20), ("NORMAL", 30), ("LOW", 40), ("LOWER", 50), ("LOWEST", 60)];
