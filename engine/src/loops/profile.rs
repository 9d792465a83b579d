//! A profile of some iters: what phases, hooks, operators and kernels cost, as tables and as a trace.

use crate::base::spans::{self, Span, SpanKind};
use crate::base::{Error, ErrorContext as _, Result};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::native::{OperatorProfile, OperatorTime};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};
use tch::Device;

/// The iters that are profiled: both ends included, counted from 1 in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileWindow {
    from: u64,
    to: u64,
}

impl ProfileWindow {
    /// More iters than this make a trace that no viewer opens.
    const MOST: u64 = 10_000;
}

/// `11..20`.
impl FromStr for ProfileWindow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no range of iters; write `11..20`, both included and counted from 1");
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let window = ProfileWindow { from: number(from)?, to: number(to)? };
        if window.from == 0 || window.to < window.from {
            return Err(wrong());
        }
        match window.to - window.from < Self::MOST {
            true => Ok(window),
            false => Err(format!("`{text}` has too many iters for one trace; at most {} fit", Self::MOST)),
        }
    }
}

/// A profile that is being taken.
pub(super) struct Profile {
    operators: OperatorProfile,
    began: Instant,
    first: u64,
}

/// Where a profile is: the iters that this process has begun, and the profile under way.
#[derive(Default)]
pub(super) struct Profiling {
    begun: u64,
    under_way: Option<Profile>,
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Begins the profile before its first iter.
    pub(super) fn profile_before_iter(&mut self) -> Result<()> {
        let Some(window) = self.plan.train.profile else { return Ok(()) };
        self.profiling.begun += 1;
        if self.profiling.begun != window.from {
            return Ok(());
        }
        synchronize(self.run.device);
        let operators = OperatorProfile::begin(self.run.device).map_err(Error::new);
        let operators = operators.context("the profile can't be taken")?;
        self.hooks.call_by_table(true);
        spans::begin();
        let first = self.run.clocks.iter.get() + 1;
        self.profiling.under_way = Some(Profile { operators, began: Instant::now(), first });
        Ok(())
    }

    /// Ends the profile after its last iter, or at the end of the training.
    pub(super) fn profile_after_iter(&mut self, training_ends: bool) -> Result<()> {
        let Some(window) = self.plan.train.profile else { return Ok(()) };
        if self.profiling.begun < window.to && !training_ends {
            return Ok(());
        }
        let Some(profile) = self.profiling.under_way.take() else { return Ok(()) };
        synchronize(self.run.device);
        let took = profile.began.elapsed();
        let (spans, last) = (spans::end(), self.run.clocks.iter.get());
        self.hooks.call_by_table(false);
        let path = self.profile_path(profile.first, last)?;
        let operators = profile.operators.end(&path)?;
        add_spans(&path, &spans).with_context(|| format!("the trace `{}` can't be written", path.display()))?;
        let iters = last + 1 - profile.first;
        let text = report(&spans, &operators, iters, took);
        let path = path.display();
        self.run.say(&format!(
            "profile of the iters {} to {last}; the trace is in {path}, to be opened in ui.perfetto.dev or chrome://tracing",
            profile.first
        ))?;
        text.lines().try_for_each(|line| self.run.say(line))
    }

    /// `profile/iters_11-20.json` in the run's folder.
    fn profile_path(&self, first: u64, last: u64) -> Result<PathBuf> {
        let folder = self.run.storage.folder.as_ref();
        let folder = folder.ok_or_else(|| Error::msg("a profile needs a run with a folder"))?.path().join("profile");
        std::fs::create_dir_all(&folder).with_context(|| format!("can't create `{}`", folder.display()))?;
        Ok(folder.join(format!("iters_{first}-{last}.json")))
    }
}

fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
}

/// Writes spans into a trace of libtorch, which counts from a time that it tells at its begin.
fn add_spans(path: &Path, spans: &[Span]) -> Result<()> {
    const EVENTS: &str = "\"traceEvents\": [";
    const BASE: &str = "\"baseTimeNanoseconds\": ";
    let mut trace = BufReader::new(File::open(path)?);
    let mut head = vec![0; 1 << 16];
    let mut read = 0;
    while read < head.len() {
        match trace.read(&mut head[read..])? {
            0 => break,
            more => read += more,
        }
    }
    head.truncate(read);
    let text = String::from_utf8_lossy(&head);
    let unknown = || Error::msg("libtorch has written a trace of another form");
    let events = text.find(EVENTS).ok_or_else(unknown)? + EVENTS.len();
    let base = &text[text.find(BASE).ok_or_else(unknown)? + BASE.len()..];
    let base: u64 = base.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("").parse().map_err(|_| unknown())?;
    let longer = path.with_extension("part");
    let mut out = BufWriter::new(File::create(&longer)?);
    out.write_all(&head[..events])?;
    let pid = std::process::id();
    let mut threads = BTreeMap::new();
    for span in spans {
        threads.insert(span.thread, &span.thread_name);
        let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
        let event = serde_json::json!({
            "ph": "X", "cat": category(span.what), "name": span.name, "pid": pid, "tid": span.thread,
            "ts": micros(span.began.saturating_sub(Duration::from_nanos(base))), "dur": micros(span.took),
        });
        write!(out, "\n{event},")?;
    }
    for (thread, name) in threads {
        let event = serde_json::json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": thread, "args": { "name": name } });
        write!(out, "\n{event},")?;
    }
    out.write_all(&head[events..])?;
    std::io::copy(&mut trace, &mut out)?;
    out.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    Ok(std::fs::rename(&longer, path)?)
}

