"""The gallery in a real browser: its order, older photos, other tabs, what waits, and what is no photo."""

import re

import pytest

from tests.support.browser import EMBEDDED, choose, expect, photo
from tests.support.web_client import new_photo

TRANSFER = """([kind, type, text]) => {
    const data = new DataTransfer();
    data.setData(type, text);
    const event = kind === "paste" ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
        : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
    return event.defaultPrevented;
}"""


def correct(card, text):
    card.locator(".write").click()
    card.get_by_label("Your description").fill(text)
    card.get_by_role("button", name="Save").click()
    expect(card.locator(".yours")).to_have_text(text)


@EMBEDDED
def test_what_a_person_wrote_is_copied_and_shown_also_with_another_sentence(page, card):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    correct(card, "Two children on a beach.")
    card.get_by_role("button", name="Try another").click()
    expect(card.locator(".which")).to_have_text("2 of 2")
    expect(card.locator(".yours")).to_have_text("Two children on a beach.")
    card.get_by_role("button", name="Copy as alt text").click()
    expect(card.locator(".copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "Two children on a beach."

    correct(card, "Three children on a beach.")  # under the second sentence
    card.get_by_role("button", name="Previous description").click()
    expect(card.locator(".yours")).to_have_text("Three children on a beach.")
    page.reload()
    expect(card.locator(".yours")).to_have_text("Three children on a beach.")


@EMBEDDED
def test_a_photo_that_is_sent_again_has_the_sentence_of_the_person_and_no_confidence(page):
    one = photo()
    choose(page, one)
    correct(page.locator(".card"), "Mia")  # too short to train on, but theirs
    choose(page, one)
    expect(page.locator(".yours")).to_have_text(["Mia", "Mia"])
    assert "null" not in page.locator("#live").inner_text()
    expect(page.locator(".card").first.locator(".confidence")).to_be_hidden()


@EMBEDDED
def test_photos_keep_the_order_in_which_they_were_chosen_after_a_reload(page):
    choose(page, *(photo(f"{number}.png") for number in range(5)))
    expect(page.locator(".result:visible")).to_have_count(5)
    chosen = sentences_and_sizes(page)
    choose(page, photo("later.png"))
    expect(page.locator(".result:visible")).to_have_count(6)
    assert sentences_and_sizes(page)[1:] == chosen  # newest first
    page.reload()
    expect(page.locator(".result:visible")).to_have_count(6)
    assert sentences_and_sizes(page)[1:] == chosen


def sentences_and_sizes(page):
    """What tells cards apart: sentences alone may be equal."""
    return [
        card.evaluate(
            "card => card.querySelector('.sentence').textContent + card.querySelector('.in-words').textContent"
        )
        for card in page.locator(".card").all()
    ]


@EMBEDDED
def test_older_photos_get_the_focus_and_are_announced(page):
    for _ in range(2):
        choose(page, *(photo() for _ in range(13)))
    expect(page.locator(".result:visible")).to_have_count(26)
    page.reload()
    page.get_by_role("button", name="Show older").click()
    expect(page.locator(".card")).to_have_count(26)
    expect(page.locator("#live")).to_have_text("2 older photos added. ")
    assert page.locator(":focus").evaluate("element => element.className") == "card"


@EMBEDDED
def test_many_photos_are_announced_by_counts(page):
    page.evaluate("""() => {
        window.announced = [];
        new MutationObserver(() => announced.push(document.getElementById("live").textContent.trim()))
            .observe(document.getElementById("live"), { childList: true });
    }""")
    choose(page, *(photo() for _ in range(20)))
    expect(page.locator("#live")).to_have_text("20 of 20 photos described. ")
    announced = page.evaluate("announced")
    assert announced[0] == "Adding 20 photos."
    assert len(announced) < 10
    assert all(re.match(r"(Adding )?\d+ (of 20 )?photos?( described)?\.", text) for text in announced)


@EMBEDDED
def test_a_second_tab_shows_what_happens_in_the_first(page, card):
    other = page.context.new_page()
    other.goto("/")
    there = other.locator(".card")
    expect(there).to_have_count(1)
    card.locator(".up").click()
    expect(there.locator(".up")).to_have_attribute("aria-pressed", "true")
    correct(card, "Two children on a beach.")
    expect(there.locator(".yours")).to_have_text("Two children on a beach.")
    choose(page, photo())
    expect(there).to_have_count(2)
    expect(there.locator(".result:visible")).to_have_count(2)
    page.locator(".card").first.locator(".actions .remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(there).to_have_count(1)
    page.get_by_role("button", name="Privacy").click()
    page.get_by_role("button", name="Delete all my data").click()
    page.get_by_role("button", name="Delete everything").click()
    expect(other.locator("#empty")).to_be_visible()


@EMBEDDED
@pytest.mark.parametrize(
    ("kind", "type", "text"),
    [
        ("paste", "text/plain", "https://pictures.example/cat.jpg"),
        ("paste", "text/html", '<img src="https://pictures.example/cat.jpg">'),
        ("drop", "text/uri-list", "https://pictures.example/cat.jpg"),
    ],
)
def test_the_address_of_a_photo_is_answered_with_what_to_do(page, kind, type, text):
    handled = page.evaluate(TRANSFER, [kind, type, text])
    expect(page.locator("#error")).to_contain_text("Save the photo first")
    assert handled or kind == "paste"  # otherwise the browser would leave the page


@EMBEDDED
def test_an_address_in_a_sentence_is_no_photo(page, card):
    card.locator(".write").click()
    page.evaluate(TRANSFER.replace("document.body", "document.querySelector('textarea')"),
                  ["paste", "text/plain", "https://pictures.example/cat.jpg"])  # fmt: skip
    expect(page.locator("#error")).to_be_hidden()


@pytest.mark.database("sqlite")
def test_photos_that_the_rate_limit_refuses_are_sent_when_it_allows(browser, new_client, new_service):
    client = new_client(new_service(rates="2/4second"))
    page = browser.new_page()
    page.goto(str(client.base_url))
    choose(page, *(photo() for _ in range(3)))
    waiting = page.locator(".error:visible")
    expect(waiting).to_contain_text("this photo will be sent at")
    expect(waiting.get_by_role("button", name="Try again")).to_be_hidden()
    expect(waiting.get_by_role("button", name="Delete")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("will be sent at")
    looking = page.locator(".stage:visible", has_text="Describing your photo")
    expect(looking).to_have_count(3)
    page.close()


@EMBEDDED
def test_without_javascript_a_form_sends_a_photo_and_a_page_shows_its_caption(open_page):
    page = open_page(java_script_enabled=False)
    expect(page.get_by_role("button", name="Privacy")).to_be_hidden()
    page.get_by_label("Choose a photo").set_input_files(
        {"name": "beach.png", "mimeType": "image/png", "buffer": new_photo()}
    )
    page.get_by_role("button", name="Describe photo").click()
    expect(page.locator("h2[lang=en]")).to_contain_text(".")
    assert page.locator("img:not(.brand img)").evaluate("picture => picture.naturalWidth") > 0
    page.get_by_role("link", name="Describe another photo").click()
    page.get_by_label("Choose a photo").set_input_files(
        {"name": "trick.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"}
    )
    page.get_by_role("button", name="Describe photo").click()
    expect(page.get_by_role("alert")).to_contain_text("I can't read that file.")
    assert all("415" in error for error in open_page.errors)  # browsers log every refused call
    open_page.errors.clear()


@EMBEDDED
def test_the_page_of_a_caption_is_for_its_person_alone(open_page):
    page = open_page(java_script_enabled=False)
    page.get_by_label("Choose a photo").set_input_files(photo())
    page.get_by_role("button", name="Describe photo").click()
    expect(page.locator("h2")).to_be_visible()
    other = open_page(java_script_enabled=False, locale="de-DE")
    other.goto(page.url)
    expect(other.get_by_role("alert")).to_contain_text("Diese Beschreibung finde ich nicht.")
    assert all("404" in error for error in open_page.errors)
    open_page.errors.clear()
