"""The table of runs and the other views."""

import re

from tools import PHONE, WIDE, browser, check, fits, page_of, pixels_of, rows, settle, until


def states(address):
    """Runs in each state: `done`, `broken`, `ended`, `lost`, `again`, and `now`, which is being trained."""
    why = "`Breaker` failed in `after_train_iter`: the hook gave up"
    expected = {
        "done": "✓ finished", "broken": f"✗ failed\n{why}", "ended": "■ stopped\nby SIGTERM", "lost": "† killed",
        "again": "✓ finished, resumed 1×", "now": "▶ running",
    }
    with browser() as started:
        for size, scheme in [(WIDE, "light"), (PHONE, "dark")]:
            with page_of(started, address, size, scheme) as page:
                page.wait_for_selector("#runs tbody tr")
                table = lambda: {row[0].strip(): row for row in rows(page, "#runs")}
                until(page, lambda: {name: row[1].strip() for name, row in table().items()} == expected, table)
                check(page.title().startswith("▶"), page.title())
                # epoch and iter, and the best value of a metric with its iter
                done = table()["done"]
                check(done[2] == "3, 9" and " at " in done[6] and re.fullmatch(r"[0-9a-f]{8}\+?", done[5].strip()), done)
                names = lambda: [row[0].strip() for row in rows(page, "#runs")]
                heading = lambda text: page.locator("#runs thead button", has_text=text)
                heading("Run").click()
                check(names() == sorted(expected), names())
                heading("Run").click()
                check(names() == sorted(expected, reverse=True), names())
                best = page.locator("#runs thead th", has_text="Best val/val/loss")
                best.get_by_role("button").click()
                values = lambda: [float(row[column].split()[0]) for row in rows(page, "#runs") if row[column].strip()]
                column = page.evaluate("[...document.querySelectorAll('#runs thead th')].findIndex((head) => head.textContent.startsWith('Best val/val/loss'))")
                check(values() == sorted(values(), reverse=True) and len(values()) > 1, values())
                check(best.get_attribute("aria-sort") == "descending", best.get_attribute("aria-sort"))
                # words of a state and of a reason; the filter outlives a reload
                page.get_by_label("Filter").fill("stopped sigterm")
                until(page, lambda: names() == ["ended"], names)
                page.reload()
                until(page, lambda: names() == ["ended"], names)
                page.get_by_role("button", name="Select shown").click()
                until(page, lambda: page.locator("#chosen button").all_inner_texts() == ["ended ×"], "one chip")
                page.locator("#chosen button").click()
                until(page, lambda: page.locator("#chosen button").count() == 0, "no chip")
                page.get_by_role("tab", name="One run").click()
                page.locator("#one").select_option(label="broken")
                until(page, lambda: f"✗ failed: {why}" in page.locator("#run").inner_text(), page.locator("#run").inner_text)
                fits(page, size)


def plan(address):
    """A run with a schedule for `hooks.ema.decay` and a profile of some iters."""
    with browser() as started:
        for size, scheme in [(WIDE, "dark"), (PHONE, "light")]:
            with page_of(started, address, size, scheme) as page:
                page.locator("body").press("3")
                for chart in ["lr", "hooks.ema.decay"]:
                    chart = f'figure[data-schedule="{chart}"]'
                    page.wait_for_selector(f"{chart} canvas")
                    page.locator(chart).scroll_into_view_if_needed()
                    until(page, lambda: pixels_of(page, chart, 0) + pixels_of(page, chart, 1) > 50, chart)
                # the decay falls along half a cosine: high at the left, low at the right
                chart = 'figure[data-schedule="hooks.ema.decay"]'
                check(pixels_of(page, chart, 0, (0.1, 0, 0.4, 0.5)) > 10, "the first value")
                check(pixels_of(page, chart, 0, (0.8, 0, 1, 0.4)) == 0, "the last value")
                check(["hooks.ema.decay", "0.8 → 0.4121"] in rows(page, "#run"), rows(page, "#run"))
                parts = {row[0]: row[1:] for row in rows(page, "#run")}
                hook = parts["before_train_iter"]
                check(hook[1] == "timer" and hook[3] == "1" and hook[4].endswith("s"), hook)
                backward = parts["step backward"]
                check(float(backward[0]) > 1 and backward[1].endswith("s"), backward)
                fits(page, size)


