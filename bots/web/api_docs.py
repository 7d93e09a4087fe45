"""The page /docs, generated from /openapi.json. The usual viewers load scripts from other sites."""

import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

PAGE = Template(Path(__file__).with_name("static").joinpath("docs.html").read_text("utf-8"))
METHODS = ("get", "post", "put", "delete")


def add_docs(site: FastAPI, root_path: str = "") -> None:
    """Serve /docs, whose links begin with the root path."""

    @cache
    def page() -> str:
        schema = site.openapi()
        sections = [
            _operation(method, path, operations[method])
            for path, operations in schema["paths"].items()
            for method in METHODS
            if method in operations
        ]
        schemas = schema["components"]["schemas"].items()
        return PAGE.substitute(
            root=root_path,
            description=html.escape(schema["info"]["description"]),
            operations="\n".join(sections),
            schemas="\n".join(_schema(name, value) for name, value in schemas if "properties" in value),
        )

    @site.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    def docs() -> str:
        return page()


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    inputs = [
        (f"{_code(parameter['name'])} <small>{parameter['in']}</small>", _describe(parameter | parameter["schema"]))
        for parameter in operation.get("parameters", [])
    ]
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        inputs.append((f"body <small>{kind}</small>", _type(body["schema"])))
    outputs = [
        (_code(status), " ".join([HTTPStatus(int(status)).phrase, *_contents(response)]))
        for status, response in operation["responses"].items()
    ]
    return (
        f'<section class="call"><h3><span class="method {method}">{method.upper()}</span> {_code(path)}</h3>'
        f"<p>{_prose(operation['description'])}</p>"
        f"{_table('Parameters', inputs)}{_table('Responses', outputs)}</section>"
    )


def _contents(response: Mapping[str, Any]) -> Iterator[str]:
    for kind, content in response.get("content", {}).items():
        schema = content.get("schema")
        yield _type(schema) if schema and kind == "application/json" else _code(kind)


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    rows = [
        (f"{_code(key)} <small>{_type(value)}</small>", _describe(value)) for key, value in schema["properties"].items()
    ]
    about = html.escape(schema.get("description", ""))
    return f'<section class="call" id="{name}"><h3>{name}</h3><p>{about}</p>{_table("", rows)}</section>'


def _describe(schema: Mapping[str, Any]) -> str:
    default = f" Default: {_code(schema['default'])}." if schema.get("default") is not None else ""
    return _prose(schema.get("description", "")) + default


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(_code(value) for value in schema["enum"])
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    if "properties" in schema:
        return ", ".join(f"{_code(name)} ({_type(one)})" for name, one in schema["properties"].items())
    return html.escape(schema.get("format", schema.get("type", "")))


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><th scope="row">{left}</th><td>{right}</td></tr>' for left, right in rows)
    caption = f"<caption>{title}</caption>" if title else ""
    return f"<table>{caption}{cells}</table>" if rows else ""


def _prose(text: str) -> str:
    """HTML of a text in which backticks mark code."""
    return re.sub("`(.+?)`", r"<code>\1</code>", html.escape(text))


def _code(value: object) -> str:
    return f"<code>{html.escape(str(value))}</code>"
