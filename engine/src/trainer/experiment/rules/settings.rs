//! The sections that every trainer has: the plan is on the trainer's clock, and counts count something.

use crate::base::Clock;
use crate::base::suggest::meant;
use crate::config::{Diagnostic, Kind, Node, ValuePath};
use crate::hook::HookSet as _;
use crate::loops::{ENDLESS_EPOCH, EpochLoader, Loaders, Role, StepMode, Trainer, TrainerInfo};
use crate::native;
use crate::optim::{Clip, NonFinite};
use crate::trainer::experiment::misplaced::variable;
use crate::trainer::experiment::purpose::Purpose;
use crate::trainer::experiment::sections::Sections;
use crate::trainer::experiment::settings::{DeviceChoice, TrainSettings, ValSettings};
use crate::trainer::{Build, EngineHooksOf, Reader, RunName};
use crate::weights::WeightsFrom;

pub(super) fn check<T: Build>(reader: &mut Reader<'_>, found: &Sections<T>, loaders: &Loaders, purpose: Purpose) {
    let name = found.name.as_ref().map(RunName::text);
    // one with a `$` before it is told below, with what to write instead
    let mistake = found.name.as_ref().filter(|name| variable(name.text()).is_none()).and_then(RunName::mistake);
    if let Some(mistake) = mistake {
        reader.error("name", mistake);
    }
    let work_dir = found.work_dir.as_deref().and_then(std::path::Path::to_str);
    for (path, text) in [("name", name), ("work_dir", work_dir)] {
        if let Some(name) = text.and_then(variable) {
            let help = format!("a variable of the environment is written `{path}: Env(\"{name}\")`");
            let span = ValuePath::to(path).find(reader.root()).span;
            let message = format!("`${{{name}}}` is not replaced in an experiment");
            reader.mistake(Diagnostic::new(span, message).help(help).at(path));
        }
    }
    for (index, rule) in found.init.iter().flatten().enumerate() {
        if let Err(why) = rule.with.check() {
            reader.error(&format!("init.{index}.with"), why);
        }
    }
    for weights in found.weights.iter().flatten() {
        for (field, why) in weights.from.iter().flat_map(WeightsFrom::mistakes) {
            let dot = if field.is_empty() { "" } else { "." };
            reader.error(&format!("{}{dot}{field}", weights.path), why);
        }
    }
    if let (Purpose::Run, Some(device)) = (purpose, found.device) {
        check_device(reader, device);
    }
    let threads = found.threads.flatten().map(|threads| threads as u64);
    at_least_one(reader, "threads", threads);
    if let Some(threads) = threads.filter(|threads| *threads > MOST_THREADS) {
        // libgomp ends the process when the system gives it no more threads
        reader.error("threads", format!("`threads` must be at most {MOST_THREADS}, got {threads}"));
    }
    if let Some(train) = &found.train {
        check_train::<T>(reader, train);
        if let (Some(Some(_)), StepMode::CudaGraph { .. }) = (&found.step_processor, train.step) {
            let text =
                "a step processor computes eagerly, so it does not go with `step: CudaGraph()`; remove one of the two";
            reader.error("step_processor", text);
        }
    }
    if let Some(val) = &found.val {
        check_val(reader, val, T::INFO, loaders);
    }
}

/// Whether the plan of a training says how long it is.
pub(super) fn sound(clock: Clock, train: &TrainSettings) -> bool {
    let zero = counts(train).iter().any(|(_, count)| *count == Some(0));
    let planned = match clock {
        Clock::Epoch => train.max_epochs.is_some(),
        _ => train.max_iters.or(train.max_samples).is_some() && train.max_epochs.is_none(),
    };
    planned && !zero
}

