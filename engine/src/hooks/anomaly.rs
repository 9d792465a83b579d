//! `Anomaly`: says which operator of the forward pass a failing backward belongs to.

use crate::base::Result;
use crate::native::AnomalyGuard;
use crate::run::Context;
use engine_macros::{hook, phases};

/// Says which operator of the forward pass a failing backward belongs to, and fails at a backward that makes a NaN: PyTorch's
/// `detect_anomaly`. It makes steps several times slower, so it is for the search of one fault.
#[hook(priority = "HIGHER")]
#[derive(Debug)]
pub struct Anomaly {
    /// A backward that makes a NaN ends the training with an error.
    #[config(default = true)]
    check_nan: bool,
    /// The first iter that is watched, counted from 1.
    #[config(default = 1, range = 1..)]
    from: u64,
    /// So many updates at most are dumped whose step or backward fails, for the command `replay`.
    #[config(default = 1)]
    dumps: u64,
    #[transient]
    watching: Option<AnomalyGuard>,
}

#[phases]
impl Anomaly {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.allow_dumps(self.dumps, true);
        Ok(())
    }

    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.iter().get() + 1 >= self.from {
            self.watching = Some(AnomalyGuard::new(self.check_nan));
        }
        Ok(())
    }

    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.watching = None;
        Ok(())
    }
}
