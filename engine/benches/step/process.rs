//! What a whole process costs: the seconds of one of ten steps, and the memory of one of many.

use engine::prelude::*;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Steps of the short process, and of the long one.
const SHORT: u64 = 10;
const LONG: u64 = 60_000;
const ROUNDS: usize = 7;

/// Measures both, and prints a line of JSON.
pub(crate) fn measure() -> Result<()> {
    let short = (0..ROUNDS).map(|_| steps(SHORT)).collect::<Result<Vec<_>>>()?;
    let long = steps(LONG)?;
    let mut seconds: Vec<f64> = short.iter().map(|run| run.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let last = |run: &Run, key: &str| run.lines.last().map_or(f64::NAN, |line| line[key].as_f64().unwrap_or(f64::NAN));
    let first = long.lines.first().map_or(f64::NAN, |line| line["now"].as_f64().unwrap_or(f64::NAN));
    println!(
        "{}",
        serde_json::json!({
            "seconds": seconds,
            "peak_mib": last(&short[0], "peak") / 1024.0,
            "after_100_mib": first / 1024.0,
            "after_60000_mib": last(&long, "now") / 1024.0,
        })
    );
    Ok(())
}

/// A process: how long it took by the clock, and its lines.
struct Run {
    seconds: f64,
    lines: Vec<serde_json::Value>,
}

fn steps(iters: u64) -> Result<Run> {
    let began = Instant::now();
    let output = Command::new(std::env::current_exe()?)
        .args(["steps", &iters.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("the bench can't start itself")?;
    let seconds = began.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(Error::msg("a process of the bench failed; what it said is above"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(Run { seconds, lines: text.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()? })
}
