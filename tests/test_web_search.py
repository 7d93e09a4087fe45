"""Search, settings, devices, saving and deleting on the page, in a real browser."""

import re

import pytest

from tests.support.browser import EMBEDDED, choose, expect, photo, sentence
from tests.support.processes import until

pytestmark = EMBEDDED


def correct(card, text):
    card.locator(".write").click()
    card.get_by_label("Your description").fill(text)
    card.get_by_role("button", name="Save", exact=True).click()
    expect(card.locator(".yours")).to_have_text(text)


def search(page, query, found):
    page.get_by_label("Search your descriptions").fill(query)
    expect(page.locator("#found")).to_have_text(found)


@pytest.fixture
def filled(page):
    """A page with 30 photos, of which 26 are foxes and one is a wolf; only 24 are loaded."""
    choose(page, *(photo(f"{number}.png") for number in range(30)))
    expect(page.locator(".result:visible")).to_have_count(30)
    for number, card in enumerate(page.locator(".card").all()[:27]):
        correct(card, "A wolf in the snow." if number == 26 else "A fox in the snow.")
    page.reload()
    expect(page.locator(".result:visible")).to_have_count(24)
    return page


def test_a_search_finds_what_is_not_loaded_yet_and_shows_older_ones(filled):
    page = filled
    search(page, "wolf", "One photo found.")
    expect(page.locator(".yours")).to_have_text(["A wolf in the snow."])
    expect(page.locator("#live")).to_have_text(re.compile("One photo found"))
    expect(page.locator("#older")).to_be_hidden()
    search(page, "fox sn", "The newest 24 photos are shown. There are older ones.")
    page.get_by_role("button", name="Show older").click()
    expect(page.locator(".card")).to_have_count(26)
    expect(page.locator("#live")).to_have_text("2 older photos added. ")
    page.get_by_label("Search your descriptions").fill("")
    expect(page.locator("#found")).to_be_hidden()
    expect(page.locator(".card")).to_have_count(24)  # as before
    page.get_by_role("button", name="Show older").click()
    expect(page.locator(".card")).to_have_count(30)


