"""Takes docs/images/page.png: the page in a browser, with photos that the bundled model has described.

python -m tests.support.page_picture docs/images/page.png samples/cat.jpg samples/zebra.jpg samples/teddy_bear.jpg
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.browser import CHROMIUM, PATIENCE
from tests.support.processes import Installation


def screenshot(browser: Browser, url: str, photos: list[Path]) -> bytes:
    """A PNG of the page once all photos are described; the first one is the newest."""
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.goto(url)
    for count, photo in enumerate(reversed(photos), start=1):
        page.locator("input[type=file]").set_input_files(photo)
        expect(page.locator(".card .bar:visible")).to_have_count(count, timeout=PATIENCE)
    page.mouse.move(0, 0)
    png: bytes = page.screenshot(animations="disabled")
    return png


def main(output: Path, *photos: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        installation = Installation(Path(folder), log_level="INFO")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            png = screenshot(browser, installation.start("up").url(), [*photos])
        finally:
            installation.clean()
            browser.close()
    with Image.open(io.BytesIO(png)) as picture:  # a palette of 256 colours halves the file
        picture.convert("RGB").quantize(256, kmeans=2).save(output, optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