def matrix(address):
    """A run with a confusion matrix of three classes for 12 samples, validated at the iters 3, 6 and 9."""
    with browser() as started:
        for size, scheme in [(WIDE, "light"), (PHONE, "dark")]:
            with page_of(started, address, size, scheme) as page:
                page.locator("body").press("4")
                page.get_by_label("Names").fill("val/val/confusion")
                page.wait_for_selector("#media table.matrix")
                check(page.locator("#media table.matrix").count() == 1, page.locator("#media").inner_text())
                cells = lambda: [[int(cell) for cell in row[1:]] for row in rows(page, "#media .matrix")]
                check([len(row) for row in cells()] == [3, 3, 3] and sum(map(sum, cells())) == 12, cells())
                shades = page.evaluate("[...document.querySelectorAll('.matrix td')].map((cell) => [Number(cell.textContent), getComputedStyle(cell).backgroundColor])")
                alpha = lambda color: float(color.rsplit("/", 1)[1].strip(" )")) if "/" in color else 1.0 if color.startswith("rgb(") else 0.0
                check(all((count == 0) == (alpha(color) == 0) for count, color in shades), shades)
                until(page, lambda: page.evaluate("[...document.querySelectorAll('#media img')].map((image) => image.naturalWidth > 0)") == [True], "the picture")
                text = page.locator("#media").inner_text
                check("iter 9" in text(), text())
                # the slider keeps the focus, and shows an earlier matrix; one press is enough, also while an answer about the
                # later one is still on its way
                waiting = []
                page.route("**/api/text?*iter=9*", lambda route: waiting.append(route))
                page.get_by_label("Names").fill("val/val/confusion_")
                until(page, lambda: waiting, "no question")
                page.locator("#media input[type=range]").focus()
                page.keyboard.press("Home")
                page.wait_for_timeout(500)
                for route in waiting:
                    route.continue_()
                until(page, lambda: "val/val/confusion_matrix, iter 3" in text(), text)
                page.wait_for_timeout(500)
                check("val/val/confusion_matrix, iter 3" in text() and "iter 9" not in text(), text())
                page.unroute("**/api/text?*iter=9*")
                check(page.evaluate("document.activeElement.type") == "range", "the slider has lost the focus")
                check(sum(map(sum, cells())) == 12, cells())
                page.get_by_label("Names").fill("nothing like it")
                until(page, lambda: "Nothing has such a name" in text(), text)
                fits(page, size)


def sweep(address):
    """The sweep `search` of four trials."""
    with browser() as started:
        for size, scheme in [(WIDE, "light"), (PHONE, "dark")]:
            with page_of(started, address, size, scheme) as page:
                page.wait_for_selector("#runs tbody tr")
                page.locator("body").press("5")
                page.wait_for_selector("#coordinates polyline")
                until(page, lambda: page.locator("#coordinates polyline").count() == 4, "a line for each trial")
                names = page.evaluate("[...document.querySelectorAll('#coordinates > text:not(.mark)')].map((text) => text.firstChild.textContent)")
                check("val/loss" in names and "optimizer.lr" in names, names)
                page.wait_for_selector("#progress canvas")
                trials = rows(page, "#trials")
                values = [float(row[1]) for row in trials]
                check(len(trials) == 4 and values == sorted(values), trials)
                check(not page.locator("#rungs").is_visible(), "rungs of a sweep without any")
                fits(page, size)
                # the curves of one trial, and of the best
                page.locator("#trials button", has_text=trials[0][0]).click()
                until(page, lambda: page.locator("#runs input:checked").count() == 1, "one run")
                # in the table, and wherever it is named, a trial is one of its sweep
                check({row[1] for row in rows(page, "#runs")} == {"search"}, rows(page, "#runs"))
                check(page.locator("#chosen").inner_text() == f"search/{trials[0][0]} ×", page.locator("#chosen").inner_text())
                settle(page, "loss")
                page.locator("body").press("5")
                page.get_by_role("button", name="Curves of the best 8").click()
                until(page, lambda: page.locator("#runs input:checked").count() == 4, "all four")


def unreadable(address):
    """A run beside the file of a sweep that is cut off."""
    with browser() as started, page_of(started, address, WIDE, "light") as page:
        page.wait_for_selector("#runs tbody tr")
        page.locator("body").press("5")
        told = page.locator("#sweep-told").inner_text
        until(page, lambda: "sweep.ron" in told(), told)
        for part in ["#coordinates", "#progress", "#trials", "#rungs"]:
            check(not page.locator(part).is_visible(), part)
        check(page.get_by_role("button", name="Curves of the best 8").is_disabled(), "curves of no trial")


def halved(address):
    """The sweep `search` of six trials, with rungs at the iters 1 and 3; the whole training has 6."""
    with browser() as started:
        for size, scheme in [(WIDE, "dark"), (PHONE, "light")]:
            with page_of(started, address, size, scheme) as page:
                page.wait_for_selector("#runs tbody tr")
                page.locator("body").press("5")
                page.wait_for_selector("#rungs tbody tr")
                rungs = rows(page, "#rungs")
                check([row[0] for row in rungs] == ["1", "3", "the end"] and rungs[0][1] == "6", rungs)
                # who went on from a rung is at the next one
                check(rungs[0][2] == rungs[1][1] and rungs[1][2] == rungs[2][1], rungs)
                trials = rows(page, "#trials")
                counts = [sum(row[2] == far for row in trials) for far in ["1", "3", "all"]]
                there = [int(row[1]) for row in rungs]
                check(counts == [there[0] - there[1], there[1] - there[2], there[2]], counts, rungs)
                names = page.evaluate("[...document.querySelectorAll('#coordinates > text:not(.mark)')].map((text) => text.firstChild.textContent)")
                check(names == ["optimizer.lr", "iters", "val/loss"], names)
                fits(page, size)


def hostile(address):
    with browser() as started:
        for size, scheme in [(WIDE, "dark"), (PHONE, "light")]:
            with page_of(started, address, size, scheme) as page:
                page.wait_for_selector("figure h3")
                page.wait_for_timeout(800)
                text = page.locator("body").inner_text()
                check("<script>hacked()</script>" in text and "<img src=x onerror=hacked()>" in text, text)
                fits(page, size)
                for view in ("2", "3", "4", "5", "1"):
                    page.locator("body").press(view)
                    page.wait_for_timeout(400)
                check(page.locator("img[src=x], svg:not(#coordinates), script:not([src])").count() == 0, "markup of a run")
