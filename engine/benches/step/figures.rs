//! What was measured, as a table beside its bounds and as a picture.

use engine::prelude::*;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A ratio of two ways, and its bound.
struct Bound {
    work: &'static str,
    ours: &'static str,
    theirs: &'static str,
    most: Option<f64>,
    /// What it is, for a reader.
    text: &'static str,
}

const fn bound(work: &'static str, ours: &'static str, theirs: &'static str, most: f64, text: &'static str) -> Bound {
    Bound { work, ours, theirs, most: Some(most), text }
}

const fn unbound(work: &'static str, ours: &'static str, theirs: &'static str, text: &'static str) -> Bound {
    Bound { work, ours, theirs, most: None, text }
}

const BOUNDS: [Bound; 33] = [
    bound(
        "tiny",
        "engine",
        "foreach",
        0.92,
        "tiny step / loop by hand in Rust, updates counted as `_foreach_add_` does",
    ),
    unbound("tiny", "engine", "hand", "tiny step / loop by hand in Rust with the engine's kernels"),
    bound("tiny", "engine", "item", 0.37, "tiny step / PyTorch by hand, the loss read in every iter"),
    unbound("tiny", "engine", "eager", "tiny step / PyTorch by hand, the loss never read"),
    unbound("tiny", "engine", "ignite", "tiny step / Ignite"),
    bound("tiny", "engine", "mmengine", 0.16, "tiny step / MMEngine"),
    bound("tiny", "engine", "lightning", 0.08, "tiny step / Lightning"),
    bound("tiny", "rows", "engine", 1.05, "a row in every iter / a row every 50"),
    unbound("tiny", "hooks", "engine", "200 hooks more / the default hooks"),
    bound("conv", "engine", "item", 0.96, "small convolutions / PyTorch by hand"),
    unbound("conv", "engine", "hand", "small convolutions / loop by hand in Rust"),
    bound("gpt", "engine", "item", 0.97, "small GPT / PyTorch by hand"),
    unbound("gpt", "engine", "hand", "small GPT / loop by hand in Rust"),
    bound("adamw1000", "engine", "eager", 0.25, "AdamW over 1,000 tensors / PyTorch's, fused"),
    bound("adamw10000", "engine", "eager", 0.25, "AdamW over 10,000 tensors / PyTorch's, fused"),
    bound("optim_sgd", "engine", "eager", 1.0, "SGD with momentum over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_adam", "engine", "eager", 1.0, "Adam over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_adamw", "engine", "eager", 1.0, "AdamW over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_nadam", "engine", "eager", 1.0, "NAdam over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_radam", "engine", "eager", 1.0, "RAdam over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_adamax", "engine", "eager", 1.0, "Adamax over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_rmsprop", "engine", "eager", 1.0, "RMSprop over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_adagrad", "engine", "eager", 1.0, "Adagrad over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_adadelta", "engine", "eager", 1.0, "Adadelta over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_rprop", "engine", "eager", 1.0, "Rprop over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_adafactor", "engine", "eager", 1.0, "Adafactor over 1,000 matrices / PyTorch's, foreach"),
    bound("optim_muon", "engine", "eager", 1.0, "Muon over 1,000 matrices / PyTorch's"),
    bound("clip1000", "engine", "eager", 0.5, "clipping 1,000 gradients by the norm / PyTorch's"),
    bound("validation", "engine", "hand", 1.03, "validation / loop by hand in Rust without gradients"),
    unbound("validation", "engine", "eager", "validation / loop by hand in PyTorch without gradients"),
    bound("samples", "engine", "eager", 0.1, "samples in memory, no worker / DataLoader"),
    bound("samples", "workers", "processes", 0.1, "samples in memory, two threads / DataLoader, two processes"),
    unbound("samples", "workers", "eager", "samples in memory, two threads / DataLoader, no process"),
];

/// Writes `figures.md` and `tiny.svg` into a folder, from the files that `compare` and `process` wrote.
pub(crate) fn write(files: &[PathBuf], to: &Path) -> Result<()> {
    let mut found = Vec::new();
    let mut process = None;
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("`{}` can't be read", file.display()))?;
        match serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", file.display()))? {
            Value::Array(works) => found.extend(works),
            other => process = Some(other),
        }
    }
    std::fs::create_dir_all(to)?;
    let text = format!("{}\n{}", ratios(&found, process.as_ref()), times(&found));
    std::fs::write(to.join("figures.md"), text)?;
    if let Some(tiny) = found.iter().find(|work| work["net"] == "tiny") {
        std::fs::write(to.join("tiny.svg"), picture(tiny))?;
    }
    println!("written: `{}`", to.display());
    Ok(())
}

