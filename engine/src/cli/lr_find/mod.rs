//! `lr-find`: the loss over a rising learning rate, as a picture, and a learning rate that it suggests.

mod text;

use crate::base::Result;
use crate::cli::experiment_args::ExperimentArgs;
use crate::cli::failure::Failure;
use crate::cli::loaded::Loaded;
use crate::cli::out;
use crate::cli::plot::frame::{Curve, Frame};
use crate::cli::plot::{columns, dots, svg};
use crate::cli::target::Target;
use crate::readers::Point;
use crate::trainer::{Build, HIGHEST_RATE, LrCurve, LrEnd, LrPoint, LrSearch, Purpose, run_lr_find};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often a search says how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

/// What is tried.
#[derive(Debug, clap::Args)]
pub(super) struct LrFindArgs {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// The learning rate of the first update
    #[arg(long, value_name = "LR", default_value_t = 1e-7, value_parser = rate)]
    from: f64,
    /// The learning rate of the last update
    #[arg(long, value_name = "LR", default_value_t = 10.0, value_parser = rate)]
    to: f64,
    /// How many updates; each multiplies the rate by the same factor
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    updates: u64,
    /// The optimizer whose rate rises, where the trainer has several; the loss is that of the pass that steps it
    #[arg(long, value_name = "NAME")]
    optimizer: Option<String>,
    /// Draws the picture into an SVG file too; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_normal() && rate > 0.0 && rate <= HIGHEST_RATE => Ok(rate),
        _ => Err(format!("expected a number above 0 and up to {HIGHEST_RATE:e}, such as 1e-5")),
    }
}

/// Searches, draws and suggests. The exit code is that of a signal that has ended it.
pub(super) fn run<T: Build>(args: &LrFindArgs) -> Result<ExitCode, Failure> {
    if args.from >= args.to {
        return Err(Failure::Usage(format!("`--from {}` has to be below `--to {}`", args.from, args.to)));
    }
    let loaded = Loaded::<T>::read(&args.experiment, Purpose::Run)?;
    let name = loaded.experiment.name.text().to_owned();
    let search = LrSearch { from: args.from, to: args.to, updates: args.updates, optimizer: args.optimizer.clone() };
    let svg = args.svg.as_ref().map(|path| Target::checked(path, &loaded.inputs())).transpose()?;
    let (mut told, updates) = (Instant::now(), args.updates);
    let tell = move |points: &[LrPoint]| {
        if let Some(last) = points.last().filter(|_| told.elapsed() >= PROGRESS) {
            out::error_line(text::progress(points.len(), updates, last));
            told = Instant::now();
        }
    };
    let curve = loaded.used_by(|experiment| run_lr_find(experiment, &search, tell))?;
    curve.told.iter().try_for_each(out::line)?;
    out::line(text::head(&curve, &search))?;
    let drawn = drawn(&curve);
    if let Some(drawn) = &drawn {
        out::text(dots::drawn(drawn, "learning rate", columns()))?;
    }
    text::result(&curve).iter().try_for_each(out::line)?;
    // last: what the work was for is printed, whatever the disk does
    if let (Some(drawn), Some(target)) = (drawn, svg) {
        let path = target.path.clone();
        target.write(svg::document(&name, &[drawn], "learning rate").as_bytes())?;
        out::line(format_args!("the picture is in {}", path.display()))?;
    }
    Ok(match curve.end {
        LrEnd::Signal(signal) => ExitCode::from(signal.exit_code()),
        _ => ExitCode::SUCCESS,
    })
}

/// The smoothed loss over the logarithm of the rate; the suggestion is marked.
fn drawn(curve: &LrCurve) -> Option<Curve> {
    let across = |place: usize| curve.points[place].lr.log10();
    let smoothed = curve.smoothed();
    let points: Vec<Point> = smoothed.iter().enumerate().map(|(place, &y)| Point { x: across(place), y }).collect();
    let frame = Frame { log_x: true, ..Frame::of(&points, false)? };
    let name = format!("smoothed loss of {}", curve.loss_of);
    Some(Curve { name, points, frame, mark: curve.steepest().map(across) })
}
