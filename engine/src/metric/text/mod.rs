//! Metrics of generated texts.

mod bleu;
mod units;
mod word_error_rate;

pub use bleu::Bleu;
pub use units::TextUnit;
pub use word_error_rate::WordErrorRate;
