"""How long the first picture takes, and how much memory the page."""

from pathlib import Path

from tools import WIDE, browser, check, page_of, until

# Notes when the first chart has a line within its frame, in milliseconds since the page was asked for.
WATCH = """(() => {
    const look = () => {
        const canvas = document.querySelector("#charts canvas"), frame = document.querySelector("#charts .u-over");
        if (canvas && frame && frame.offsetWidth) {
            const scale = canvas.width / canvas.clientWidth;
            const place = [frame.offsetLeft, frame.offsetTop, frame.offsetWidth, frame.offsetHeight].map((length) => Math.round(length * scale));
            const { data } = canvas.getContext("2d").getImageData(...place);
            // the lines are dark, the grid is not
            for (let at = 0; at < data.length; at += 4) {
                if (data[at + 3] > 200 && data[at] < 150) {
                    window.firstPicture = performance.now();
                    return;
                }
            }
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})()"""


def renderers():
    """Megabytes of this browser's processes that draw pages, what they share divided among those who share it."""
    sizes = []
    for process in Path("/proc").iterdir():
        try:
            if b"--type=renderer" in (process / "cmdline").read_bytes():
                proportional = next(line for line in (process / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
                sizes.append(int(proportional.split()[1]) / 1000)
        except (OSError, StopIteration):
            continue
    return sizes


def measure(address):
    """50 runs of 20,000 rows: at first the eight that are chosen at the begin, then all of them."""
    with browser() as started, page_of(started, address, WIDE, "light", WATCH) as page:
        until(page, lambda: page.evaluate("window.firstPicture"), "no picture")
        first = page.evaluate("window.firstPicture")
        read = lambda: page.locator("#runs progress").count() == 0 and page.locator("#runs tbody tr").count() == 50
        until(page, read, "not all is read", lambda: page.locator("#runs progress").count())
        whole = page.evaluate("performance.now()")
        page.get_by_role("button", name="Select shown").click()
        until(page, lambda: page.locator("#runs input:checked").count() == 50, "all runs")
        # every chart once
        for figure in page.locator("figure").all():
            figure.scroll_into_view_if_needed()
            page.wait_for_timeout(700)
        page.wait_for_timeout(2000)
        with page_of(started, "about:blank", WIDE, "light"):
            blank = min(renderers())
        cdp = page.context.new_cdp_session(page)
        cdp.send("Performance.enable")

        def sizes():
            metrics = {metric["name"]: metric["value"] for metric in cdp.send("Performance.getMetrics")["metrics"]}
            return metrics["JSHeapUsedSize"] / 1e6, max(renderers())

        # as a person's browser has it, with what waits to be collected
        heap, whole_process = sizes()
        cdp.send("HeapProfiler.collectGarbage")
        page.wait_for_timeout(1000)
        left, process_left = sizes()
        print(f"first picture after {first / 1000:.2f} s, all rows after {whole / 1000:.2f} s; objects of the page {heap:.0f} MB, its process {whole_process:.0f} MB; after a collection {left:.0f} and {process_left:.0f} MB; the process of an empty page {blank:.0f} MB", flush=True)
        check(whole_process < 200, whole_process)
        # a common table of all places of all curves, as `uPlot.join` makes one, would be seen here
        check(left < 20, left)
