"""Curves, and the page as a whole."""

from tools import PHONE, WIDE, browser, check, fits, page_of, pixels, settle, until


# Notes the dashes of lines.
DASHES = """(() => {
    const { prototype } = CanvasRenderingContext2D, set = prototype.setLineDash;
    window.dashes = [];
    prototype.setLineDash = function (dash) {
        window.dashes.push([...dash]);
        set.call(this, dash);
    };
})()"""


def look(address):
    """Two runs of the tests' program, `run` and `other`, which has another learning rate."""
    with browser() as started:
        for size, scheme in [(WIDE, "light"), (PHONE, "dark")]:
            with page_of(started, address, size, scheme) as page:
                settle(page, "loss")
                fits(page, size)
                until(page, lambda: page.locator("#live").inner_text() == "live", "not live")
                rows = [row.inner_text() for row in page.locator("#runs tbody tr").all()]
                check(len(rows) == 2 and all("finished" in row for row in rows), rows)
                # the learning rate of `run` rises and falls, and is four times that of `other`
                run, other = 1, 0
                page.get_by_label("Metrics").fill("lr")
                settle(page, "lr")
                check(pixels(page, "lr", run, (0.3, 0, 0.7, 0.3)) > 10, "the peak")
                for slot, part in [(run, (0.15, 0, 0.25, 0.5)), (run, (0.9, 0, 1, 0.5)), (other, (0.15, 0, 1, 0.6))]:
                    check(pixels(page, "lr", slot, part) == 0, "beside the peak", slot, part)
                page.evaluate(DASHES)
                page.get_by_label("Metrics").fill("loss")
                settle(page, "loss")
                check([7, 4] in page.evaluate("window.dashes"), "validation without dashes", page.evaluate("window.dashes"))
                check(all(pixels(page, "loss", slot) > 100 for slot in (run, other)), "two curves")
                check(page.locator("figure").count() == 1, "charts that do not match", page.locator("figure").count())
                # the table beside the curve has the numbers
                page.get_by_text("Values as a table").click()
                table = page.locator("figure details table").inner_text
                until(page, lambda: "val/hard/loss" in table() or "val/val/loss" in table(), "table", table)
                # a run that is not chosen is not drawn
                page.locator("#runs tbody tr", has_text="other").get_by_role("checkbox").uncheck()
                until(page, lambda: pixels(page, "loss", other) == 0, "`other` is still drawn")
                check(pixels(page, "loss", run) > 100, "`run` is not drawn")
                page.locator("#runs tbody tr", has_text="other").get_by_role("checkbox").check()
                # keys also work when a box has the focus
                page.keyboard.press("2")
                until(page, lambda: page.locator("#view-settings").is_visible(), "a key after a click")
                page.keyboard.press("1")
                # zoom by the keyboard, when the chart with both runs is there
                until(page, lambda: pixels(page, "loss", other) > 100, "`other` is not drawn again")
                settle(page, "loss")
                def pressed(key):
                    page.locator('figure[data-metric="loss"]').focus()
                    page.keyboard.press(key)
                    page.wait_for_timeout(100)
                    return "from=" in page.evaluate("location.hash")

                # a chart that is just being drawn has no range yet that could be changed
                until(page, lambda: pressed("+"), "not zoomed", lambda: page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))
                until(page, lambda: not pressed("0"), lambda: page.evaluate("location.hash"))
                # smoothing, a log scale, another axis
                page.get_by_label("Smoothing").fill("0.6")
                page.get_by_label("Log scale").check()
                page.locator("#axis").select_option("epoch")
                figure = page.locator("figure")
                until(page, lambda: "as it is" in figure.text_content() and "epoch" in figure.inner_text(), "axis", figure.inner_text)
                # zoom by the pointer
                box = page.locator("figure .u-over").bounding_box()
                page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 50)
                page.mouse.down()
                page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 60, steps=5)
                page.mouse.up()
                until(page, lambda: "from=" in page.evaluate("location.hash"), "dragging", page.evaluate("location.hash"))
                page.mouse.dblclick(box["x"] + 30, box["y"] + 30)
                until(page, lambda: "from=" not in page.evaluate("location.hash"), "double-click")
                # what is chosen survives a reload
                page.reload()
                settle(page, "loss")
                check(page.locator("#axis").input_value() == "epoch" and page.get_by_label("Log scale").is_checked(), "reload")
                # the other views
                page.locator("body").press("2")
                page.wait_for_selector("#settings tbody tr")
                settings = page.locator("#settings").inner_text
                until(page, lambda: "optimizer.lr" in settings() and "experiment.ron:" in settings(), "settings", settings, lambda: page.evaluate("location.hash"))
                check("seed" not in settings(), settings())
                page.get_by_role("tab", name="One run").click()
                page.wait_for_selector("#run pre")
                text = page.locator("#run").inner_text()
                check("git commit" in text and "iter_00000000" in text and "finished" in text, text)
                # what was planned: a curve ahead of time, its numbers, and the hooks
                page.wait_for_selector('figure[data-schedule="lr"] canvas')
                check("after_train_iter" in text and "timer" in text and "opt/default" in text.replace("optimizer/", "opt/"), text)
                fits(page, size)
                page.get_by_role("tab", name="Pictures").click()
                page.wait_for_selector("#media img")
                widths = lambda: page.evaluate("[...document.querySelectorAll('#media img')].map((image) => image.naturalWidth)")
                until(page, lambda: widths() == [2, 2, 4, 4], widths)
                media = page.locator("#media").inner_text
                until(page, lambda: "after iter 9" in media() and "train/weights" in media(), "media", media)
                page.locator("#media input[type=range]").first.fill("0")
                until(page, lambda: "after iter 1*" in media(), "slider", media)
                # names for all that can be operated
                nameless = page.evaluate("""[...document.querySelectorAll('input, select, button')].filter((element) =>
                    !(element.labels && element.labels.length) && !element.textContent.trim() && !element.getAttribute('aria-label')).length""")
                check(nameless == 0, nameless)


def offline(address):
    """A report, opened as a file."""
    with browser() as started:
        with page_of(started, address, WIDE, "light") as page:
            settle(page, "loss")
            check(pixels(page, "loss", 0) > 100 and pixels(page, "loss", 1) > 100, "curves")
            page.get_by_label("Smoothing").fill("0.6")
            page.locator("#axis").select_option("time")
            until(page, lambda: "as it is" in page.locator('figure[data-metric="loss"]').text_content(), "smoothed")
            settle(page, "loss")
            check(pixels(page, "loss", 0) > 100, "smoothed and drawn")
            page.get_by_role("tab", name="Settings").click()
            until(page, lambda: "optimizer.lr" in page.locator("#settings").inner_text(), "settings")
            page.locator("body").press("3")
            page.wait_for_selector("#run pre")
            check("finished" in page.locator("#run pre").inner_text(), page.locator("#run").inner_text())
