//! What a profile shows: tables of what phases, hooks, operators and kernels cost, and a trace.

use crate::base::spans::{Span, SpanKind};
use crate::base::{Error, Result};
use crate::native::{OperatorProfile, OperatorTime};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// A profile that is being taken.
pub(super) struct Profile {
    pub(super) operators: OperatorProfile,
    pub(super) began: Instant,
    pub(super) first: u64,
}

/// Where a profile is: the iters that this process has begun, and the profile under way.
#[derive(Default)]
pub(super) struct Profiling {
    pub(super) begun: u64,
    pub(super) under_way: Option<Profile>,
}

/// Writes spans into a trace of libtorch, which counts from a time that it tells at its begin.
pub(super) fn add_spans(path: &Path, spans: &[Span]) -> Result<()> {
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
pub(super) fn report(spans: &[Span], operators: &[OperatorTime], iters: u64, took: Duration) -> String {
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
