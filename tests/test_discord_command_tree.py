"""The commands that the Discord bot uploads, and when it uploads them."""

import pytest

pytestmark = pytest.mark.anyio


def uploads(discord):
    return discord.called("PUT", ".*/commands")


@pytest.fixture
def commands(discord, discord_world):
    return {command["name"]: command for command in discord.commands[None]}


async def test_commands_work_for_servers_and_for_people_in_private_and_in_groups(commands):
    caption = commands["caption"]
    assert caption["integration_types"] == [0, 1]
    assert caption["contexts"] == [0, 1, 2]


async def test_commands_are_described_in_both_languages(commands):
    assert commands["caption"]["description"] == "Describe a photo"
    assert commands["caption"]["description_localizations"] == {"de": "Ein Foto beschreiben"}
    assert commands["Describe image"]["name_localizations"] == {"de": "Bild beschreiben"}


async def test_auto_is_shown_to_those_who_manage_channels_of_a_server(commands):
    assert commands["auto"]["default_member_permissions"] in (16, "16")
    assert (commands["auto"]["contexts"], commands["auto"]["integration_types"]) == ([0], [0])


async def test_admin_is_shown_to_administrators_of_a_server_only(commands):
    assert commands["admin"]["default_member_permissions"] in (0, "0")
    assert (commands["admin"]["contexts"], commands["admin"]["integration_types"]) == ([0], [0])
    inner = {option["name"] for option in commands["admin"]["options"]}
    assert inner == {"stats", "export", "models", "promote", "rollback"}


async def test_unchanged_commands_are_not_uploaded_again(discord, discord_world):
    await discord_world.stop()
    await discord_world.start()
    assert len(uploads(discord)) == 1


async def test_changed_commands_are_uploaded_at_start(discord, discord_world):
    await discord_world.stop()
    (discord_world.settings.data_dir / "discord-commands.json").write_text('{"900000000000000001": "another version"}')
    await discord_world.start()
    await discord.until(lambda: len(uploads(discord)) == 2)


async def test_the_bot_works_when_the_commands_cannot_be_uploaded(discord, discord_world, photo_bytes):
    await discord_world.stop()
    (discord_world.settings.data_dir / "discord-commands.json").unlink()
    discord.fault("PUT", ".*/commands", 403, {"code": 50001, "message": "Missing Access"})
    await discord_world.start()
    await discord.until(lambda: len(uploads(discord)) == 2)
    interaction = await discord.slash("caption", discord.person(), photo=discord.upload(photo_bytes()))
    await discord.until(lambda: interaction.answer)


@pytest.mark.parametrize(("shards", "sessions"), [(2, 2), (0, 3)])
async def test_there_are_as_many_shards_as_configured_or_as_discord_recommends(
    discord, discord_world, photo_bytes, shards, sessions
):
    await discord_world.stop()
    discord.shards = 3
    sharded = type(discord_world)(discord, discord_world.settings.data_dir, discord_shards=shards)
    await sharded.start()
    await discord.until(lambda: len(discord.gateway.sessions) == sessions)
    assert {session.shard for session in discord.gateway.sessions.values()} == {
        (number, sessions) for number in range(sessions)
    }
    interaction = await discord.slash("caption", discord.person(), photo=discord.upload(photo_bytes()))
    await discord.until(lambda: interaction.answer)
    await sharded.stop()
