//! Batches that count by their tokens: in validation, in the gradient of an iter, in rows.

use crate::support::{NoHooks, every};
use engine::base::{Clock, Output, Result, State as _};
use engine::data::{Batch, Dataset, Loader, LoaderConfig, Padded, Padding, Sequence, Source};
use engine::hook::{Batches, Dispatcher, EachState, SlotInfo, Slots};
use engine::loops::{EachMetric, FedStep, Plan, Program, Role, TrainPlan, Trainer, TrainerInfo, fed};
use engine::metric::{MeanLoss, Metric, MetricComponent as _};
use engine::model::ModelEntry;
use engine::optim::{Optim, PassInfo, Sgd};
use engine::phase::Phase;
use engine::random::SampleRng;
use engine::record::{Record, RowPhase};
use engine::run::{Context, RunState};
use tch::{Device, Kind, Tensor, nn};

/// Sequences of 1, 5, 2, 2 tokens; each token is the number of its sequence plus one.
struct Sentences(Padding);

const LENGTHS: [usize; 4] = [1, 5, 2, 2];

impl Dataset for Sentences {
    type Config = Padding;
    type Item = Sequence;

    fn open(padding: &Padding) -> Result<Self> {
        Ok(Sentences(*padding))
    }
    fn len(&self) -> usize {
        LENGTHS.len()
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Sequence> {
        let tokens = vec![(index + 1) as f32; LENGTHS[index]];
        Ok(Sequence::new(Tensor::from_slice(&tokens), self.0))
    }
}

/// The loss is the mean over tokens of weight × token, so its gradient is the mean token.
struct Mean {
    weight: Tensor,
    train: Loader<Sentences>,
    val: Loader<Sentences>,
    loss: Box<dyn Metric>,
}

impl Mean {
    fn mean(&self, batch: &Padded) -> Result<Output> {
        let mask = batch.mask()?.to_kind(Kind::Float);
        let losses = &batch.values * &self.weight * &mask;
        Ok((losses.sum(Kind::Float) / mask.sum(Kind::Float)).into())
    }
}

impl Batches for Mean {
    type Batch = Padded;
}

impl Slots for Mean {
    const SLOTS: &'static [SlotInfo] = &[];
    fn call(&mut self, _: usize, _: Phase, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

impl Trainer for Mean {
    const INFO: TrainerInfo =
        TrainerInfo { clock: Clock::Epoch, passes: PassInfo::PLAIN, loaders: [&["train"], &["val"], &[], &[]] };
    fn train_loader(&mut self, index: usize) -> Option<&mut dyn Source> {
        (index == 0).then_some(&mut self.train as _)
    }
    fn next_train_batch(&mut self) -> Result<Option<Padded>> {
        self.train.next_batch()
    }
    fn evaluated(role: Role, _: usize) -> Option<Box<dyn FedStep<Self, Output>>> {
        (role == Role::Val).then(|| fed(|mean: &mut Mean| Some(&mut mean.val), Mean::val_step))
    }
    fn train_step(&mut self, batch: &Padded, cx: &mut Context<'_>) -> Result<Output> {
        assert_eq!(cx.batch_weight(), batch.weight());
        self.mean(batch)
    }
    fn metrics(&mut self, each: &mut EachMetric<'_>) -> Result<()> {
        each("loss", self.loss.as_mut())
    }
    fn states(&mut self, _: &mut EachState<'_>) -> Result<()> {
        Ok(())
    }
}

impl Mean {
    fn val_step(&mut self, batch: &Padded, cx: &mut Context<'_>) -> Result<Output> {
        assert_eq!(cx.batch_weight(), batch.weight());
        self.mean(batch)
    }
}

/// What comes of an epoch of batches of two sequences.
struct Trained {
    /// The weight, which began at 1.
    weight: f64,
    /// The loss of a validation after it.
    val: f64,
    /// The mean loss of the epoch in its row.
    row: f64,
}

fn trained(weigh_tokens: bool, accumulate: u64) -> Trained {
    let config = LoaderConfig::new(Padding { weigh_tokens, ..Padding::default() }, 2);
    let open = |name| Loader::open(name, &config, 42).unwrap();
    let store = nn::VarStore::new(Device::Cpu);
    let weight = store.root().var("weight", &[], nn::Init::Const(1.0));
    let mut run = RunState::new(Clock::Epoch, Device::Cpu, 7);
    run.models.push(ModelEntry::new("net", store));
    let named = vec![("weight".into(), weight.shallow_clone())];
    run.updates.add(Optim::new("opt", &Sgd::new(0.1), named).unwrap());
    let loss = MeanLoss::build(&ron::from_str("()").unwrap());
    let mean = Mean { weight: weight.shallow_clone(), train: open("train"), val: open("val"), loss: Box::new(loss) };
    let train = TrainPlan { max_epochs: Some(1), accumulate, ..TrainPlan::default() };
    let plan = Plan { train, val: Some(every(1, Clock::Epoch)), ..Plan::default() };
    let mut program = Program::new(mean, Dispatcher::new(NoHooks, vec![], vec![]), plan, run);
    program.run(|program| program.train()).unwrap();
    assert_eq!(program.run.record().device_reads(), 0);
    // what no row has shown yet
    let mut record = Record::new(10);
    record.load_state(program.run.record().save_state()).unwrap();
    let row = record.read_window(RowPhase::Train).unwrap();
    let row = row.iter().find(|(name, _)| name == "loss").unwrap().1;
    Trained { weight: weight.double_value(&[]), val: program.run.metric("val/loss").unwrap(), row }
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-6
}

#[test]
fn a_validation_is_a_mean_over_tokens_or_over_sequences_as_the_batches_say() {
    let (tokens, sequences) = (trained(true, 1), trained(false, 1));
    assert_eq!(tokens.weight, sequences.weight);
    // 1 + 5·2 of 6 tokens, and 2·3 + 2·4 of 4
    assert!(close(tokens.val, tokens.weight * 25.0 / 10.0), "{}", tokens.val);
    assert!(close(sequences.val, sequences.weight * (11.0 / 6.0 + 14.0 / 4.0) / 2.0), "{}", sequences.val);
}

#[test]
fn the_gradient_of_an_iter_is_the_mean_over_all_its_tokens() {
    // 25 of 10 tokens in one update, and 11/6 and 14/4 where each sequence counts alike
    let weight = trained(true, 2).weight;
    assert!(close(weight, 1.0 - 0.1 * 25.0 / 10.0), "{weight}");
    let weight = trained(false, 2).weight;
    assert!(close(weight, 1.0 - 0.1 * (11.0 / 6.0 + 14.0 / 4.0) / 2.0), "{weight}");
}

#[test]
fn a_row_of_training_is_a_mean_over_tokens_or_over_sequences_as_the_batches_say() {
    // one update of both batches: the weight is 1 in both
    let (tokens, sequences) = (trained(true, 2).row, trained(false, 2).row);
    assert!(close(tokens, 25.0 / 10.0), "{tokens}");
    assert!(close(sequences, (11.0 / 6.0 + 14.0 / 4.0) / 2.0), "{sequences}");
}
