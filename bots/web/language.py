"""The language of a response, chosen by the Accept-Language header."""

from typing import Annotated

from fastapi import Depends, Request

from bots.i18n import DEFAULT, LANGUAGES


def language_of(request: Request) -> str:
    """The first language in Accept-Language that is supported, without regard to its q values; otherwise DEFAULT."""
    requested = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    codes = (code.partition("-")[0].lower() for code in requested)
    return next((code for code in codes if code in LANGUAGES), DEFAULT)


Language = Annotated[str, Depends(language_of)]
