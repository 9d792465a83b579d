//! The page as one file, with the numbers of some runs in it.

use super::page::{HTML, SCRIPTS, STYLES, UPLOT_LICENCE};
use super::shelf::{Entry, Shelf};
use super::sweeps::{self, SweepView};
use super::view::{self, DetailView, Height, Place, RunsView, SettingsView};
use crate::base::{ErrorContext as _, Result};
use crate::readers::{Axis, Group, Picture, Point, Series};
use serde::Serialize;
use std::path::PathBuf;

/// Columns of pixels that a curve is made for. A report can be zoomed, but has no more points than these.
const COLUMNS: usize = 1000;

#[derive(Serialize)]
struct ReportView {
    runs: RunsView,
    curves: Vec<ReportCurve>,
    settings: Vec<SettingsView>,
    details: Vec<DetailView>,
    sweeps: Vec<SweepView>,
}

/// A curve over each axis. What is not finite is `null`.
#[derive(Serialize)]
struct ReportCurve {
    run: String,
    key: String,
    iter: Vec<Place>,
    epoch: Vec<Place>,
    time: Vec<Place>,
    y: Vec<Height>,
    /// How many points the run has.
    of: usize,
}

/// The page with the runs below these folders, as they are now. It needs no other file and no network.
///
/// # Errors
/// When the numbers can't be written as JSON.
pub fn report(folders: Vec<PathBuf>) -> Result<String> {
    let shelf = Shelf::new(folders);
    while shelf.read() {}
    let entries = shelf.runs();
    let data = ReportView {
        runs: view::runs(&entries, shelf.version(), 0),
        curves: entries.iter().flat_map(|entry| curves(entry)).collect(),
        settings: entries.iter().map(|entry| view::settings_of(&entry.id, entry.reader().folder())).collect(),
        details: entries.iter().map(|entry| view::detail(entry)).collect(),
        sweeps: sweeps::sweeps(&shelf),
    };
    let data = serde_json::to_string(&data).context("the numbers of the runs can't be written as JSON")?;
    Ok(page(&data))
}

fn curves(entry: &Entry) -> Vec<ReportCurve> {
    let run = entry.reader();
    let iters_per_epoch = run.rows().iters_per_epoch();
    let mut found = Vec::new();
    for group in run.rows().groups() {
        for series in group.series() {
            let key = format!("{}/{}", group.name, series.name);
            found.push(curve(entry.id.clone(), key, group, series, iters_per_epoch));
        }
    }
    found
}

fn curve(run: String, key: String, group: &Group, series: &Series, iters_per_epoch: Option<f64>) -> ReportCurve {
    // chosen by their numbers, so that the same points are on each axis
    let points = series.values().iter().enumerate().map(|(place, y)| Point { x: place as f64, y: *y });
    let picture = Picture::new(points, f64::NEG_INFINITY, f64::INFINITY, COLUMNS);
    let on = |axis| {
        let all: Vec<f64> = series.places(group, axis, iters_per_epoch).collect();
        picture.points.iter().map(|point| Place(all[point.x as usize])).collect()
    };
    let (iter, epoch, time) = (on(Axis::Iter), on(Axis::Epoch), on(Axis::Time));
    let y = picture.points.iter().map(|point| Height(point.y)).collect();
    ReportCurve { run, key, iter, epoch, time, y, of: picture.of }
}

/// The page with everything in it. Only its own scripts run: they carry a number that nothing within the data can know, for
/// it is a hash of them.
fn page(data: &str) -> String {
    let nonce = blake3::hash(data.as_bytes()).to_hex()[..32].to_owned();
    let mut text = HTML.to_owned();
    for (name, style) in STYLES {
        let link = format!("<link rel=\"stylesheet\" href=\"{}\">", &name[1..]);
        text = text.replacen(&link, &format!("<style nonce=\"{nonce}\">\n{style}\n</style>"), 1);
    }
    let mut end = format!("<!--\nuPlot:\n{UPLOT_LICENCE}\n-->\n");
    // within a script, `<` could begin its end
    let data = data.replace('<', "\\u003c");
    end.push_str(&format!("<script type=\"application/json\" id=\"data\">{data}</script>\n"));
    for (name, script) in SCRIPTS {
        text = text.replacen(&format!("<script src=\"{}\" defer></script>\n", &name[1..]), "", 1);
        end.push_str(&format!("<script nonce=\"{nonce}\">\n{script}\n</script>\n"));
    }
    let safe = format!(
        "<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src \
         'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'none'\">"
    );
    text = text.replacen("<meta charset=\"utf-8\">", &safe, 1);
    text.replacen("</body>", &format!("{end}</body>"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_whole_and_what_a_run_has_written_is_no_markup() {
        let dir = tempfile::tempdir().unwrap();
        let row = r#"{"phase":"val","epoch":1,"iter":2,"time":1,"</script><script>alert(1)</script>":0.5,"<!--":1}"#;
        std::fs::write(dir.path().join("metrics.jsonl"), format!("{row}\n")).unwrap();
        let text = report(vec![dir.path().to_owned()]).unwrap();
        assert!(!text.contains("alert(1)</script>") && text.contains("\\u003cscript>alert(1)\\u003c/script>"));
        for outside in ["src=\"", "href=\"uplot", "href=\"page"] {
            assert!(!text.contains(outside), "{outside}");
        }
        // the data, and each script of ours
        assert_eq!(text.matches("<script").count(), 1 + SCRIPTS.len());
        assert_eq!(text.matches("</script>").count(), 1 + SCRIPTS.len());
        assert!(text.contains("Permission is hereby granted"));
    }
}
