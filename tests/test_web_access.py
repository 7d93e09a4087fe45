"""Accessibility of the page: keyboard, screen readers, contrast, reduced motion, phones, languages."""

import re

import pytest

from tests.support.browser import EMBEDDED, choose, expect, photo, sentence

pytestmark = EMBEDDED
# JavaScript that returns every visible text whose contrast with its background is below 4.5:1.
LOW_CONTRAST = """() => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgb = (colour) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data];
    };
    const light = (colour) => {
        const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = colour.map((part) => linear(part / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = rgb(getComputedStyle(at).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return [255, 255, 255, 255];
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
        if (element.closest(".unseen, :disabled, script")) continue;
        const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) found.push(texts.currentNode.data.trim());
    }
    return found;
}"""


def test_the_page_works_with_the_keyboard_alone(page):
    page.on("filechooser", lambda chooser: None)  # intercepts the chooser from now on, before the key is pressed
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    while page.evaluate("document.activeElement.id") != "files":
        page.keyboard.press("Tab")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([photo()])
    card = page.locator(".card")
    expect(sentence(card)).to_contain_text(".")
    first = sentence(card).inner_text()

    words = card.locator(".looker")
    for label in ("Search your descriptions", None):  # None: the summary of "Download list"
        page.keyboard.press("Tab")
        expect(page.get_by_label(label) if label else page.locator("summary", has_text="Download list")).to_be_focused()
    page.keyboard.press("Tab")
    expect(words).to_be_focused()
    expect(card.locator(".heat")).to_have_class("heat on")
    page.keyboard.press("ArrowRight")
    expect(words).to_have_value("1")
    page.keyboard.press("Tab")  # all words together are one tab stop
    expect(card.locator(".up")).to_be_focused()
    expect(card.locator(".heat")).to_have_class("heat")
    page.keyboard.press("Space")
    expect(card.locator(".up")).to_have_attribute("aria-pressed", "true")
    expect(card.locator(".up")).to_be_focused()

    card.locator(".ask button").first.focus()
    page.keyboard.press("Enter")
    expect(card.locator(".ask")).to_be_hidden()
    card.locator(".write").focus()
    page.keyboard.press("Enter")
    expect(card.locator("textarea")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card.locator(".write")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Two children on a beach.")
    page.keyboard.press("Enter")
    expect(card.locator(".better")).to_contain_text("Two children on a beach.")
    expect(card.locator(".write")).to_be_focused()

    card.locator(".another").focus()
    page.keyboard.press("Enter")
    expect(sentence(card)).not_to_have_text(first)
    expect(card.locator(".which")).to_have_text("2 of 2")
    expect(card.locator(".another")).to_be_focused()
    card.locator(".actions .remove").focus()
    page.keyboard.press("Enter")
    for key in ("Tab", "Enter"):  # the first button is Keep
        page.keyboard.press(key)
    expect(card).to_have_count(0)
    expect(page.locator("#files")).to_be_focused()


def test_a_new_caption_is_announced_to_screen_readers(page, card):
    expect(page.locator("[aria-live=polite]")).to_contain_text(sentence(card).inner_text())
    expect(page.locator("[aria-live=polite]")).to_contain_text("beach.png")


def test_every_control_has_a_name(page, card):
    for control in page.locator("button:visible, input:visible, a:visible, textarea:visible").all():
        snapshot = control.aria_snapshot()
        assert re.search(r'"[^"]+"', snapshot), snapshot


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(open_page, scheme):
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator("#empty")).to_be_visible()
    assert page.evaluate(LOW_CONTRAST) == []
    choose(page)
    card = page.locator(".card")
    card.locator(".down").click()
    expect(card.locator(".ask")).to_be_visible()
    card.locator(".word").first.click()
    card.locator(".write").click()
    assert page.evaluate(LOW_CONTRAST) == []
    card.locator("textarea").press("Enter")
    expect(card.locator(".better")).to_be_visible()
    page.get_by_role("button", name="Privacy").click()
    assert page.evaluate(LOW_CONTRAST) == []


def test_there_are_no_animations_with_reduced_motion(open_page):
    page = open_page(reduced_motion="reduce")
    choose(page)
    expect(page.locator(".card")).to_have_count(1)
    assert page.evaluate("document.getAnimations().length") == 0
    expect(sentence(page.locator(".card"))).to_contain_text(".")


def test_the_page_fits_a_phone_and_a_tap_on_a_word_shows_its_attention_map(open_page):
    page = open_page(viewport={"width": 360, "height": 720}, has_touch=True, is_mobile=True)
    choose(page)
    card = page.locator(".card")
    expect(sentence(card)).to_contain_text(".")
    card.locator(".word").first.tap()
    expect(card.locator(".heat")).to_have_class("heat on")
    card.locator(".word").first.tap()
    expect(card.locator(".heat")).to_have_class("heat")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in card.locator(".actions > :visible").all():
        box = button.bounding_box()
        assert box["width"] >= 44
        assert box["height"] >= 44


def test_the_page_is_german_for_german_browsers(open_page):
    page = open_page(locale="de-DE")
    expect(page.locator("h1")).to_have_text("Was ist auf deinem Foto?")
    choose(page)
    card = page.locator(".card")
    expect(card.locator(".in-words")).to_contain_text("von 10 Fällen")
    expect(card.locator("h3[lang=en]")).to_contain_text(".")
    expect(card.get_by_role("button", name="Andere Beschreibung")).to_be_visible()


def test_the_documentation_page_logs_no_errors(page):
    page.goto("/docs")
    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()


def test_privacy_is_short_until_more_is_opened(page):
    page.get_by_role("button", name="Privacy").click()
    rest = page.locator("#privacy details p")
    expect(page.locator("#retention")).to_be_visible()
    expect(rest).to_be_hidden()
    more = page.locator("#privacy summary")
    expect(more).to_have_text("More")
    more.press("Enter")
    expect(rest).to_be_visible()
