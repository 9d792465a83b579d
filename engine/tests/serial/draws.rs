//! Whose numbers are drawn when.

use crate::support::{self, ByEpoch, Setup, Toyed as _, alone, every};
use engine::base::Clock;
use engine::loops::ValPlan;

#[test]
fn a_validation_draws_no_number_of_the_training() {
    let _alone = alone();
    let weights = |val: Option<ValPlan>| {
        let mut driver = Setup { dropout: 0.5, val, ..Setup::default() }.plain::<ByEpoch>();
        support::seed(3);
        driver.train_all().unwrap();
        driver.weights()
    };
    assert_eq!(weights(None), weights(Some(every(1, Clock::Iter))));
}
