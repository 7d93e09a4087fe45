"""The web application: security headers, pages, files, errors."""

import json
import re

import pytest

from bots.i18n import languages, say
from bots.web.app import FOLDER, create_site
from tests.support.web_client import Served, Visitor

pytestmark = pytest.mark.database("sqlite")


@pytest.mark.parametrize("path", ["/", "/docs", "/static/app.js", "/api/me", "/api/captions/none", "/nowhere"])
def test_every_response_has_a_strict_content_security_policy(client, path):
    headers = client.get(path).headers
    policy = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"  # of the page without JavaScript
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_have_no_inline_scripts_and_styles(client, path):
    page = client.get(path).text
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.S)
    assert all("src=" in attributes or 'type="application/json"' in attributes for attributes, _ in scripts)
    assert "<style" not in page
    assert not re.search(r'\s(style|on\w+)="', page)


def test_nothing_is_loaded_from_other_sites(client):
    for file in FOLDER.iterdir():
        addresses = re.findall(r"https?://[\w.:]+", file.read_text())
        assert set(addresses) <= {"http://www.w3.org", "http://localhost:8000"}, file.name
    assert "//" not in re.sub(
        r"http://localhost:8000", "", " ".join(re.findall(r'(?:src|href)="(.*?)"', client.get("/").text))
    )


@pytest.mark.parametrize(("asked", "language"), [("de-CH, en;q=0.5", "de"), ("en", "en"), ("fr", "en"), (None, "en")])
def test_the_page_is_in_the_language_of_the_browser(client, asked, language):
    answer = client.get("/", headers={"Accept-Language": asked} if asked else {"Accept-Language": ""})
    assert f'<html lang="{language}">' in answer.text
    assert say(language, "web.question") in answer.text
    assert answer.headers["vary"] == "Accept-Language"


@pytest.mark.parametrize("language", languages())
def test_the_page_has_every_text_that_its_scripts_use(client, language):
    page = client.get("/", headers={"Accept-Language": language}).text
    texts = json.loads(re.search(r'<script type="application/json" id="texts">(.*?)</script>', page, re.S)[1])["texts"]
    used = {key for file in FOLDER.glob("*.js") for key in re.findall(r'\btext\("(\w+)"', file.read_text())}
    assert {"copied", "unreached", "which"} <= used <= texts.keys()
    assert "{{" not in page


def test_the_page_sets_an_anonymous_cookie_that_scripts_cannot_read(client):
    cookie = client.get("/").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_behind_https_the_cookie_is_secure(client):
    answer = client.get("/", headers={"X-Forwarded-Proto": "https"})  # of a proxy on this machine
    assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_a_modified_cookie_is_replaced_by_a_new_one(client):
    client.get("/")
    name, value = next(iter(client.cookies.items()))
    client.cookies.clear()
    client.cookies.set(name, "x" * 22 + value[22:])
    assert client.get("/api/me").headers["set-cookie"].startswith("captionbot=")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_cross_site_requests_are_refused(client, headers):
    answer = client.delete("/api/me", headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (403, "forbidden")
    assert client.get("/api/me", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://photos.example"}, {}])
def test_same_origin_requests_and_other_clients_may_change_data(client, headers):
    assert client.delete("/api/me", headers={"Host": "photos.example", **headers}).status_code == 200


def test_the_documentation_lists_every_endpoint_with_its_responses(client):
    page, schema = client.get("/docs").text, client.get("/openapi.json").json()
    assert len(schema["paths"]) == 15
    for path, calls in schema["paths"].items():
        assert f"<code>{path}</code>" in page
        for call in calls.values():
            assert call["description"].split("`")[0].split('"')[0][:40] in page
            assert len(call["responses"]) > 0
    answers = schema["paths"]["/api/captions"]["post"]["responses"]
    assert set(answers) == {"200", "202", "401", "408", "413", "415", "422", "429", "503"}
    assert "multipart/form-data" in schema["paths"]["/api/captions"]["post"]["requestBody"]["content"]


def test_every_error_response_is_documented_with_the_schema_of_problems(client):
    schema = client.get("/openapi.json").json()
    answers = [
        answer for calls in schema["paths"].values() for call in calls.values() for answer in call["responses"].items()
    ]
    problems = {
        answer["content"]["application/json"]["schema"]["$ref"] for status, answer in answers if int(status) >= 400
    }
    assert problems == {"#/components/schemas/Problem"}


def test_an_internal_error_reveals_nothing_and_is_counted(service, web_settings):
    site = create_site(service, web_settings)

    @site.get("/faulty")
    def faulty() -> None:
        raise RuntimeError("a secret of the inside")

    with Served(site) as served, Visitor(served.url) as visitor, Visitor(served.url) as another:
        answer = visitor.get("/faulty")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "captionbot_web_faults_total 1.0" in another.get("/metrics").text