def test_what_is_found_can_be_changed_and_removed(page, card):
    correct(card, "A fox in the snow.")
    choose(page, photo("other.png"))
    expect(page.locator(".result:visible")).to_have_count(2)
    search(page, "fox", "One photo found.")
    card.locator(".up").click()
    expect(card.locator(".up")).to_have_attribute("aria-pressed", "true")
    card.locator(".actions .remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".card")).to_have_count(0)
    page.get_by_label("Search your descriptions").fill("")
    expect(page.locator(".card")).to_have_count(1)


def test_a_photo_that_is_sent_ends_the_search(page, card):
    search(page, "zebra", "No photo found.")
    choose(page, photo("other.png"))
    expect(page.locator(".result:visible")).to_have_count(2)
    expect(page.get_by_label("Search your descriptions")).to_have_value("")


def test_nobody_finds_the_captions_of_others(open_page, card):
    correct(card, "A fox in the snow.")
    other = open_page()
    choose(other)
    expect(other.locator(".result:visible")).to_have_count(1)
    search(other, "fox", "No photo found.")


def test_a_card_has_the_name_of_its_file_after_a_reload_and_is_saved_under_it(page, card):
    page.reload()
    save = card.get_by_role("link", name="Save photo")
    with page.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == "beach.jpg"


def test_the_list_is_downloaded_from_the_page(page, card):
    page.get_by_text("Download list").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Table (CSV)").click()
    assert download.value.suggested_filename == "captions.csv"
    assert "beach.png" in download.value.path().read_text("utf-8-sig")


def test_a_card_is_shared_with_its_photo_where_the_browser_can(page, card):
    expect(card.locator(".share")).to_be_hidden()  # this browser cannot
    page.add_init_script("""
        navigator.canShare = () => true;
        navigator.share = async (data) => { window.shared = [data.text, data.files[0].name, data.files[0].type]; };
    """)
    page.reload()
    card.get_by_role("button", name="Share").click()
    said = sentence(card).locator("h3").inner_text()
    until(lambda: page.evaluate("window.shared"))
    assert page.evaluate("window.shared") == [said, "beach.jpg", "image/jpeg"]


def test_the_settings_open_before_the_server_answers(open_page):
    page = open_page()
    slow = []
    page.route("**/api/me", lambda route: slow.append(route))
    page.reload()
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    expect(page.get_by_label("Short")).to_be_disabled()
    slow[0].continue_()
    page.get_by_label("Short").check()
    expect(page.locator("#settings-status")).to_have_text("Saved. It holds for your next photos.")


def test_what_was_saved_is_still_said_when_the_dialog_has_filled(open_page):
    page = open_page()
    slow = []
    page.route("**/api/me/devices", lambda route: slow.append(route))
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Short").check()
    expect(page.locator("#settings-status")).to_have_text("Saved. It holds for your next photos.")
    with page.expect_response("**/api/me/devices"):
        slow[0].continue_()
    page.wait_for_timeout(200)  # for the page to read the answer
    expect(page.locator("#settings-status")).to_have_text("Saved. It holds for your next photos.")


@pytest.mark.parametrize("name", ["Settings", "Privacy"])
def test_a_dialog_that_the_server_did_not_fill_is_filled_when_it_is_opened_again(open_page, name):
    page = open_page()
    page.route("**/api/me", lambda route: route.fulfill(status=503, json={"detail": "The store is full."}))
    page.reload()
    expect(page.locator("#error")).to_have_text("The store is full.")
    page.get_by_role("button", name=name).click()
    dialog = page.get_by_role("dialog", name=name)
    expect(dialog.locator("[role=status]")).to_have_text("The store is full.")
    page.keyboard.press("Escape")
    page.unroute("**/api/me")
    page.get_by_role("button", name=name).click()
    expect(dialog.locator("[role=status]")).to_have_text("")
    expect(dialog.locator("input:visible").first).to_be_enabled()
    assert all("503" in error for error in open_page.errors)  # the browser's own lines about the two answers
    open_page.errors.clear()


def test_the_consent_is_still_shown_when_the_dialog_is_opened_again(page):
    page.get_by_role("button", name="Privacy").click()
    page.get_by_role("switch").check()
    expect(page.locator("#privacy-status")).not_to_be_empty()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Privacy").click()
    expect(page.get_by_role("switch")).to_be_checked()


def test_preferences_are_kept(page):
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Short").check()
    expect(page.locator("#settings-status")).to_have_text("Saved. It holds for your next photos.")
    page.get_by_label("Quickly").check()
    page.reload()
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("Short")).to_be_checked()
    expect(page.get_by_label("Quickly")).to_be_checked()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_another_browser_joins_the_list_and_can_be_removed(browser, site, open_page, card, page, script):
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link", exact=True)
    expect(link).to_be_focused()
    address = link.input_value()
    assert address.startswith(f"{site.url}/join#")

    other = open_page(java_script_enabled=script)
    other.goto(address)
    expect(other.get_by_text("Whoever made it will see every photo")).to_be_visible()
    if script:
        assert other.url == f"{site.url}/join"  # the secret is out of the address
    else:
        other.get_by_label("Your link").fill(address)
    other.get_by_role("button", name="Join").click()
    other.wait_for_url(f"{site.url}/")
    if script:
        expect(other.locator(".card")).to_have_count(1)
        expect(other.locator("#joined")).to_be_visible()

    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Settings").click()
    expect(page.locator("#device-count")).to_have_text("One other browser has joined.")
    expect(link).to_be_hidden()
    page.get_by_role("button", name=re.compile("End access Joined")).click()
    expect(page.locator("#devices li")).to_have_count(0)
    if script:
        other.reload()
        expect(other.locator("#empty")).to_be_visible()
        expect(other.locator("#joined")).to_be_hidden()


def test_deleting_everything_says_how_much_it_was(page, card):
    page.get_by_role("button", name="Privacy").click()
    page.get_by_role("button", name="Delete all my data").click()
    page.get_by_role("button", name="Delete everything").click()
    status = page.locator("#privacy-status")
    expect(status).to_have_text("One description and everything else of yours was deleted.")
