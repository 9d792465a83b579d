//! Which weights evaluations use.

use serde::{Deserialize, Serialize};

/// `eval_weights:`, which weights evaluations use where a hook keeps an average of them, as [`Ema`](crate::hooks::Ema) does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EvalWeights {
    /// The average.
    #[default]
    Averaged,
    /// Those that are trained.
    Trained,
}
