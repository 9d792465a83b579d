//! Which question gets which answer.

use super::http::{Answer, Request};
use super::media;
use super::page;
use super::shelf::{Entry, Shelf};
use super::sweeps;
use super::view::{self, Drawing};
use crate::readers::Axis;
use std::sync::Arc;

/// Runs and metrics that one question may name.
const MOST: usize = 200;

/// The answer to a request; `None` for the stream of events, which has no end.
pub(super) fn answer(shelf: &Shelf, request: &Request) -> Option<Answer> {
    Some(match request.path.as_str() {
        "/api/events" => return None,
        "/api/runs" => {
            let since = request.get("since").and_then(|since| since.parse().ok()).unwrap_or(0);
            // the version first: what changes meanwhile is told once more
            let version = shelf.version();
            Answer::json(&view::runs(&shelf.runs(), version, since))
        }
        "/api/curves" => {
            let (runs, drawing) = (named(shelf, request), drawing(request));
            let keys: Vec<&str> = request.all("key").take(MOST).collect();
            let curves = runs.iter().flat_map(|entry| {
                let run = entry.reader();
                keys.iter().filter_map(|key| view::curve(&entry.id, &run, key, drawing)).collect::<Vec<_>>()
            });
            Answer::json(&curves.collect::<Vec<_>>())
        }
        "/api/settings" => {
            let of = |entry: &Arc<Entry>| {
                let folder = entry.reader().folder().to_owned();
                view::settings_of(&entry.id, &folder)
            };
            Answer::json(&named(shelf, request).iter().map(of).collect::<Vec<_>>())
        }
        "/api/run" => match request.get("run").and_then(|id| shelf.find(id)) {
            Some(entry) => Answer::json(&view::detail(&entry)),
            None => Answer::error(404, "there is no such run"),
        },
        "/api/sweeps" => Answer::json(&sweeps::sweeps(shelf)),
        "/api/media" | "/api/image" | "/api/text" | "/api/histograms" => {
            match request.get("run").and_then(|id| shelf.find(id)) {
                Some(entry) => media::answer(&entry, request),
                None => Answer::error(404, "there is no such run"),
            }
        }
        path => match page::file(path) {
            Some((kind, text)) => Answer::new(kind, text),
            None => Answer::error(404, "there is no such page"),
        },
    })
}

/// The runs that a request names.
fn named(shelf: &Shelf, request: &Request) -> Vec<Arc<Entry>> {
    request.all("run").take(MOST).filter_map(|id| shelf.find(id)).collect()
}

fn drawing(request: &Request) -> Drawing {
    let number =
        |name: &str| request.get(name).and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    let usual = Drawing::default();
    Drawing {
        axis: match request.get("x") {
            Some("epoch") => Axis::Epoch,
            Some("time") => Axis::Time,
            _ => Axis::Iter,
        },
        smooth: number("smooth").unwrap_or(usual.smooth),
        from: number("from").unwrap_or(usual.from),
        to: number("to").unwrap_or(usual.to),
        columns: number("columns").map_or(usual.columns, |columns| columns.clamp(10.0, 4000.0) as usize),
    }
}
