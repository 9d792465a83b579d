//! `plot`: curves of a run in the terminal, or as SVG.

pub(super) mod dots;
pub(super) mod frame;
pub(super) mod svg;

use crate::base::Result;
use crate::base::suggest::did_you_mean;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::runs::{found, shown};
use crate::cli::target::Target;
use crate::readers::{Axis, Locks, Picture, Point, RunReader, smoothed};
use clap::ValueEnum;
use frame::{Curve, Frame};
use std::path::PathBuf;

/// What is drawn.
#[derive(Debug, clap::Args)]
pub(super) struct PlotArgs {
    /// The run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Metrics by their full names: `train/loss`, `val/accuracy`
    #[arg(required = true, value_name = "METRIC")]
    metrics: Vec<String>,
    /// The horizontal axis: `iter`, `epoch` or `time`
    #[arg(long, value_enum, default_value_t, hide_possible_values = true, value_name = "AXIS")]
    over: Over,
    /// Smooth with this weight for what was before, from 0 to 1
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.0, hide_default_value = true, value_parser = weight)]
    smooth: f64,
    /// A logarithmic vertical axis
    #[arg(long)]
    log: bool,
    /// Write an SVG file instead of printing; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// `--over`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Over {
    // no doc comments: the option's help says all
    #[default]
    Iter,
    Epoch,
    Time,
}

impl Over {
    fn axis(self) -> (Axis, &'static str) {
        match self {
            Over::Iter => (Axis::Iter, "iter"),
            Over::Epoch => (Axis::Epoch, "epoch"),
            Over::Time => (Axis::Time, "seconds"),
        }
    }
}

fn weight(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(weight) if (0.0..1.0).contains(&weight) => Ok(weight),
        _ => Err("expected a number from 0 to 1, such as 0.9".to_owned()),
    }
}

/// Columns of pixels of an SVG.
const SVG_COLUMNS: usize = 600;
/// Columns where the output is no terminal.
const COLUMNS: usize = 80;
const MOST_COLUMNS: usize = 160;
/// Metrics that a message names.
const MOST_NAMED: usize = 20;

/// Draws the metrics, one below the other.
pub(super) fn plot(args: &PlotArgs) -> Result<(), Failure> {
    let folder = match found(&args.run)?.as_slice() {
        [one] => one.clone(),
        several => {
            let text = format!("`{}` holds {} runs; name one of them", args.run.display(), several.len());
            return Err(Failure::Usage(text));
        }
    };
    let mut run = RunReader::new(folder);
    run.read_all(&Locks::read());
    let columns = columns();
    let width = if args.svg.is_some() { SVG_COLUMNS } else { columns * 2 };
    let (axis, axis_name) = args.over.axis();
    let curves =
        args.metrics.iter().map(|metric| curve(&run, metric, axis, args, width)).collect::<Result<Vec<_>, _>>()?;
    match &args.svg {
        Some(path) => {
            let text = svg::document(&run.name(), &curves, axis_name);
            Target::checked(path, &[])?.write(text.as_bytes())?;
        }
        None => {
            for curve in &curves {
                out::line(shown(&curve.name))?;
                out::text(dots::drawn(curve, axis_name, columns))?;
            }
        }
    }
    Ok(())
}

/// The columns of a picture in the terminal.
pub(super) fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| (width.0 as usize).min(MOST_COLUMNS))
}

fn curve(run: &RunReader, metric: &str, axis: Axis, args: &PlotArgs, columns: usize) -> Result<Curve, Failure> {
    let Some((group, series)) = run.rows().find(metric) else {
        let keys: Vec<String> = run.rows().keys().collect();
        let meant = did_you_mean(metric, keys.iter().map(String::as_str));
        let help = match (meant, keys.is_empty()) {
            (Some(meant), _) => format!("did you mean `{}`?", shown(meant)),
            (None, true) => "it has no rows yet".to_owned(),
            (None, false) => {
                let named: Vec<String> = keys.iter().take(MOST_NAMED).map(|key| shown(key)).collect();
                let more = match keys.len() - named.len() {
                    0 => String::new(),
                    more => format!(" and {more} more, which `runs --json` lists"),
                };
                format!("it has `{}`{more}", named.join("`, `"))
            }
        };
        return Err(Failure::Usage(format!("the run has no metric `{}`; {help}", shown(metric))));
    };
    let places = series.places(group, axis, run.rows().iters_per_epoch());
    let values = smoothed(series.values(), args.smooth);
    let points = places.zip(values).map(|(x, y)| Point { x, y });
    let picture = Picture::new(points, f64::NEG_INFINITY, f64::INFINITY, columns);
    let frame = Frame::of(&picture.points, args.log).ok_or_else(|| {
        let lacks = if args.log { "value above 0, which a logarithmic axis needs" } else { "finite value" };
        Failure::Usage(format!("`{}` has no {lacks}", shown(metric)))
    })?;
    Ok(Curve { name: metric.to_owned(), points: picture.points, frame, mark: None })
}