fn counts(train: &TrainSettings) -> [(&'static str, Option<u64>); 6] {
    [
        ("train.max_epochs", train.max_epochs),
        ("train.max_iters", train.max_iters),
        ("train.max_samples", train.max_samples),
        ("train.accumulate", Some(train.accumulate)),
        ("train.batches_per_epoch", train.batches_per_epoch),
        ("train.overfit", train.overfit),
    ]
}

/// More threads than any machine has use for in one operator.
const MOST_THREADS: u64 = 1024;

/// The most batches of one update. They are read before its first forward pass.
const MOST_ACCUMULATED: u64 = 65_536;

fn check_train<T: Trainer>(reader: &mut Reader<'_>, train: &TrainSettings) {
    match T::CLOCK {
        Clock::Epoch if train.max_epochs.is_none() => {
            reader.error("train", "missing field `max_epochs`: the trainer is `by_epoch`");
        }
        Clock::Iter if train.max_iters.is_none() && train.max_epochs.is_none() && train.max_samples.is_none() => {
            reader.error("train", "missing field `max_iters`: the trainer is `by_iter`");
        }
        Clock::Iter if train.max_iters.is_some() && train.max_samples.is_some() => {
            reader.error("train.max_samples", "`max_iters` and `max_samples` both set the length; keep one");
        }
        Clock::Epoch if train.max_samples.is_some() => {
            let text = "the trainer is `by_epoch`, so its plan is counted in epochs; use `max_epochs`";
            reader.error("train.max_samples", text);
        }
        _ => {}
    }
    if T::CLOCK == Clock::Iter && train.max_epochs.is_some() {
        let text = "the trainer is `by_iter`, so its plan is counted in iters; use `max_iters`";
        reader.error("train.max_epochs", text);
    }
    if T::CLOCK == Clock::Iter && train.batches_per_epoch.is_some() {
        let text = "the trainer is `by_iter`, it has no epochs to count; remove this";
        reader.error("train.batches_per_epoch", text);
    }
    for (path, count) in counts(train) {
        at_least_one(reader, path, count);
    }
    if train.accumulate > MOST_ACCUMULATED {
        let (most, accumulate) = (MOST_ACCUMULATED, train.accumulate);
        let text = format!(
            "`accumulate` must be at most {most}, got {accumulate}: the batches of an update are in memory together"
        );
        reader.error("train.accumulate", text);
    } else if let (Clock::Epoch, Some(batches @ 1..)) = (T::CLOCK, train.batches_per_epoch)
        && train.accumulate > batches
    {
        let accumulate = train.accumulate;
        let text = format!(
            "`accumulate` is {accumulate}, but an epoch has {batches} batches (`batches_per_epoch`) and an update never spans two epochs; use at most {batches}"
        );
        reader.error("train.accumulate", text);
    }
    if let StepMode::CudaGraph { warmup } = train.step
        && warmup < StepMode::LEAST_WARMUP
    {
        let text = format!("`warmup` must be at least {}, got {warmup}", StepMode::LEAST_WARMUP);
        reader.error("train.step", text);
    }
    if train.precision.scales_loss() && train.non_finite == NonFinite::Stop {
        let text = "`Stop` does not go with `precision: F16`: its loss is scaled, and a scale that is too large makes gradients infinite, which is how it is found; such updates are left out and counted anyway, so remove this";
        reader.error("train.non_finite", text);
    }
    if let Some(Err(error)) = train.clip.as_ref().map(Clip::check) {
        reader.error("train.clip", error.to_string());
    }
}

fn check_val(reader: &mut Reader<'_>, val: &ValSettings, trainer: TrainerInfo, loaders: &Loaders) {
    if trainer.loaders(Role::Val).is_empty() && reader.root().get("val").is_some() {
        reader.error("val", "the trainer has no `#[loader(val)]`, so there is nothing to validate; remove this");
        return;
    }
    if !loaders.has(Role::Val) && reader.root().get("val").is_some() {
        let names = trainer.loaders(Role::Val).join("`, `loaders.");
        let text = format!(
            "this experiment has no `loaders.{names}`, so there is nothing to validate; add it, or remove this"
        );
        reader.error("val", text);
        return;
    }
    at_least_one(reader, "val.interval", val.interval);
    for (index, (_, interval)) in val.dynamic_intervals.iter().enumerate() {
        if *interval == 0 {
            let path = format!("val.dynamic_intervals.{index}.1");
            reader.error(&path, "an interval must be at least 1, got 0");
        }
    }
    for (index, pair) in val.dynamic_intervals.windows(2).enumerate() {
        let ((earlier, _), (later, _)) = (pair[0], pair[1]);
        if later <= earlier {
            let path = format!("val.dynamic_intervals.{}.0", index + 1);
            let text =
                format!("milestone {later} comes after milestone {earlier}; each must be later than the one before");
            reader.error(&path, text);
        }
    }
}

/// Whether the plan has no validation at all, as far as it is known without the data. Who chooses a training loop may
/// validate when they like.
pub(super) fn ends_before_its_first_validation<T: Build>(found: &Sections<T>, loaders: &Loaders) -> bool {
    let (Some(train), Some(val), Some(None)) = (&found.train, &found.val, &found.train_loop) else { return false };
    let plan = val.plan(T::CLOCK);
    let last = match plan.by {
        Clock::Epoch => train.max_epochs,
        Clock::Iter => train.max_iters,
        Clock::Sample => train.max_samples,
    };
    loaders.has(Role::Val) && last.is_some_and(|last| !plan.is_ever_due(last))
}

/// A loop that takes all batches of a loader needs one that ends.
pub(super) fn check_loaders<T: Trainer>(reader: &mut Reader<'_>, endless: &[&str]) {
    for role in [Role::Val, Role::Test, Role::Predict] {
        let text = format!(
            "the {} loader never ends; use a sampler other than `Infinite`, or for a stream set its `samples`",
            role.name()
        );
        for name in T::loaders(role).iter().filter(|name| is_endless(endless, name)) {
            reader.error(&format!("loaders.{name}.sampler"), text.as_str());
        }
    }
}

/// An epoch ends with a pass of the train loader that makes it.
pub(super) fn check_epoch<T: Trainer>(
    reader: &mut Reader<'_>,
    endless: &[&str],
    chosen: Option<&EpochLoader>,
    train: Option<&TrainSettings>,
) {
    let loaders = T::loaders(Role::Train);
    if let Some(EpochLoader::Named(name)) = chosen
        && !loaders.contains(&name.as_str())
    {
        reader.error("epoch_loader.0", format!("there is no train loader `{name}`{}", meant(name, loaders)));
        return;
    }
    if T::CLOCK == Clock::Iter || train.is_none_or(|train| train.batches_per_epoch.is_some()) {
        return;
    }
    let without_end = match chosen {
        Some(EpochLoader::Named(name)) if is_endless(endless, name) => Some(name.as_str()),
        Some(EpochLoader::Named(_)) => None,
        // of several the longest or shortest one that ends
        _ => loaders.first().copied().filter(|_| loaders.iter().all(|name| is_endless(endless, name))),
    };
    if let Some(name) = without_end {
        reader.error(&format!("loaders.{name}.sampler"), ENDLESS_EPOCH);
    }
}

fn is_endless(endless: &[&str], loader: &str) -> bool {
    endless.iter().any(|path| path.strip_prefix("loaders.") == Some(loader))
}

/// The hooks that every run has are set, not added: two would write each row and each checkpoint twice.
pub(super) fn check_custom_hooks<T: Build>(reader: &mut Reader<'_>) {
    let Some(Node { kind: Kind::Seq(hooks), .. }) = reader.root().get("custom_hooks") else { return };
    for (index, name) in hooks.iter().enumerate().filter_map(|(index, hook)| Some((index, hook.name()?))) {
        if let Some(key) = EngineHooksOf::<T>::key_of(name) {
            let text = format!("`{name}` is part of every run; its settings are those of `hooks: ({key}: (..))`");
            reader.error(&format!("custom_hooks.{index}"), text);
        }
    }
}

/// The device is asked for where libtorch sees all that it could.
fn check_device(reader: &mut Reader<'_>, device: DeviceChoice) {
    // the others are always there
    let DeviceChoice::Cuda(_) = device else { return };
    let loaded = native::load_accelerator().map_err(|error| error.to_string());
    if let Err(text) = loaded.and_then(|_| device.resolve()) {
        reader.error("device", text);
    }
}

fn at_least_one(reader: &mut Reader<'_>, path: &str, count: Option<u64>) {
    if count == Some(0) {
        let field = path.rsplit('.').next().unwrap_or(path);
        reader.error(path, format!("`{field}` must be at least 1, got 0"));
    }
}
