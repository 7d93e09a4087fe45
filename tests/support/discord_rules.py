"""Checks messages, modals and commands against the limits of the real API. Raises Rejected."""

import re
from typing import Any

Json = dict[str, Any]
COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")
NONCE, CONTENT, CUSTOM_ID = 25, 2000, 100
BUTTON, TEXT_INPUT, ROW, LABEL, MODAL = 2, 4, 1, 18, 9


class Rejected(Exception):
    """A response with an error status."""

    def __init__(self, status: int, code: int, message: str):
        super().__init__(message)
        self.status, self.body = status, {"code": code, "message": message}


def invalid(reason: str) -> Rejected:
    return Rejected(400, 50035, f"Invalid Form Body: {reason}")


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise invalid(reason)


def check_message(body: Json, files: int = 0) -> None:
    """A message that is sent or edited."""
    content = body.get("content") or ""
    require(isinstance(content, str) and len(content) <= CONTENT, "content: at most 2000 characters")
    if not content.strip() and not files and not body.get("embeds") and not body.get("attachments"):
        raise Rejected(400, 50006, "Cannot send an empty message")
    require(len(str(body.get("nonce", ""))) <= NONCE, "nonce: at most 25 characters")
    require(len(body.get("embeds") or []) <= 10, "embeds: at most 10")
    mentions = body.get("allowed_mentions") or {}
    for kind in ("users", "roles"):
        require(
            not (mentions.get(kind) and kind in mentions.get("parse", [])), f"allowed_mentions: {kind} is exclusive"
        )
    rows = body.get("components") or []
    require(len(rows) <= 5, "components: at most 5 rows")
    names = [check_button(button) for row in rows for button in check_row(row)]
    require(len(set(names)) == len(names), "components: custom_id cannot be duplicated")


def check_row(row: Json) -> list[Json]:
    require(row.get("type") == ROW, "components: an action row")
    require(1 <= len(row["components"]) <= 5, "components: 1 to 5 in a row")
    return list(row["components"])


def check_button(button: Json) -> str:
    require(button["type"] == BUTTON, "components: only buttons are known here")
    require(button.get("style") in (1, 2, 3, 4), "style: 1 to 4")
    require(1 <= len(button.get("custom_id", "")) <= CUSTOM_ID, "custom_id: 1 to 100 characters")
    require(len(button.get("label") or "") <= 80, "label: at most 80 characters")
    require(bool(button.get("label") or button.get("emoji")), "a button needs a label or an emoji")
    return str(button["custom_id"])


def check_modal(data: Json) -> None:
    require(1 <= len(data["title"]) <= 45, "title: 1 to 45 characters")
    require(1 <= len(data["custom_id"]) <= CUSTOM_ID, "custom_id: 1 to 100 characters")
    require(1 <= len(data["components"]) <= 5, "components: 1 to 5")
    for part in data["components"]:
        require(part["type"] in (ROW, LABEL), "components: labels or rows")
        field = part["component"] if part["type"] == LABEL else part["components"][0]
        label = part["label"] if part["type"] == LABEL else field["label"]
        require(1 <= len(label) <= 45, "label: 1 to 45 characters")
        require(field["type"] == TEXT_INPUT, "components: only text inputs are known here")
        require(len(field.get("placeholder") or "") <= 100, "placeholder: at most 100 characters")
        require(1 <= field.get("max_length", 4000) <= 4000, "max_length: 1 to 4000")
        require(len(field.get("value") or "") <= field.get("max_length", 4000), "value: longer than max_length")


def check_commands(commands: list[Json]) -> None:
    """A whole list, as it is uploaded."""
    for kind, most in ((1, 100), (2, 15), (3, 15)):
        names = [command["name"] for command in commands if command.get("type", 1) == kind]
        require(len(names) <= most, f"at most {most} commands of type {kind}")
        require(len(set(names)) == len(names), "names must be unique")
    for command in commands:
        require(set(command.get("integration_types") or [0]) <= {0, 1}, "integration_types: 0 or 1")
        require(set(command.get("contexts") or []) <= {0, 1, 2}, "contexts: 0, 1 or 2")
        if command.get("type", 1) == 1:
            check_option(command)
        else:
            require(1 <= len(command["name"]) <= 32, "name: 1 to 32 characters")
            require(not command.get("description"), "a context menu has no description")
            require(not command.get("options"), "a context menu has no options")


def check_option(option: Json) -> None:
    """A slash command, one of its options, or a command under it."""
    name = option["name"]
    require(bool(COMMAND_NAME.fullmatch(name)) and name == name.lower(), f"name: {name!r}")
    for text in (option.get("description", ""), *(option.get("description_localizations") or {}).values()):
        require(1 <= len(text) <= 100, f"description of {name}: 1 to 100 characters")
    require(len(option.get("options") or []) <= 25, "at most 25 options")
    require(len(option.get("choices") or []) <= 25, "at most 25 choices")
    for choice in option.get("choices") or []:
        for text in (choice["name"], *(choice.get("name_localizations") or {}).values()):
            require(1 <= len(text) <= 100, "name of a choice: 1 to 100 characters")
    optional = False
    for inner in option.get("options") or []:
        require(not (optional and inner.get("required")), "required options come first")
        optional = not inner.get("required")
        check_option(inner)
