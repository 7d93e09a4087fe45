"""The Telegram bot behind a webhook: the secret, several instances, and updates that come again."""

import asyncio
import shutil
from typing import Any

import pytest
from redis_server import free_port

pytest_plugins = ["telegram_world"]
pytestmark = pytest.mark.anyio
SECRET = "a-secret_of-our-own"


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


def hook(**changes: Any) -> dict[str, Any]:
    """Settings of one instance, on a port of its own."""
    return {
        "telegram_webhook_url": "https://bot.example/hook",
        "telegram_webhook_secret": SECRET,
        "telegram_webhook_port": free_port(),
    } | changes


def target(world) -> str:
    return f"http://127.0.0.1:{world.settings.telegram_webhook_port}/hook"


@pytest.fixture
async def world(telegram, new_world):
    world = new_world(**hook())
    await world.start()
    telegram.webhook_target = target(world)
    return world


async def test_the_webhook_is_set_with_its_secret(telegram, world):
    (call,) = telegram.called("setWebhook")
    assert call.params["url"] == "https://bot.example/hook"
    assert call.params["secret_token"] == SECRET
    assert "message_reaction" in call.params["allowed_updates"]
    assert telegram.called("getUpdates", code=None) == []


async def test_a_photo_is_answered(telegram, world, ada, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes())
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."


@pytest.mark.parametrize("secret", ["wrong", None])
async def test_without_the_secret_nothing_is_taken(telegram, world, ada, photo_bytes, secret):
    telegram.webhook_target = ""
    await telegram.photo(ada, photo_bytes())
    (update,) = telegram.pending
    assert await telegram.post_update(update, secret, target(world)) == 403
    assert world.hand.rows() == []


async def test_an_update_is_taken_only_when_its_row_is_written(telegram, world, ada, photo_bytes):
    slow = telegram.fault("download", seconds=600)
    await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: telegram.called("download"))
    assert telegram.webhook_codes == []
    slow.over.set()
    await telegram.settled()
    assert telegram.webhook_codes == [200]
    assert len(world.hand.rows()) == 1


async def test_what_cannot_be_written_comes_again(telegram, world, ada, photo_bytes):
    store = world.settings.data_dir / "photos"
    shutil.rmtree(store, ignore_errors=True)
    store.write_text("in the way")
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: telegram.webhook_codes)
    store.unlink()
    store.mkdir()
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."
    assert telegram.webhook_codes[0] == 500
    assert telegram.webhook_codes[-1] == 200


async def test_two_instances_that_see_the_same_update_answer_once(telegram, new_world, ada, photo_bytes):
    worlds = [new_world(**hook()) for _ in range(2)]
    for world in worlds:
        await world.start()
    photo = await telegram.photo(ada, photo_bytes())
    (update,) = telegram.pending
    codes = await asyncio.gather(*(telegram.post_update(update, SECRET, target(world)) for world in worlds))
    assert codes == [200, 200]
    await telegram.answer_to(photo)
    await asyncio.sleep(1.5)
    assert len(telegram.answers_to(photo)) == 1


async def test_an_album_whose_photos_come_to_two_instances_holds_together(telegram, new_world, ada, photo_bytes):
    worlds = [new_world(**hook()) for _ in range(2)]
    for world in worlds:
        await world.start()
    album = await telegram.album(ada, [photo_bytes(colour=colour) for colour in ("red", "green", "blue", "yellow")])
    targets = [target(worlds[number % 2]) for number in range(4)]
    posts = (telegram.post_update(update, SECRET, to) for update, to in zip(telegram.pending, targets, strict=True))
    assert await asyncio.gather(*posts) == [200] * 4
    answer = await telegram.answer_to(album[0])
    assert len(answer["text"].splitlines()) == 4
    await asyncio.sleep(1.5)
    assert len(telegram.sent_to(ada)) == 1


async def test_going_back_to_polling_takes_the_webhook_away(telegram, world, new_world, ada, photo_bytes):
    await world.stop()
    polling = new_world()
    await polling.start()
    assert telegram.webhook == {}
    photo = await telegram.photo(ada, photo_bytes())
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."
