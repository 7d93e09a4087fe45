"""captionbot up, as a process: everything in one."""

import signal
from pathlib import Path

from db.engine import create_engine, reading
from db.tables import Caption, State
from tests.support.redis_server import free_port


def unfinished(installation):
    with reading(create_engine(installation.settings().database_url))() as session:
        return session.query(Caption).where(Caption.state.in_([State.QUEUED, State.RUNNING])).count()


def test_a_photo_is_captioned_and_either_signal_stops_the_process_cleanly(embedded):
    for number in (signal.SIGINT, signal.SIGTERM):
        up = embedded.start("up")
        with up.person() as person:
            (caption,) = person.wait_until_finished(person.submit_photos())
            assert caption["caption"]
        up.signal(number)
        assert up.wait() == 0
        assert "Traceback" not in up.log
        file = Path(create_engine(embedded.settings().database_url).url.database)
        assert [path.name for path in file.parent.glob(f"{file.name}*")] == [file.name]  # no write-ahead log is left


def test_captions_are_found_again_after_a_restart(embedded):
    port = free_port()
    up = embedded.start("up", web_port=port)
    with up.person() as person:
        captions = person.wait_until_finished(person.submit_photos(2))
        up.stop()
        embedded.start("up", web_port=port).url()
        assert person.get("/api/captions").json()["captions"] == captions[::-1]


def test_photos_that_wait_when_the_process_is_killed_are_captioned_after_a_restart(embedded):
    port = free_port()
    up = embedded.start("up", web_port=port)
    with up.person() as person:
        accepted = person.submit_photos(3)  # the model is still being loaded
        up.kill()
        assert unfinished(embedded) == 3
        embedded.start("up", web_port=port).url()
        assert all(caption["caption"] for caption in person.wait_until_finished(accepted))


def test_bots_that_cannot_start_log_the_reason_and_the_page_still_works(embedded):
    nobody = f"http://127.0.0.1:{free_port()}"
    up = embedded.start(
        "up",
        telegram_token="123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI",
        telegram_api_url=nobody,
        discord_token="abcdefghijklmnopqrstuvwx.abcdef.abcdefghijklmnopqrstuvwxyz",
        discord_api_url=nobody,
    )
    assert "TELEGRAM_API_URL" in up.wait_for_log("Telegram does not run, it is tried again: (.*)")
    assert "cannot be reached" in up.wait_for_log("Discord does not run, it is tried again: (.*)")
    with up.person() as person:
        assert person.wait_until_finished(person.submit_photos())[0]["caption"]
    assert up.stop() == 0
    assert "Traceback" not in up.log


def test_a_port_that_is_taken_is_one_line(embedded):
    port = embedded.start("up").url().rpartition(":")[2]
    up = embedded.start("up", web_port=port)
    assert up.wait() == 1
    assert f"captionbot: The web page cannot listen on 127.0.0.1:{port}" in up.log
    assert "Traceback" not in up.log


def test_a_model_that_cannot_be_loaded_is_one_line(embedded, tmp_path):
    up = embedded.start("up", model_dir=tmp_path / "nowhere")
    assert up.wait() == 1
    assert up.log.splitlines()[-1] == f"captionbot: {tmp_path}/nowhere: there is no such model folder"
    assert "Traceback" not in up.log
