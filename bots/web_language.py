"""Which language to answer a browser in."""

from typing import Annotated

from fastapi import Depends, Request

from bots.texts import DEFAULT, LANGUAGES


def language_of(request: Request) -> str:
    """The first that Accept-Language names and we have."""
    wanted = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    codes = (code.partition("-")[0].lower() for code in wanted)
    return next((code for code in codes if code in LANGUAGES), DEFAULT)


Language = Annotated[str, Depends(language_of)]
