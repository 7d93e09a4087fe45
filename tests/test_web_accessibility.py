"""The page for people who do not see it or use no mouse: axe-core, the accessibility tree, the keyboard, languages."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.browser import EMBEDDED, choose, expect, photo, sentence
from tests.support.screen_reader import hear

pytestmark = EMBEDDED
DOCS = Path(__file__).resolve().parent.parent / "docs/accessibility.md"
LOOKS = {"light": {}, "dark": {"color_scheme": "dark"}, "forced colours": {"forced_colors": "active"}}


def violations(page) -> str:
    page.wait_for_timeout(350)  # the animation of new cards: axe measures the contrast of what is half transparent
    found = Axe().run(page)
    return found.generate_report() if found.violations_count else ""


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_an_empty_page_and_on_cards_in_every_state(open_page, look):
    page = open_page(**LOOKS[look])
    expect(page.locator("#empty")).to_be_visible()
    assert violations(page) == ""

    choose(page, photo("one.png"), photo("two.png"))
    expect(page.locator(".result:visible")).to_have_count(2)
    assert violations(page) == ""

    card = page.locator(".card").first
    card.get_by_role("button", name="Good description").click()
    expect(card.locator(".ask")).to_be_visible()
    card.get_by_role("button", name="Write your own").click()
    assert violations(page) == ""
    card.get_by_label("Your description").fill("Two children on a beach.")
    card.get_by_role("button", name="Save").click()
    expect(card.locator(".yours")).to_be_visible()
    assert violations(page) == ""

    page.get_by_label("Search your descriptions").fill("two children")
    expect(page.locator("#found")).to_have_text("One photo found.")
    page.get_by_text("Download list").click()
    assert violations(page) == ""
    page.get_by_label("Search your descriptions").fill("nothing like that")
    expect(page.locator("#found")).to_have_text("No photo found.")
    assert violations(page) == ""

    page.get_by_role("button", name="Privacy").click()
    assert violations(page) == ""
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_label("Link", exact=True)).to_be_focused()
    link = page.get_by_label("Link", exact=True).input_value()
    assert violations(page) == ""
    other = open_page(**LOOKS[look])
    other.goto(link)
    assert violations(other) == ""
    other.get_by_role("button", name="Join").click()
    expect(other.locator("#joined")).to_be_visible()
    assert violations(other) == ""


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_while_a_photo_waits_and_when_it_fails(open_page, look):
    page = open_page(**LOOKS[look])
    page.route("**/api/events*", lambda route: None)  # never answered
    choose(page)
    expect(page.locator(".stage")).to_have_text("Describing your photo …")
    choose(page, {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": bytes(3_000_000)})
    expect(page.locator(".card .error:visible")).to_have_count(1)
    assert violations(page) == ""


def test_a_screen_reader_hears_what_the_documentation_prints(page, card):
    caption = sentence(card).locator("h3").inner_text()
    heard = "\n".join(hear(card))
    heard = heard.replace(caption, "CAPTION").replace(card.locator(".in-words").inner_text(), "SURENESS")
    printed = re.search(r"```text\n(list item.*?)\n```", DOCS.read_text(), re.S)
    assert printed, "the documentation prints no card"
    assert heard == printed[1]


def test_a_caption_is_heard_once_where_it_is_read_and_is_the_name_of_its_card_and_buttons(page, card):
    caption = sentence(card).locator("h3").inner_text()
    heard = [line for line in hear(card) if caption in line]
    assert heard == [f'list item "{caption}"', f'heading level 3 "{caption}"', f'group "{caption}"']
    page.reload()
    expect(sentence(card)).to_contain_text(caption)
    assert hear(card)[0] == f'list item "{caption}"'


def test_what_a_person_wrote_becomes_the_name_of_the_card(card):
    card.get_by_role("button", name="Write your own").click()
    card.get_by_label("Your description").fill("Zwei Kinder am Strand.")
    card.get_by_role("button", name="Save").click()
    expect(card.locator("h3")).to_have_text(["Zwei Kinder am Strand."])
    assert hear(card)[0] == 'list item "Zwei Kinder am Strand."'
    assert card.locator("h3").get_attribute("lang") is None  # nobody knows in which language people write


def test_on_a_german_page_captions_are_marked_as_english_also_where_they_are_announced(open_page):
    page = open_page(locale="de-DE")
    choose(page)
    heading = page.locator(".sentence h3")
    expect(heading).to_have_attribute("lang", "en")
    announced = page.locator("#live [lang=en]")
    expect(announced).to_have_text(f"{heading.inner_text()} ")
    expect(page.locator("#live")).to_contain_text(re.compile(r"10 Fällen"))
    assert page.locator("html").get_attribute("lang") == "de"


def test_the_whole_page_is_used_by_the_keyboard_alone(page):
    def tab_to(name):
        for _ in range(30):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            if name in ((focused.get_attribute("aria-label") or ""), focused.inner_text(), focused.get_attribute("id")):
                return focused
        raise AssertionError(f"the Tab key does not reach {name}")

    tab_to("files")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files([photo("beach.png")])
    card = page.locator(".card")
    expect(sentence(card)).to_contain_text(".")

    slider = tab_to("Where captionbot looked, word by word")
    expect(card.locator(".heat")).to_have_class("heat on")
    words = card.locator(".word").all_inner_texts()
    page.keyboard.press("ArrowRight")
    expect(card.locator(".word.shown")).to_have_text(words[min(1, len(words) - 1)])
    assert slider.get_attribute("aria-valuetext") == words[min(1, len(words) - 1)]

    tab_to("Good description")
    page.keyboard.press("Space")
    expect(card.locator(".ask")).to_be_visible()
    tab_to("Yes, keep them")  # it comes after the thumbs, so the Tab key does not skip it
    page.keyboard.press("Enter")
    expect(card.locator(".ask")).to_be_hidden()
    expect(card.locator(".up")).to_be_focused()

    tab_to("Write your own")
    page.keyboard.press("Enter")
    page.keyboard.type("Two children on a beach.")  # what stood there is selected
    page.keyboard.press("Enter")
    expect(card.locator(".yours")).to_have_text("Two children on a beach.")
    expect(card.locator(".write")).to_be_focused()

    for _ in range(3):
        page.keyboard.press("Shift+Tab")
    expect(card.locator(".another")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card.locator(".which")).to_have_text("2 of 2")
    expect(card.locator(".another")).to_be_focused()

    page.keyboard.press("Shift+Tab")  # over the thumbs, the slider and the pager's button to the search field
    while page.locator(":focus").get_attribute("id") != "query":
        page.keyboard.press("Shift+Tab")
    page.keyboard.type("two children")
    expect(page.locator("#live")).to_have_text("One photo found. ")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_hidden()

    tab_to("Delete")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#confirm-yes")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    expect(page.locator("#files")).to_be_focused()


def test_in_forced_colours_the_bar_and_the_edges_of_cards_are_seen(open_page):
    page = open_page(forced_colors="active")
    choose(page)
    expect(page.locator(".result")).to_be_visible()
    colour = "(element, name) => getComputedStyle(element)[name]"
    ground = page.locator(".card").evaluate(colour, "backgroundColor")
    assert page.locator(".level").evaluate(colour, "backgroundColor") != ground
    assert page.locator(".card").evaluate(colour, "borderTopColor") != ground
    assert page.locator(".card").evaluate(colour, "borderTopWidth") == "1px"


def test_a_screen_with_fingers_is_told_to_tap(open_page):
    page = open_page(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setEmulatedMedia", {"features": [{"name": "hover", "value": "none"}]})
    choose(page)
    expect(page.locator(".result")).to_be_visible()
    expect(page.get_by_text("Tap a word to see where captionbot looked.")).to_be_visible()
    expect(page.get_by_text("Point at a word to see where captionbot looked.")).to_be_hidden()
    page.locator(".word").first.tap()
    expect(page.locator(".heat")).to_have_class("heat on")
