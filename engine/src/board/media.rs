//! Images, histograms and texts of a run: what there is, and one at a time.

use super::http::{Answer, Request};
use super::shelf::Entry;
use serde::Serialize;

/// Names with their iters.
type Names = Vec<(String, Vec<u64>)>;

/// Which values there are.
#[derive(Default, Serialize)]
struct MediaView {
    images: Names,
    histograms: Names,
    texts: Names,
}

/// The answer to a question about the media of a run.
#[cfg(not(feature = "tensorboard"))]
pub(super) fn answer(_: &Entry, request: &Request) -> Answer {
    match request.path.as_str() {
        "/api/media" => Answer::json(&MediaView::default()),
        _ => Answer::error(404, "this program can't read event files: it is built without the feature `tensorboard`"),
    }
}

#[cfg(feature = "tensorboard")]
pub(super) use with_events::answer;

#[cfg(feature = "tensorboard")]
mod with_events {
    use super::{Answer, Entry, MediaView, Request, Serialize};
    use crate::readers::Medium;

    /// Histograms that are shown of one name; of more, some in equal distances.
    const MOST_HISTOGRAMS: usize = 200;

    #[derive(Serialize)]
    struct HistogramView {
        iter: u64,
        /// One more than there are counts.
        limits: Vec<f64>,
        counts: Vec<f64>,
    }

    #[derive(Serialize)]
    struct TextView {
        text: String,
    }

    /// The answer to a question about the media of a run.
    pub(in crate::board) fn answer(entry: &Entry, request: &Request) -> Answer {
        let (media, folder) = entry.media();
        let key = request.get("key").unwrap_or_default();
        let iter = request.get("iter").and_then(|iter| iter.parse().ok()).unwrap_or(0);
        let missing = || Answer::error(404, "there is no such value");
        match request.path.as_str() {
            "/api/image" => {
                media.image(&folder, key, iter).map_or_else(missing, |bytes| Answer::new("image/png", bytes))
            }
            "/api/text" => media.text(&folder, key, iter).map_or_else(missing, |text| Answer::json(&TextView { text })),
            "/api/histograms" => {
                let all = media.list(Medium::Histogram);
                let iters =
                    all.iter().find(|(name, _)| name == key).map(|(_, iters)| iters.as_slice()).unwrap_or_default();
                let step = iters.len().div_ceil(MOST_HISTOGRAMS).max(1);
                let view = |iter: &u64| {
                    let (limits, counts) = media.histogram(&folder, key, *iter)?;
                    Some(HistogramView { iter: *iter, limits, counts })
                };
                Answer::json(&iters.iter().step_by(step).filter_map(view).collect::<Vec<_>>())
            }
            _ => Answer::json(&MediaView {
                images: media.list(Medium::Image),
                histograms: media.list(Medium::Histogram),
                texts: media.list(Medium::Text),
            }),
        }
    }
}
