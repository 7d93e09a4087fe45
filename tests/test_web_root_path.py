"""The site below a path of a host, behind a proxy that cuts the path off or leaves it: pages, API, events, cookies."""

import json
import re
from urllib.parse import urljoin

import pytest

from bots.web.app import create_site
from tests.support.browser import PATIENCE, choose, expect, sentence
from tests.support.stripping_proxy import stripping_proxy
from tests.support.web_client import Served, Visitor, new_photo

pytestmark = pytest.mark.database("sqlite")
ROOT_PATH = "/captions"


@pytest.fixture(params=[True, False], ids=["cut off", "whole"])
def proxy(request, service, web_settings):
    """The proxy's URL. All links must begin with the path, and the proxy knows no others."""
    settings = web_settings.model_copy(update={"web_root_path": ROOT_PATH})
    with (
        Served(create_site(service, settings)) as site,
        Served(stripping_proxy(site.url, ROOT_PATH, strip=request.param)) as proxy,
    ):
        yield proxy.url


@pytest.fixture
def ann(proxy):
    with Visitor(proxy + ROOT_PATH) as ann:
        yield ann


def links_of(text: str) -> set[str]:
    """Addresses in a page, and the modules that a script imports."""
    return set(re.findall(r'(?:href|src)="([^#"]+)"', text)) | set(re.findall(r'^import .* from "(.+)";', text, re.M))


@pytest.mark.parametrize("page", ["/captions/", "/captions/docs"])
def test_every_link_and_every_script_of_a_page_is_found(proxy, page):
    seen, waiting = set(), {page}
    with Visitor(proxy) as ann:
        while waiting:
            path = waiting.pop()
            answer = ann.get(path)
            assert answer.status_code == 200, path
            seen.add(path)
            if not path.endswith((".css", ".svg", ".json")):
                waiting |= {urljoin(path, link) for link in links_of(answer.text)} - seen
    assert {"/captions/", "/captions/docs", "/captions/static/api.js", "/captions/static/logo.svg"} <= seen


def test_a_photo_is_sent_streamed_and_read_by_the_addresses_that_the_api_gives(ann, proxy, worker, queued):
    photo = new_photo()
    sent = ann.send_photo(photo + bytes(200_000)).json()  # more than a body without a photo may have
    worker.caption(queued[-1])
    with ann.stream("GET", "/api/events", params={"id": sent["id"]}) as stream:
        events = "".join(stream.iter_text())
    caption = json.loads(re.search(r"^data: (.*)$", events, re.M)[1])
    assert caption["status"] == "done"
    assert caption["photo"] == f"/captions/api/captions/{sent['id']}/photo"
    assert ann.get(proxy + caption["photo"]).headers["content-type"] == "image/jpeg"
    assert ann.get("/openapi.json").json()["servers"] == [{"url": ROOT_PATH}]


def test_the_cookie_goes_to_this_site_of_the_host_alone_and_can_be_deleted(ann):
    assert "Path=/captions" in ann.get("/").headers["set-cookie"].split("; ")
    assert [cookie.path for cookie in ann.cookies.jar] == [ROOT_PATH]
    ann.delete("/api/me")
    assert list(ann.cookies.jar) == []


def test_a_redirect_stays_below_the_path(ann, proxy):
    answer = ann.get("/docs/")
    assert answer.is_redirect
    assert urljoin(proxy, answer.headers["location"]).endswith("/captions/docs")


def test_files_may_be_kept_and_answers_not(ann):
    assert ann.get("/static/app.js").headers["cache-control"] == "no-cache"
    assert ann.get("/api/me").headers["cache-control"] == "no-store"


def test_the_page_works_in_a_browser(browser, proxy, worker, queued):
    errors = []
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{proxy}/captions/")
    with page.expect_response("**/api/captions?album=*") as answer:
        choose(page)
    assert answer.value.status == 202
    worker.caption(queued[-1])
    expect(sentence(page.locator(".card"))).to_contain_text("a dog runs")
    page.reload()
    expect(sentence(page.locator(".card"))).to_contain_text("a dog runs")
    context.close()
    assert errors == []
