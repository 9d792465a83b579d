//! Writes text byte by byte with a small transformer: trained by iter on any text, by default on the Rust sources of
//! this project, and asked to go on with prompts.
//!
//! `text` brings text and prompts in, `gpt` is the network, `write` draws from it, `bigram` is what it has to beat, and
//! here is the trainer that puts them together.

pub mod bigram;
pub mod gpt;
pub mod text;
pub mod write;

use bigram::Bigram;
use engine::prelude::*;
use gpt::Gpt;
use text::{Prompts, Text};

/// The trainer: what an experiment has to describe, field by field.
///
/// Network and optimizer are concrete types, so they are fixed here and an experiment only has their settings.
#[trainer(by_iter)]
pub struct CharLm {
    #[model]
    gpt: Gpt,
    #[optimizer]
    opt: AdamW,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Text>,
    #[loader(val)]
    val: Loader<Text>,
    #[loader(predict)]
    prompts: Loader<Prompts>,
    #[metric]
    perplexity: Perplexity,
    /// How many bytes are written after a prompt.
    #[config(default = 200, range = 1..=100_000)]
    tokens: usize,
    /// Below 1, what is likely becomes likelier still; above 1, everything becomes more alike. 0 takes the likeliest.
    #[config(default = 0.8, range = 0.0..=10.0)]
    temperature: f64,
}

impl Steps for CharLm {
    /// Windows of the text and, for each place in them, the byte that comes next: both `[n, block]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        Ok(self.loss(batch, cx)?.into())
    }
}

impl ValStep for CharLm {
    fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        // `Perplexity` needs nothing but the loss
        Ok(self.loss(batch, cx)?.into())
    }
}

impl PredictStep for CharLm {
    type Prompt = Vec<String>;

    fn predict_step(&mut self, prompts: &Self::Prompt, cx: &mut Context<'_>) -> Result<Prediction> {
        // a generator of the engine: the same seed writes the same text
        let mut draws = cx.generator("write");
        let mut texts = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            texts.push(write::after(&self.gpt, prompt, self.tokens, self.temperature, &mut draws, cx.device())?);
        }
        Ok(Prediction::new().texts("prompt", prompts.clone()).texts("text", texts))
    }
}

// a trainer takes part in phases as a hook does
#[phases]
impl CharLm {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        // a loader is open only where a command uses it; training uses these two
        let (train, val) = (self.train.dataset().and_then(Text::bytes), self.val.dataset().and_then(Text::bytes));
        // a file of tokens may be too large to be counted
        let (Some(train), Some(val)) = (train, val) else { return Ok(()) };
        let perplexity = Bigram::of(train).perplexity(val);
        cx.say(&format!(
            "to beat: pairs of bytes, counted, have a perplexity of {perplexity:.2} on the validation text"
        ))
    }
}

impl CharLm {
    /// The mean cross entropy of all places of all windows, in nats.
    fn loss(&self, (input, next): &(Tensor, Tensor), cx: &Context<'_>) -> Result<Tensor> {
        let logits = self.gpt.forward(input, cx.is_training())?; // [n, block, 256]
        Ok(logits.flatten(0, 1).cross_entropy_for_logits(&next.flatten(0, 1)))
    }
}

engine::main!(CharLm);

#[cfg(test)]
mod tests {
    use super::*;
    use engine::folder::Mode;
    use engine::trainer::{Experiment, run_train};
    use std::path::Path;

    /// The experiments of GPT-2 on a text of their own, with networks that are small enough for a test.
    #[test]
    fn the_configs_of_gpt2_train_on_a_file_of_tokens() {
        trains("gpt2.ron");
        trains("gpt2_124m.ron");
    }

    fn trains(file: &str) {
        let dir = std::env::temp_dir().join(format!("char_lm_{file}_{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let text = "the quick brown fox jumps over the lazy dog. ".repeat(40);
        let tokens: Vec<u8> = text.bytes().flat_map(|byte| u16::from(byte).to_le_bytes()).collect();
        std::fs::write(dir.join("text.bin"), tokens).unwrap();
        let path = format!("{:?}", dir.join("text.bin"));
        let set = [
            ("loaders.train.dataset.tokens", path.as_str()),
            ("loaders.val.dataset.tokens", path.as_str()),
            ("model.layers", "2"),
            ("model.heads", "2"),
            ("model.width", "16"),
            ("model.block", "32"),
            ("schedule", "[]"),
            ("train.max_iters", "4"),
            ("train.accumulate", "2"),
        ];
        let set: Vec<String> = set.iter().map(|(path, value)| format!("{path}={value}")).collect();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments").join(file);
        let mut experiment = Experiment::<CharLm>::load(&file, &set).unwrap_or_else(|errors| panic!("{errors}"));
        experiment.work_dir = dir.join("runs");
        let trained = run_train(experiment, Mode::New);
        std::fs::remove_dir_all(&dir).unwrap();
        trained.unwrap();
    }
}
engine::check_experiments!("experiments/*.ron");
