"""A page that stays open while a run is trained, killed and resumed."""

import json
import sys
import time

from tools import WIDE, browser, check, page_of, rows, settle, until

# New rows appear within a second; a machine that has much else to do gets half a second more.
LATEST = 1.5


def say(word):
    print(word, flush=True)


def last_iter(path):
    """The iter of the last whole training row."""
    try:
        lines = open(path).read().split("\n")[:-1]
    except FileNotFoundError:
        return 0
    return max((row["iter"] for row in map(json.loads, lines) if row["phase"] == "train"), default=0)


def live(address):
    """Says `open`, `seen` and `lost` when it is time for the next: training, kill, resume."""
    path = sys.argv[3]
    with browser() as started, page_of(started, address, WIDE, "light") as page:
        until(page, lambda: page.locator("#live").inner_text() == "live", "not live")
        say("open")
        page.wait_for_selector("#runs tbody tr", timeout=60_000)
        box = page.locator("#runs tbody input").element_handle()
        page.locator("#runs thead button", has_text="State").focus()
        shown = lambda: int(rows(page, "#runs")[0][2].split(",")[1])
        delays = []
        while len(delays) < 4:
            seen = last_iter(path)
            until(page, lambda: last_iter(path) > seen, "no new row")
            begun, new = time.monotonic(), last_iter(path)
            while shown() < new:
                check(time.monotonic() - begun < 20, "a row is not shown", new, rows(page, "#runs"))
                page.wait_for_timeout(10)
            delays.append(time.monotonic() - begun)
        check(max(delays) < LATEST, delays)
        check("running" in rows(page, "#runs")[0][1], rows(page, "#runs"))
        # what a person is about to click, or has the focus, is still the same
        check(box.evaluate("(box) => box.isConnected && box.checked"), "the box of the run is another one")
        check(page.evaluate("document.activeElement.dataset.column") == "state", "the heading has lost the focus")
        settle(page, "loss")
        page.locator("figure[data-metric=loss] summary").click()
        points = lambda: {row[1]: row[5] for row in rows(page, "figure[data-metric=loss] details table")}
        until(page, lambda: int(points().get("train/loss", "0")) >= 2, points)
        say("seen")
        until(page, lambda: "killed" in rows(page, "#runs")[0][1], lambda: rows(page, "#runs"))
        say("lost")
        until(page, lambda: rows(page, "#runs")[0][1].strip() == "✓ finished, resumed 1×", lambda: rows(page, "#runs"))
        # all nine iters, none twice, without a reload
        until(page, lambda: points().get("train/loss") == "9" and points().get("val/val/loss") == "3", points)
        say(f"rows were shown after {max(delays):.2f} s at the latest")