fn category(what: SpanKind) -> &'static str {
    match what {
        SpanKind::Phase => "phase",
        SpanKind::Hook => "hook",
        SpanKind::Step => "step",
        SpanKind::Data => "data",
        SpanKind::Checkpoint => "checkpoint",
    }
}

/// How many operators and kernels are shown.
const SHOWN: usize = 15;

/// The tables, as text.
fn report(spans: &[Span], operators: &[OperatorTime], iters: u64, took: Duration) -> String {
    let mut text = format!("  {} an iter, with what the profiler itself costs\n", milliseconds(took, iters));
    // by kind and name; data and checkpoints may be made on other threads, beside the iter
    let mut sums: BTreeMap<(SpanKind, &str), (u64, Duration)> = BTreeMap::new();
    for span in spans {
        let sum = sums.entry((span.what, &*span.name)).or_default();
        *sum = (sum.0 + 1, sum.1 + span.took);
    }
    let mut parts: Vec<_> = sums.into_iter().collect();
    parts.sort_by(|a, b| a.0.0.cmp(&b.0.0).then(b.1.1.cmp(&a.1.1)));
    let parts =
        parts.into_iter().map(|((what, name), (count, total))| (format!("{} {name}", category(what)), count, total));
    table(&mut text, "part", parts, iters, took);
    for (on_device, title) in [(false, "operator, own time on the host"), (true, "kernel, time on the device")] {
        let found = operators.iter().filter(|operator| operator.on_device == on_device && !operator.own.is_zero());
        let found: Vec<&OperatorTime> = found.collect();
        if found.is_empty() {
            continue;
        }
        let rows = found.iter().take(SHOWN).map(|operator| (short(&operator.name), operator.count, operator.own));
        table(&mut text, title, rows, iters, took);
        if found.len() > SHOWN {
            let rest: Duration = found[SHOWN..].iter().map(|operator| operator.own).sum();
            let _ = writeln!(text, "  and {} more: {} an iter", found.len() - SHOWN, milliseconds(rest, iters));
        }
    }
    text
}

fn table(
    text: &mut String,
    title: &str,
    rows: impl Iterator<Item = (String, u64, Duration)>,
    iters: u64,
    took: Duration,
) {
    let _ = writeln!(text, "  {title:<58} {:>11} {:>12} {:>6}", "calls/iter", "an iter", "share");
    for (name, count, total) in rows {
        let calls = count as f64 / iters.max(1) as f64;
        let share = 100.0 * total.as_secs_f64() / took.as_secs_f64().max(1e-9);
        let _ = writeln!(text, "  {name:<58} {calls:>11.1} {:>12} {share:>5.1}%", milliseconds(total, iters));
    }
}

fn milliseconds(time: Duration, iters: u64) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3 / iters.max(1) as f64)
}

/// The name of a kernel may have thousands of letters.
fn short(name: &str) -> String {
    const MOST: usize = 58;
    match name.char_indices().nth(MOST) {
        None => name.to_owned(),
        Some(_) => name.chars().take(MOST - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_both_ends_and_begins_with_one() {
        assert_eq!("11..20".parse(), Ok(ProfileWindow { from: 11, to: 20 }));
        assert_eq!("3..3".parse(), Ok(ProfileWindow { from: 3, to: 3 }));
        for wrong in ["", "11", "0..3", "5..4", "a..b", "1...3", "-1..2"] {
            assert!(wrong.parse::<ProfileWindow>().unwrap_err().contains("write `11..20`"), "{wrong}");
        }
        assert!("1..99999".parse::<ProfileWindow>().unwrap_err().contains("at most 10000"));
    }

    #[test]
    fn a_trace_of_another_form_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace.json");
        std::fs::write(&path, "{}").unwrap();
        assert!(add_spans(&path, &[]).unwrap_err().to_string().contains("another form"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");
    }

    #[test]
    fn the_report_sums_by_name_and_shows_the_slowest_first() {
        let span = |what, name: &'static str, micros| Span {
            what,
            name: name.into(),
            thread: 1,
            thread_name: "main".into(),
            began: Duration::ZERO,
            took: Duration::from_micros(micros),
        };
        let spans = [
            span(SpanKind::Step, "update", 100),
            span(SpanKind::Step, "train_step", 300),
            span(SpanKind::Step, "update", 100),
        ];
        let operator = |name: &str, on_device, micros| OperatorTime {
            name: name.to_owned(),
            on_device,
            count: 4,
            total: Duration::from_micros(micros),
            own: Duration::from_micros(micros),
        };
        let text = report(
            &spans,
            &[operator("aten::mm", false, 250), operator("gemm", true, 50)],
            2,
            Duration::from_millis(1),
        );
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(lines[0], "0.500 ms an iter, with what the profiler itself costs");
        assert!(lines[2].starts_with("step train_step") && lines[2].ends_with("0.5     0.150 ms  30.0%"), "{text}");
        assert!(lines[3].starts_with("step update") && lines[3].ends_with("1.0     0.100 ms  20.0%"), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("aten::mm") && line.ends_with("0.125 ms  25.0%")), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("gemm") && line.ends_with("0.025 ms   5.0%")), "{text}");
    }
}