/// The rounds of a way: the processor's time, or the clock's where other processes do a part of the work.
fn rounds(found: &[Value], work: &str, way: &str) -> Option<Vec<f64>> {
    let work = found.iter().find(|found| found["net"] == work)?;
    let key = if work["net"] == "samples" { "wall_us" } else { "cpu_us" };
    work["ways"][way][key].as_array()?.iter().map(Value::as_f64).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A table of ratios: each round of ours over the same round of theirs.
fn ratios(found: &[Value], process: Option<&Value>) -> String {
    let mut text = "| what | bound | found | least..greatest |\n|---|---|---|---|\n".to_owned();
    for Bound { work, ours, theirs, most, text: what } in BOUNDS {
        let (Some(ours), Some(theirs)) = (rounds(found, work, ours), rounds(found, work, theirs)) else { continue };
        let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = ratios.iter().copied().fold(0.0, f64::max);
        line(&mut text, what, most.map(|most| (most, 3)), median(ratios), &format!("{least:.3}..{greatest:.3}"));
    }
    if let (Some(with), Some(without)) = (rounds(found, "tiny", "hooks"), rounds(found, "tiny", "engine")) {
        let more = median(with) - median(without);
        line(&mut text, "200 hooks that do nothing, µs in an iter", Some((5.0, 2)), more, "");
    }
    if let Some(process) = process {
        let seconds: Vec<f64> = process["seconds"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        let spread = match seconds.as_slice() {
            [least, .., greatest] => format!("{least:.2}..{greatest:.2}"),
            _ => String::new(),
        };
        let number = |key: &str| process[key].as_f64().unwrap_or(f64::NAN);
        line(&mut text, "process of 10 steps, seconds", Some((0.25, 2)), median(seconds), &spread);
        line(&mut text, "its memory at most, MiB", Some((150.0, 1)), number("peak_mib"), "");
        let grown = number("after_60000_mib") / number("after_100_mib");
        line(&mut text, "memory after 60,000 iters / after 100", Some((1.01, 3)), grown, "");
    }
    text
}

/// A line of the table: what, the bound with its digits, and what was found.
fn line(text: &mut String, what: &str, most: Option<(f64, usize)>, found: f64, spread: &str) {
    let digits = most.map_or(3, |(_, digits)| digits);
    let (most, kept) = match most {
        Some((most, _)) => (format!("≤ {most}"), if found <= most { "" } else { " (missed)" }),
        None => (String::new(), ""),
    };
    let _ = writeln!(text, "| {what} | {most} | {found:.digits$}{kept} | {spread} |");
}

/// A table of all ways: microseconds of an iter.
fn times(found: &[Value]) -> String {
    let mut text =
        "| work | way | µs of processor | µs by the clock | per second | last loss |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for work in found {
        let (name, unit) = (work["net"].as_str().unwrap_or_default(), work["unit"].as_str().unwrap_or_default());
        for (way, numbers) in work["ways"].as_object().into_iter().flatten() {
            let of = |key: &str| -> Vec<f64> {
                numbers[key].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
            };
            let wall = median(of("wall_us"));
            if wall.is_nan() {
                let _ = writeln!(text, "| {name} | {way} | not measured | | | |");
                continue;
            }
            let rate = work["per_iter"].as_f64().unwrap_or(f64::NAN) * 1e6 / wall;
            let loss = of("loss").last().copied().unwrap_or(f64::NAN);
            let _ = writeln!(
                text,
                "| {name} | {way} | {:.1} | {wall:.1} | {rate:.0} {unit} | {loss:.6} |",
                median(of("cpu_us"))
            );
        }
    }
    text
}

const WIDTH: f64 = 720.0;
const LEFT: f64 = 250.0;
const BAR: f64 = 26.0;

/// Bars of the tiny step, one a way.
fn picture(tiny: &Value) -> String {
    const NAMES: [(&str, &str); 7] = [
        ("engine", "this engine, default hooks"),
        ("hand", "by hand in Rust"),
        ("eager", "by hand in PyTorch, loss not read"),
        ("item", "by hand in PyTorch, loss read"),
        ("ignite", "Ignite"),
        ("mmengine", "MMEngine"),
        ("lightning", "Lightning"),
    ];
    let found = std::slice::from_ref(tiny);
    let bars: Vec<(&str, f64)> =
        NAMES.iter().filter_map(|(way, name)| Some((*name, median(rounds(found, "tiny", way)?)))).collect();
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    let height = BAR * bars.len() as f64 + 44.0;
    let mut text = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">
<title>Processor time of one tiny training step</title>
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
<text x="12" y="22" fill="#222222">64-128-10, batch 64, fused AdamW, one thread: µs of processor time in an iter</text>
"##
    );
    for (place, (name, value)) in bars.iter().enumerate() {
        let y = 36.0 + BAR * place as f64;
        let (wide, middle) = ((WIDTH - LEFT - 70.0) * value / most, y + 15.0);
        let (fill, end) = (if place == 0 { "#0072b2" } else { "#999999" }, LEFT + wide + 6.0);
        let _ = writeln!(
            text,
            r##"<text x="{x}" y="{middle}" text-anchor="end" fill="#222222">{name}</text><rect x="{LEFT}" y="{y}" width="{wide:.1}" height="20" fill="{fill}"/><text x="{end:.1}" y="{middle}" fill="#222222">{value:.0}</text>"##,
            x = LEFT - 8.0
        );
    }
    text + "</svg>\n"
}
