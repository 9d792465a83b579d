"""A page in Chromium, and what there is to see on it. A failed `check` says what was seen."""

import shutil
import subprocess
import sys
from contextlib import contextmanager
from playwright.sync_api import sync_playwright

WIDE, PHONE = (1400, 1000), (390, 844)


def check(right, *seen):
    if not right:
        raise SystemExit("the page is not as it should be: " + " ".join(map(repr, seen)))


@contextmanager
def browser():
    names = ["chromium", "chromium-browser", "google-chrome"]
    there = next(filter(None, map(shutil.which, names)), None)
    if there is None:
        # not Debian's `chromium`, but the one that belongs to this Playwright
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=there, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def page_of(started, address, size, scheme, script=""):
    page = started.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith((address.split("#")[0].rsplit("/", 1)[0], "data:")) else problems.append(request.url))
    page.add_init_script("window.hacked = () => { window.wasHacked = true; };" + script)
    page.goto(address)
    yield page
    check(not page.evaluate("window.wasHacked"), "a text of a run was run as a script")
    check(not problems, problems)
    page.close()


# How many pixels of a part of a chart have the colour of a run; parts are shares of width and height.
PIXELS = """([chart, slot, left, top, right, bottom]) => {
    const canvas = document.querySelector(`${chart} canvas`);
    const color = getComputedStyle(document.documentElement).getPropertyValue(`--c${slot}`).trim();
    const wanted = [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));
    const [x, y] = [Math.round(left * canvas.width), Math.round(top * canvas.height)];
    const [width, height] = [Math.round((right - left) * canvas.width), Math.round((bottom - top) * canvas.height)];
    const { data } = canvas.getContext("2d").getImageData(x, y, width, height);
    let found = 0;
    for (let place = 0; place < data.length; place += 4) {
        if (data[place + 3] > 200 && wanted.every((part, index) => Math.abs(part - data[place + index]) < 40)) found += 1;
    }
    return found;
}"""


def pixels(page, metric, slot, part=(0, 0, 1, 1)):
    return pixels_of(page, f'figure[data-metric="{metric}"]', slot, part)


def pixels_of(page, chart, slot, part=(0, 0, 1, 1)):
    return page.evaluate(PIXELS, [chart, slot, *part])


def until(page, right, *seen):
    """Asks again for up to 40 seconds: the machine may have much else to do."""
    for _ in range(400):
        if right():
            return
        page.wait_for_timeout(100)
    check(False, *(see() if callable(see) else see for see in seen))


def settle(page, metric):
    page.wait_for_selector(f'figure[data-metric="{metric}"] canvas')
    page.wait_for_timeout(400)


def fits(page, size):
    wide = page.evaluate("document.documentElement.scrollWidth")
    check(wide <= size[0], "wider than the screen", wide, size)


def rows(page, table):
    """The cells of each row of a table's body."""
    return [row.locator("th, td").all_inner_texts() for row in page.locator(f"{table} tbody tr").all()]
