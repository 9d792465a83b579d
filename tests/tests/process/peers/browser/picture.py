"""The picture of `docs/board.md`."""

from tools import browser, page_of, settle


def picture(address):
    """Writes `docs/board.png`; `docs/board.md` says of which runs."""
    with browser() as started:
        with page_of(started, address, (1280, 1000), "light") as page:
            settle(page, "accuracy")
            page.wait_for_timeout(1000)
            page.screenshot(path="docs/board.png")
