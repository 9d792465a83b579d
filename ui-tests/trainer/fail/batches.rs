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
    // mistake: the step takes images with classes, the loader has images alone
    #[loader(train)]
    train: Loader<Images>,
    // mistake: the step takes texts, the loader has images
    #[loader(predict)]
    predict: Loader<Images>,
}

steps!(Digit);

impl PredictStep for Digit {
    type Prompt = Vec<String>;
    fn predict_step(&mut self, _: &Vec<String>, _: &mut Context<'_>) -> Result<Prediction> {
        Ok(Prediction::new())
    }
}

fn main() {}
