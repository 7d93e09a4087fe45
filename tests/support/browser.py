"""Fixtures and helpers for tests of the page in a real browser.

Test files need the mark EMBEDDED: the page is tested with `captionbot up` alone.
"""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.web_client import new_photo

EMBEDDED = pytest.mark.parametrize("site", ["embedded"], indirect=True, scope="module")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 30_000  # milliseconds, on a machine with other work


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("chromium is not installed here")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, site):
    """open_page(viewport=..., locale=...): opens the page in a new session. Errors in its console fail the test."""
    errors, contexts = [], []

    def open(**options):
        context = browser.new_context(base_url=site.url, **{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/")
        return page

    open.errors = errors
    yield open
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(open_page):
    return open_page()


def photo(name="beach.png"):
    return {"name": name, "mimeType": "image/png", "buffer": new_photo()}


def choose(page, *files):
    page.set_input_files("#files", list(files) or [photo()])


def sentence(card):
    return card.locator(".sentence")


@pytest.fixture
def card(page):
    """The card of a photo that is captioned."""
    choose(page)
    card = page.locator(".card")
    expect(sentence(card)).to_contain_text(".")
    return card
