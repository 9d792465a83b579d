use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[scheduler]
    schedule: Schedules,
    // mistake: a second scheduler
    #[scheduler]
    other_schedule: Schedules,
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(predict)]
    predict: Loader<Images>,
    // mistake: a second predict loader
    #[loader(predict)]
    predict_more: Loader<Images>,
}

steps!(Digit);

impl PredictStep for Digit {
    type Prompt = Tensor;
    fn predict_step(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Prediction> {
        Ok(Prediction::new())
    }
}

fn main() {}
