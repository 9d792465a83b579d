//! The files of the page, which are part of the program: it works without a network.

/// uPlot 1.6.32 from npm, with its licence beside it.
const UPLOT: &str = include_str!("page/vendor/uPlot.iife.min.js");
const UPLOT_STYLE: &str = include_str!("page/vendor/uPlot.min.css");
pub(super) const UPLOT_LICENCE: &str = include_str!("page/vendor/uPlot-LICENSE");

/// The page itself.
pub(super) const HTML: &str = include_str!("page/index.html");

/// Its styles, in order.
pub(super) const STYLES: [(&str, &str); 2] =
    [("/uplot.css", UPLOT_STYLE), ("/page.css", include_str!("page/page.css"))];

/// Its scripts, in order.
pub(super) const SCRIPTS: [(&str, &str); 9] = [
    ("/uplot.js", UPLOT),
    ("/source.js", include_str!("page/source.js")),
    ("/parts.js", include_str!("page/parts.js")),
    ("/charts.js", include_str!("page/charts.js")),
    ("/media.js", include_str!("page/media.js")),
    ("/plan.js", include_str!("page/plan.js")),
    ("/sweep.js", include_str!("page/sweep.js")),
    ("/views.js", include_str!("page/views.js")),
    ("/main.js", include_str!("page/main.js")),
];

/// The kind and the text of a file.
pub(super) fn file(path: &str) -> Option<(&'static str, &'static str)> {
    let of = |files: &[(&str, &'static str)]| files.iter().find(|(name, _)| *name == path).map(|(_, text)| *text);
    match path {
        "/" => Some(("text/html; charset=utf-8", HTML)),
        "/uplot-licence.txt" => Some(("text/plain; charset=utf-8", UPLOT_LICENCE)),
        _ => None
            .or_else(|| of(&STYLES).map(|text| ("text/css; charset=utf-8", text)))
            .or_else(|| of(&SCRIPTS).map(|text| ("text/javascript; charset=utf-8", text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_files_in_their_order_and_nothing_from_elsewhere() {
        let names = STYLES.iter().chain(&SCRIPTS).map(|(name, _)| *name);
        let places: Vec<usize> = names.map(|name| HTML.find(&format!("\"{}\"", &name[1..])).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
        for (name, text) in SCRIPTS.iter().skip(1).chain(&STYLES) {
            assert!(!text.contains("http://") && !text.contains("https://"), "{name}");
        }
        assert!(!HTML.contains("http") && !HTML.contains("style=") && !HTML.contains("onclick"));
        assert!(UPLOT.contains("uPlot (v1.6.32)") && UPLOT_LICENCE.contains("The MIT License"));
    }

    #[test]
    fn a_script_of_ours_makes_no_markup_of_texts() {
        for (name, text) in SCRIPTS.iter().skip(1) {
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                assert!(!text.contains(word), "{name} has `{word}`");
            }
        }
    }
}
