"""LABEL_CAPTIONS on the page and in the API. See also test_ai_label.py."""

import pytest

from tests.support.browser import choose, expect, sentence
from tests.support.processes import Installation
from tests.support.web_site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory, tiny_model):
    installation = Installation(tmp_path_factory.mktemp("site"), model_dir=tiny_model, label_captions=True)
    page = installation.start("up")
    yield Site(page.url())
    installation.clean()


def copied(page, card):
    """What "Copy as alt text" puts into the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card.locator(".copy").click()
    expect(page.locator("#live")).to_have_text("Kopiert ")
    return page.evaluate("navigator.clipboard.readText()")


def test_card_live_region_and_clipboard_begin_with_the_label(open_page):
    page = open_page(locale="de-DE")
    choose(page)
    card = page.locator(".card")
    expect(sentence(card)).to_contain_text(".")
    heading = sentence(card).locator("h3")
    said = heading.inner_text()
    assert said.startswith("KI: ")
    assert "KI: KI:" not in said
    assert heading.locator("[lang=de]").inner_text() == "KI:"
    assert f"{said} " in page.locator("#live").inner_text().replace("  ", " ")
    assert copied(page, card) == said


def test_what_a_person_wrote_has_no_label(open_page):
    page = open_page(locale="de-DE")
    choose(page)
    card = page.locator(".card")
    expect(sentence(card)).to_contain_text(".")
    card.locator(".write").click()
    field = card.locator("textarea")
    assert not field.input_value().startswith("KI:")
    field.fill("Zwei Kinder am Strand.")
    field.press("Enter")
    expect(card.locator(".yours")).to_have_text("Zwei Kinder am Strand.")
    assert copied(page, card) == "Zwei Kinder am Strand."


def test_the_api_has_the_label_in_a_field_of_its_own(site):
    with site.person() as person:
        caption = person.finished_caption(person.send_photo())
    assert caption["label"] == "AI:"
    assert not caption["caption"].startswith("AI:")
    assert not caption["alt_text"].startswith("AI:")
