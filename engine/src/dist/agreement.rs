//! Requests that may come to some ranks alone, as a signal does, and that all have to act on at the same place.
//!
//! At each safe point every rank tells the others a number that stands for what it was asked; nobody waits for the
//! answers before the next safe point, so that they cost no time. A rank that was asked something waits at once. Where all
//! were asked the same, as by hooks that all ranks run, they all wait and all know: the requests count at this safe
//! point. Where not, all know by the next safe point, tell each other everything, and act there.

use crate::dist::error::DistError;
use crate::dist::group::{Group, Numbers};

/// What the ranks are asked, from one safe point to the next.
#[derive(Debug, Default)]
pub struct Agreement {
    told: Option<Told>,
}

#[derive(Debug)]
enum Told {
    /// The answers of the others are on their way.
    UnderWay(Numbers),
    /// They are known: not all were asked the same.
    Differs,
}

/// What is known of the requests that were told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// Every rank was asked the same, or nothing.
    Same,
    /// The ranks were asked different things; they have to tell each other now.
    Differs,
    /// The answers are looked at next time.
    Later,
}

const DOING: &str = "the agreement on what follows the iter";

impl Agreement {
    /// What came of the requests that were told at the last safe point: [`Agreed::Same`] when they were done there.
    ///
    /// # Errors
    /// When a rank is gone.
    pub fn earlier(&mut self, group: &Group) -> Result<Agreed, DistError> {
        Ok(match self.told.take() {
            None => Agreed::Same,
            Some(Told::Differs) => Agreed::Differs,
            Some(Told::UnderWay(numbers)) => compare(&numbers.wait(group)?),
        })
    }

    /// Tells what this rank was asked: a text that is empty for nothing, and equal for equal requests. `ahead`: the answer
    /// may come at the next safe point.
    ///
    /// # Errors
    /// When a rank is gone.
    pub fn tell(&mut self, group: &Group, asked: &[u8], ahead: bool) -> Result<Agreed, DistError> {
        let numbers = group.begin_numbers(DOING, &[number_of(asked)])?;
        if ahead && asked.is_empty() {
            self.told = Some(Told::UnderWay(numbers));
            return Ok(Agreed::Later);
        }
        Ok(match compare(&numbers.wait(group)?) {
            Agreed::Differs if ahead => {
                self.told = Some(Told::Differs);
                Agreed::Later
            }
            agreed => agreed,
        })
    }
}

fn compare(numbers: &[f64]) -> Agreed {
    match numbers.windows(2).all(|pair| pair[0] == pair[1]) {
        true => Agreed::Same,
        false => Agreed::Differs,
    }
}

/// 52 bits of a hash, which a float holds exactly; 0 for nothing.
fn number_of(asked: &[u8]) -> f64 {
    if asked.is_empty() {
        return 0.0;
    }
    let hash = blake3::hash(asked);
    let bytes = hash.as_bytes();
    let bits = bytes.iter().take(8).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    ((bits >> 12) + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_for_what_is_asked() {
        assert_eq!(number_of(b""), 0.0);
        assert!(number_of(b"save") > 0.0 && number_of(b"save") != number_of(b"stop"));
        assert_eq!(number_of(b"save"), number_of(b"save"));
        assert_eq!(number_of(b"save").fract(), 0.0);
    }

    #[test]
    fn one_rank_that_differs_is_enough() {
        assert_eq!(compare(&[3.0, 3.0, 3.0]), Agreed::Same);
        assert_eq!(compare(&[0.0, 0.0, 3.0]), Agreed::Differs);
    }
}
