"""The page in a real browser: uploads, votes, corrections, the gallery."""

import base64
import re

from tests.support.browser import EMBEDDED, choose, expect, photo, sentence
from tests.support.web_client import new_photo

pytestmark = EMBEDDED
NEW_FILE = """
    const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "beach.png", { type: "image/png" }));
"""
DROP = f"""(base64) => {{ {NEW_FILE}
    for (const kind of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, {{ dataTransfer: data, bubbles: true, cancelable: true }}));
}}"""
PASTE = f"""(base64) => {{ {NEW_FILE}
    document.body.dispatchEvent(new ClipboardEvent("paste", {{ clipboardData: data, bubbles: true }}));
}}"""


def test_a_photo_is_dropped_captioned_rated_corrected_and_found_again(page):
    page.evaluate(DROP, base64.b64encode(new_photo()).decode())
    card = page.locator(".card")
    expect(card).to_have_attribute("aria-label", "beach.png")
    expect(sentence(card)).to_contain_text(".")
    first = sentence(card).inner_text()

    card.get_by_role("button", name="Good description").click()
    expect(card.get_by_role("button", name="Good description")).to_have_attribute("aria-pressed", "true")
    card.get_by_role("button", name="Yes, keep them").click()
    expect(card.locator(".ask")).to_be_hidden()

    card.get_by_role("button", name="Write your own").click()
    card.get_by_label("Your description").fill("Two children on a beach.")
    card.get_by_role("button", name="Save").click()
    expect(card.locator(".better")).to_contain_text("Two children on a beach.")

    card.get_by_role("button", name="Try another").click()
    expect(card.locator(".which")).to_have_text("2 of 2")
    expect(sentence(card)).not_to_have_text(first)
    expect(card.get_by_role("button", name="Good description")).to_have_attribute("aria-pressed", "false")
    second = sentence(card).inner_text()

    page.reload()
    expect(page.locator(".card")).to_have_count(1)
    expect(sentence(card)).to_have_text(second)
    card.get_by_role("button", name="Previous description").click()
    expect(sentence(card)).to_have_text(first)
    expect(card.get_by_role("button", name="Good description")).to_have_attribute("aria-pressed", "true")
    expect(card.locator(".better")).to_contain_text("Two children on a beach.")
    expect(card.locator(".picture")).to_have_js_property("complete", True)
    assert card.locator(".picture").evaluate("picture => picture.naturalWidth") > 0
    page.get_by_role("button", name="Privacy").click()
    expect(page.get_by_role("switch")).to_be_checked()


def test_a_photo_can_be_pasted(page):
    page.evaluate(PASTE, base64.b64encode(new_photo()).decode())
    expect(sentence(page.locator(".card"))).to_contain_text(".")


def test_each_of_several_photos_gets_a_card_in_the_order_they_were_chosen(page):
    choose(page, photo("one.png"), photo("two.png"), photo("three.png"))
    cards = page.locator(".card")
    expect(cards).to_have_count(3)
    assert [card.get_attribute("aria-label") for card in cards.all()] == ["one.png", "two.png", "three.png"]
    for card in cards.all():
        expect(sentence(card)).to_contain_text(".")
    assert len({sentence(card).inner_text() for card in cards.all()}) > 1


def test_hovering_over_a_word_shows_its_attention_map(card):
    heat, word = card.locator(".heat"), card.locator(".word").first
    expect(heat).to_have_class("heat")
    word.hover()
    expect(heat).to_have_class("heat on")
    painted = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    assert heat.evaluate(painted) > 10
    card.locator(".stage, .confidence").last.hover()
    expect(heat).to_have_class("heat")


def test_a_file_that_is_no_photo_shows_an_error_and_can_be_removed(page, open_page):
    choose(page, {"name": "trick.jpg", "mimeType": "image/jpeg", "buffer": b"<html><script>alert(1)</script>"})
    card = page.locator(".card")
    expect(card.locator(".error")).to_contain_text("I can't read that file.")
    expect(card.locator(".again")).to_be_hidden()  # it would be refused again
    card.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    assert all("415" in error for error in open_page.errors)  # browsers log every refused call
    open_page.errors.clear()


def test_a_file_that_is_no_picture_is_ignored_with_a_message(page):
    choose(page, {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"})
    expect(page.locator("#error")).to_have_text("One file isn't a photo, so it was skipped.")
    expect(page.locator(".card")).to_have_count(0)


def test_a_file_that_is_too_large_is_not_uploaded(page):
    choose(page, {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": bytes(3_000_000)})
    expect(page.locator(".card .error")).to_contain_text(re.compile(r"This file is 3\sMB. The limit is 2\sMB."))


def test_a_lost_connection_shows_an_error_and_the_upload_can_be_retried(page, open_page):
    page.context.set_offline(True)
    choose(page)
    card = page.locator(".card")
    expect(card.locator(".error")).to_contain_text("Can't reach the server.")
    page.context.set_offline(False)
    card.get_by_role("button", name="Try again").click()
    expect(sentence(card)).to_contain_text(".")
    assert all("ERR_INTERNET_DISCONNECTED" in error for error in open_page.errors)
    open_page.errors.clear()


def test_a_slow_photo_shows_a_message(page):
    page.clock.install()
    page.route("**/api/events*", lambda route: None)  # never answered
    page.reload()
    choose(page)
    expect(page.locator(".card .stage")).to_have_text("Describing your photo …")
    page.clock.fast_forward(15_000)
    expect(page.locator(".card .stage")).to_contain_text("longer than usual")


def test_a_vote_can_be_changed_and_taken_back(page, card):
    up, down = card.locator(".up"), card.locator(".down")
    for button, pressed in ((up, ("true", "false")), (down, ("false", "true")), (down, ("false", "false"))):
        button.click()
        expect(up).to_have_attribute("aria-pressed", pressed[0])
        expect(down).to_have_attribute("aria-pressed", pressed[1])


def test_a_removed_photo_does_not_come_back(page, card):
    card.locator(".actions .remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(card).to_have_count(1)
    card.locator(".actions .remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    page.reload()
    expect(page.locator("#empty")).to_be_visible()
    expect(card).to_have_count(0)


def test_a_person_can_delete_all_their_data(page, card):
    page.get_by_role("button", name="Privacy").click()
    page.get_by_role("button", name="Delete all my data").click()
    page.get_by_role("button", name="Delete everything").click()
    expect(page.locator("#empty")).to_be_visible()
    expect(card).to_have_count(0)


def test_a_sentence_is_copied_as_alt_text(page, card):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card.get_by_role("button", name="Copy as alt text").click()
    expect(card.locator(".copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == sentence(card).inner_text()


def test_older_captions_are_loaded_on_demand(page):
    for _ in range(3):
        choose(page, *(photo() for _ in range(9)))
    expect(page.locator(".result:visible")).to_have_count(27)
    page.reload()
    expect(page.locator(".card")).to_have_count(24)
    page.get_by_role("button", name="Show older").click()
    expect(page.locator(".card")).to_have_count(27)
    expect(page.get_by_role("button", name="Show older")).to_be_hidden()


def test_for_another_visitor_the_page_is_empty(open_page, card):
    other = open_page()
    expect(other.locator("#empty")).to_be_visible()
    expect(other.locator(".card")).to_have_count(0)
