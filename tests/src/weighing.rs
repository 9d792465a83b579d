//! One trainer twice, for batches that do not weigh as much as they have samples: they state their weight, or have fewer samples
//! than were read for them.

use crate::data::points;
use engine::prelude::*;

/// How many sentences there are.
#[component(dataset)]
pub struct SentencesConfig {
    /// How many.
    #[config(example = 20, range = 1..=1000)]
    pub samples: usize,
    /// Whether no batch leaves one out.
    #[config(default = false)]
    pub whole: bool,
}

/// A point, its heap, and how many words it stands for: not as many as its neighbour.
pub type Sentence = (Tensor, i64, usize);

/// The sentence of this number.
pub fn sentence(index: usize) -> Sentence {
    (points(0, index + 1).get(index as i64), index as i64 % 3, 1 + index * 7 % 5)
}

/// The trainer of batches of this type, which this function gives the numbers of: points `[n, 4]`, heaps `[n]`, and what each
/// sample counts, `[n]`. `$item` is made of a [`sentence`] and its number.
#[macro_export]
macro_rules! weighing {
    ($item:ident, $batch:ty, $parts:expr) => {
        /// Sentences in order.
        pub struct Sentences($crate::weighing::SentencesConfig);

        impl Dataset for Sentences {
            type Config = $crate::weighing::SentencesConfig;
            type Item = $item;

            fn open(config: &Self::Config) -> Result<Self> {
                Ok(Sentences(config.clone()))
            }

            fn len(&self) -> usize {
                self.0.samples
            }

            fn get(&self, index: usize, _: &mut SampleRng) -> Result<$item> {
                Ok($item($crate::weighing::sentence(index), if self.0.whole { 0 } else { index }))
            }
        }

        /// Tells heaps apart; no hook of it comes after its backward.
        #[trainer(by_iter)]
        pub struct Reader {
            #[model]
            net: $crate::model::Mlp,
            #[optimizer]
            opt: AdamW,
            #[loader(train)]
            train: Loader<Sentences>,
            /// Milliseconds that each step sleeps; above 0 it is announced too.
            #[config(default = 0, range = 0..=60_000)]
            pause: u64,
            /// The step on rank 1 that asks for the end, counted from 1; 0: none.
            #[config(default = 0)]
            ends_at: u64,
            /// Whether the step goes backward itself, and asks for the end only then.
            #[config(default = false)]
            goes_backward: bool,
            #[state]
            steps: u64,
        }

        impl Steps for Reader {
            type Batch = $batch;

            fn train_step(&mut self, batch: &$batch, cx: &mut Context<'_>) -> Result<Output> {
                self.steps += 1;
                $crate::faults::mark("train", self.steps, self.pause);
                let (points, heaps, counts) = $parts(batch);
                let logits = self.net.forward(points, cx.is_training())?;
                let losses = logits.cross_entropy_loss::<Tensor>(heaps, None, Reduction::None, -100, 0.0);
                let loss = (losses * &counts).sum(Kind::Float) / counts.sum(Kind::Float);
                let output = if self.goes_backward {
                    cx.backward(&loss)?;
                    Output::without_loss().value("loss", &loss)
                } else {
                    Output::new(loss)
                };
                if self.steps == self.ends_at && cx.rank() == 1 {
                    cx.stop("one rank has seen enough");
                }
                Ok(output)
            }
        }

        /// Says before each iter what the weights are, and how many messages there were.
        #[hook]
        pub struct Telling {
            #[transient]
            told: u64,
        }

        #[phases]
        impl Telling {
            fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
                self.told = cx.iter().get();
                Ok(())
            }

            fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
                self.tell(cx)
            }

            fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
                self.tell(cx)
            }
        }

        impl Telling {
            fn tell(&mut self, cx: &mut Context<'_>) -> Result<()> {
                let iter = cx.iter().get();
                if iter != std::mem::replace(&mut self.told, iter) {
                    cx.say(&format!("weights after iter {iter}: {:016x}", $crate::hooks::fingerprint(cx)?))?;
                    let messages = cx.messages_to_ranks().unwrap_or(0);
                    cx.say(&format!("messages until iter {iter}: {messages}"))?;
                }
                Ok(())
            }
        }

        engine::main!(Reader);
    };
}
