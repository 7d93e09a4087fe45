"""Tests of photos from a Bot API server in local mode, which leaves files on its disk and offers no download."""

import pytest

from bots.telegram import update_queue

pytestmark = pytest.mark.anyio
SERVERS = "/var/lib/nowhere-here/telegram-bot-api"  # the server's folder on its own disk


async def sent_to(telegram, world, ada, photo_bytes, folder=None):
    """The answer to a photo that a server in local mode has, and has written into a folder."""
    await world.start()
    files = telegram.files.add_photo(photo_bytes())
    if folder:
        telegram.write_files(folder)
    return await telegram.bot_reply(await telegram.send(ada, photo=files))


async def test_a_photo_is_read_from_the_shared_folder(telegram, new_telegram_world, ada, photo_bytes, tmp_path):
    telegram.local_folder = SERVERS
    world = new_telegram_world(telegram_files_dir=tmp_path / "shared")
    answer = await sent_to(telegram, world, ada, photo_bytes, tmp_path / "shared")
    assert answer["text"] == "Sentence 1."
    assert telegram.calls_of("download") == []


async def test_a_photo_is_read_where_the_folder_has_the_servers_path(
    telegram, new_telegram_world, ada, photo_bytes, tmp_path
):
    telegram.local_folder = str(tmp_path / "servers")
    answer = await sent_to(telegram, new_telegram_world(), ada, photo_bytes, tmp_path / "servers")
    assert answer["text"] == "Sentence 1."


async def test_a_folder_that_is_not_shared_is_named(telegram, new_telegram_world, ada, photo_bytes, caplog):
    telegram.local_folder = SERVERS
    answer = await sent_to(telegram, new_telegram_world(), ada, photo_bytes)
    assert "couldn't download that photo" in answer["text"]
    assert f"has put the photo into {SERVERS}, on its own disk" in caplog.text
    assert "TELEGRAM_FILES_DIR" in caplog.text
    assert "Traceback" not in caplog.text
    assert telegram.token.partition(":")[2] not in caplog.text
    assert len(telegram.calls_of("getFile")) == 1


async def test_a_folder_without_the_file_is_named(
    telegram, new_telegram_world, ada, photo_bytes, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(update_queue, "FIRST_DELAY", 0.01)
    telegram.local_folder = SERVERS
    world = new_telegram_world(telegram_files_dir=tmp_path)
    answer = await sent_to(telegram, world, ada, photo_bytes)
    assert "couldn't download that photo" in answer["text"]
    assert "is TELEGRAM_FILES_DIR the folder of the Bot API server?" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_file_that_cannot_be_read_is_named(telegram, new_telegram_world, ada, photo_bytes, tmp_path, caplog):
    telegram.local_folder = SERVERS
    world = new_telegram_world(telegram_files_dir=tmp_path / "shared")
    await world.start()
    files = telegram.files.add_photo(photo_bytes())
    for file in files:  # a folder cannot be read, whoever the tests run as
        (tmp_path / "shared" / telegram.token / telegram.files.by_id[file["file_id"]]["file_path"]).mkdir(parents=True)
    answer = await telegram.bot_reply(await telegram.send(ada, photo=files))
    assert "couldn't download that photo" in answer["text"]
    assert "cannot be read: Is a directory. Let this user read what the server writes" in caplog.text


async def test_files_of_a_server_on_windows_are_found(telegram, new_telegram_world, ada, photo_bytes, tmp_path):
    own = telegram.token.replace(":", "~")
    world = new_telegram_world(telegram_files_dir=tmp_path / "shared")
    await world.start()
    files = telegram.files.add_photo(photo_bytes())
    for file in files:
        known = telegram.files.by_id[file["file_id"]]
        path = tmp_path / "shared" / own / known["file_path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(telegram.files.data[known["file_path"]])
        known["file_path"] = rf"C:\bot-api\{own}\{known['file_path']}".replace("/", "\\")
    assert (await telegram.bot_reply(await telegram.send(ada, photo=files)))["text"] == "Sentence 1."
