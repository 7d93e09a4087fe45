"""The language of a response, chosen by the Accept-Language header."""

from typing import Annotated

from fastapi import Depends, Request

from bots.i18n import DEFAULT, supported


def language_of(request: Request) -> str:
    """The first language in Accept-Language that is supported, without regard to its q values; otherwise DEFAULT."""
    requested = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    return next(filter(None, map(supported, requested)), DEFAULT)


Language = Annotated[str, Depends(language_of)]
