//! A set of phases in one word, computed at compile time.

use crate::phase::Phase;

/// A set of phases.
///
/// ```
/// use engine::phase::{Phase, PhaseMask};
///
/// const VAL: PhaseMask = PhaseMask::of(&[Phase::BeforeVal, Phase::AfterVal]);
/// assert!(VAL.contains(Phase::AfterVal) && !VAL.contains(Phase::AfterTrain));
/// let more = VAL.union(PhaseMask::of(&[Phase::AfterTrain]));
/// assert_eq!(more.iter().collect::<Vec<_>>(), [Phase::BeforeVal, Phase::AfterVal, Phase::AfterTrain]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseMask(u64);

impl PhaseMask {
    /// No phase.
    pub const NONE: PhaseMask = PhaseMask(0);

    /// The set of these phases.
    pub const fn of(phases: &[Phase]) -> PhaseMask {
        let mut bits = 0;
        let mut i = 0;
        while i < phases.len() {
            bits |= 1 << phases[i] as u8;
            i += 1;
        }
        PhaseMask(bits)
    }

    /// Whether the phase is in the set.
    pub const fn contains(self, phase: Phase) -> bool {
        self.0 & (1 << phase as u8) != 0
    }

    /// All phases in the place of none.
    #[must_use]
    pub const fn or_all(self) -> PhaseMask {
        if self.is_empty() { PhaseMask::of(Phase::ALL) } else { self }
    }

    /// The phases of both.
    #[must_use]
    pub const fn union(self, other: PhaseMask) -> PhaseMask {
        PhaseMask(self.0 | other.0)
    }

    /// Whether no phase is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The phases of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Phase> {
        Phase::ALL.iter().copied().filter(move |phase| self.contains(*phase))
    }
}

impl FromIterator<Phase> for PhaseMask {
    fn from_iter<I: IntoIterator<Item = Phase>>(phases: I) -> Self {
        phases.into_iter().fold(PhaseMask::NONE, |mask, phase| mask.union(PhaseMask::of(&[phase])))
    }
}

const _: () = assert!(Phase::COUNT <= 64, "a mask has 64 bits");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_holds_exactly_its_phases() {
        const MASK: PhaseMask = PhaseMask::of(&[Phase::AfterVal, Phase::BeforeRun]);
        assert_eq!(MASK.iter().collect::<Vec<_>>(), [Phase::BeforeRun, Phase::AfterVal]);
        assert!(!MASK.contains(Phase::AfterTrain));
    }
}
