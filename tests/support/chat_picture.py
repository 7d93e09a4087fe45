"""Draws docs/images/chat.png: a photo, and the answer with buttons exactly as our Telegram bot sends it.

    python -m tests.support.chat_picture samples/dogs.jpg docs/images/chat.png

The bot runs as a process with the bundled model and talks to the local Bot API server.
"""

import asyncio
import base64
import html
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.support.browser import CHROMIUM
from tests.support.processes import PATIENCE, Installation
from tests.support.telegram_server import TelegramServer

WIDTH = 420  # pixels of the picture, at twice the density
STYLE = """
    body { margin: 0; padding: 16px; width: 388px; background: #e7ecef; color: #17212b; font: 15px/1.4 sans-serif; }
    .mine { width: 290px; margin: 0 0 10px auto; }
    .mine img { display: block; width: 100%; border-radius: 14px 14px 4px 14px; }
    .answer { width: 320px; }
    .text { padding: 9px 13px; border-radius: 14px 14px 14px 4px; background: #fff; white-space: pre-line; }
    .row { display: flex; gap: 5px; margin-top: 5px; }
    .row span { flex: 1; padding: 8px 4px; border-radius: 9px; background: #c9d5de; text-align: center; }
"""


async def bot_answer(photo: bytes) -> dict[str, Any]:
    """Send a photo to the bot. Returns its answer, a message of the Bot API."""
    async with TelegramServer() as telegram:
        with tempfile.TemporaryDirectory() as folder:
            installation = Installation(
                Path(folder), telegram_token=telegram.token, telegram_api_url=telegram.url, log_level="WARNING"
            )
            bot = installation.start("telegram")
            try:
                message = await telegram.send_photo(telegram.person("Ada"), photo)
                answer = await telegram.bot_reply(message, PATIENCE)
                await asyncio.to_thread(bot.stop)
            finally:
                installation.clean()
    return answer


def chat_html(photo: bytes, answer: dict[str, Any]) -> str:
    """A page with the photo, the text of the answer and the labels of its buttons."""
    keyboard = [[html.escape(button["text"]) for button in row] for row in answer["reply_markup"]["inline_keyboard"]]
    rows = "".join(f'<div class="row"><span>{"</span><span>".join(labels)}</span></div>' for labels in keyboard)
    source = f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}"
    return (
        f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><div class="mine"><img src="{source}"></div>'
        f'<div class="answer"><div class="text">{html.escape(answer["text"])}</div>{rows}</div>'
    )


def main(photo: Path, output: Path) -> None:
    data = photo.read_bytes()
    page_html = chat_html(data, asyncio.run(bot_answer(data)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 100}, device_scale_factor=2)
        page.set_content(page_html)
        png = page.screenshot(full_page=True)
        browser.close()
    with Image.open(io.BytesIO(png)) as picture:  # a palette of 256 colours halves the file
        picture.convert("RGB").quantize(256, kmeans=2).save(output, optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
