//! A trainer on data without a length: lines of text files.

use engine::data::files::{Line, LineReader, Lines, LinesConfig};
use engine::data::{PlaceOf, RecordStream, Round, StreamLoader};
use engine::prelude::*;
use engine_tests::model::{Mlp, judge};

/// What an experiment says of records: `Records(lines: (paths: ["records"]))`.
#[component(dataset)]
pub struct RecordsConfig {
    lines: LinesConfig,
}

/// Points and heaps, a line each: a number of its own, the heap, and four numbers of the point.
pub struct Records(Lines);

impl RecordStream for Records {
    type Config = RecordsConfig;
    type Reader = LineReader;
    /// A point `[4]`, its heap and its number.
    type Item = (Tensor, i64, i64);

    fn open(config: &RecordsConfig) -> Result<Self> {
        Ok(Records(Lines::open(&config.lines)?))
    }

    fn read(&self, round: &Round, from: &PlaceOf<Lines>) -> Result<LineReader> {
        self.0.read(round, from)
    }

    fn get(&self, line: &Line, rng: &mut SampleRng) -> Result<(Tensor, i64, i64)> {
        let text = self.0.get(line, rng)?;
        let numbers: Vec<f64> = text.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [number, heap, point @ ..] = numbers.as_slice() else {
            return Err(Error::msg(format!("`{text}` is no record")));
        };
        let noise = rng.between(-0.1, 0.1);
        let point: Vec<f32> = point.iter().map(|at| (at + noise) as f32).collect();
        Ok((Tensor::from_slice(&point), *heap as i64, *number as i64))
    }

    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }
}

/// Tells heaps apart.
#[trainer(by_iter)]
pub struct Flow {
    #[model]
    net: Mlp,
    #[optimizer]
    opt: AdamW,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: StreamLoader<Records>,
}

impl Steps for Flow {
    /// Points `[n, 4]`, heaps `[n]`, numbers `[n]`.
    type Batch = (Tensor, Tensor, Tensor);

    fn train_step(&mut self, (points, heaps, numbers): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let numbers = Vec::<i64>::try_from(numbers)?;
        cx.say(&format!("fed in iter {}: {numbers:?}", cx.iter().get()))?;
        judge(&self.net, points, heaps, cx.is_training())
    }
}

engine::main!(Flow);
