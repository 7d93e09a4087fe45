"""Buttons, forms and reactions of the Discord bot, by the real discord.py over real sockets."""

import pytest

pytest_plugins = ["discord_world"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def ada(discord):
    return discord.person("Ada")


@pytest.fixture
def bob(discord):
    return discord.person("Bob")


@pytest.fixture
async def shown(discord, world, ada, photo_bytes):
    """A caption for Ada that all can see: the message."""
    asked = await discord.slash("caption", ada, photo=discord.upload(photo_bytes()))
    await discord.until(lambda: asked.answer and world.hand.rows()[0].message)
    return asked.answer


@pytest.fixture
def thumbs(world):
    """How many of each the first caption has."""

    def count() -> tuple[int, int]:
        votes = world.service.result(world.hand.rows()[0].public_id, person=None).votes
        return votes.up, votes.down

    return count


def labels(message, emoji):
    buttons = [button for row in message["components"] for button in row["components"]]
    return [button.get("label") for button in buttons if button["emoji"]["name"] == emoji]


async def pressed(discord, person, message, button):
    """Press and wait until the message was written anew."""
    asked = await discord.press(person, message, button)
    await discord.until(lambda: asked.answered or (asked.answer_id and asked.answer_id not in discord.messages))
    return asked


async def test_a_thumb_counts_and_is_shown_on_its_button(discord, bob, shown, thumbs):
    await pressed(discord, bob, shown, "👍")
    assert thumbs() == (1, 0)
    assert labels(shown, "👍") == ["1"]


async def test_the_last_thumb_of_a_person_counts(discord, bob, shown, thumbs):
    await pressed(discord, bob, shown, "👍")
    await pressed(discord, bob, shown, "👎")
    assert thumbs() == (0, 1)


async def test_buttons_work_after_a_restart(discord, world, bob, shown, thumbs):
    await world.stop()
    await world.start()
    await pressed(discord, bob, shown, "👍")
    assert thumbs() == (1, 0)


async def test_the_sender_is_asked_once_whether_photos_may_be_kept(discord, world, ada, bob, shown):
    assert (await pressed(discord, bob, shown, "👍")).follow_ups == []
    asked = await discord.press(ada, shown, "👍")
    (question,) = await discord.until(lambda: asked.follow_ups)
    assert question["flags"] & 64  # only for her
    agreed = await discord.press(ada, question, "yes")
    await discord.until(lambda: agreed.answered)
    assert world.service.preferences(f"discord:{ada['id']}").training_consent is True
    assert (await pressed(discord, ada, shown, "👎")).follow_ups == []


async def test_another_one_is_a_new_caption_in_a_new_message(discord, world, bob, shown):
    asked = await discord.press(bob, shown, "🔁")
    await discord.until(lambda: asked.answer)
    assert asked.answer["content"] == "Sentence 2."
    assert shown["content"] == "Sentence 1."
    first, second = world.hand.rows()
    assert (second.parent_id, second.rank) == (first.id, 1)


async def test_two_who_want_another_one_at_once_get_one(discord, world, ada, bob, shown):
    world.hand.idle = True
    first = await discord.press(ada, shown, "🔁")
    await discord.until(lambda: world.hand.waiting)
    second = await discord.press(bob, shown, "🔁")
    await discord.until(lambda: second.answer)
    assert second.answer["content"] == "Another one is on its way already."
    world.hand.work()
    await discord.until(lambda: first.answer)
    assert len(world.hand.rows()) == 2


async def test_another_one_of_a_private_answer_stays_private(discord, world, ada, photo_bytes):
    photo = discord.upload(photo_bytes(colour="green"))
    asked = await discord.slash("caption", ada, photo=photo, visibility="me")
    await discord.until(lambda: asked.answer)
    again = await discord.press(ada, asked.answer, "🔁")
    await discord.until(lambda: again.answer)
    assert again.ephemeral


async def test_the_pencil_opens_a_form_whose_text_is_kept(discord, world, bob, shown):
    opened = await discord.press(bob, shown, "✏️")
    await discord.until(lambda: opened.modal)
    sent = await discord.submit(bob, opened, "A red circle. @everyone")
    await discord.until(lambda: sent.answer)
    assert sent.answer["content"] == "Thank you! I will remember: A red circle. @\u200beveryone"
    assert sent.ephemeral
    caption = world.service.result(world.hand.rows()[0].public_id, person=f"discord:{bob['id']}", chat=shown_in(world))
    assert caption.correction == "A red circle. @everyone"


def shown_in(world):
    return world.hand.rows()[0].chat


async def test_a_form_that_was_opened_before_a_restart_is_taken(discord, world, bob, shown):
    opened = await discord.press(bob, shown, "✏️")
    await discord.until(lambda: opened.modal)
    await world.stop()
    await world.start()
    sent = await discord.submit(bob, opened, "A red circle.")
    await discord.until(lambda: sent.answer)
    assert "A red circle." in sent.answer["content"]


async def test_the_bin_removes_the_caption_its_answer_and_the_answers_of_another_one(discord, world, ada, shown):
    again = await discord.press(ada, shown, "🔁")
    await discord.until(lambda: again.answer and world.hand.rows()[1].message)
    await pressed(discord, ada, shown, "🗑️")
    await discord.until(lambda: discord.sent_to(discord.channel) == [])
    assert world.hand.rows() == []


async def test_the_bin_is_for_the_sender_only(discord, world, bob, shown):
    asked = await discord.press(bob, shown, "🗑️")
    (refusal,) = await discord.until(lambda: asked.follow_ups)
    assert refusal["content"] == "Only the person who sent the photo can do that."
    assert len(world.hand.rows()) == 1


async def test_a_caption_of_several_is_removed_from_the_list(discord, world, ada, photo_bytes):
    photos = [discord.upload(photo_bytes(colour=colour)) for colour in ("red", "blue")]
    message = await discord.post(ada, attachments=photos)
    asked = await discord.menu("Describe image for all", ada, message)
    await discord.until(lambda: asked.answer and world.hand.rows()[0].message)
    picked = await discord.press(ada, asked.answer, "2")
    await discord.until(lambda: picked.answer)
    await discord.press(ada, picked.answer, "🗑️")
    await discord.until(lambda: asked.answer["content"] == "**1.** Sentence 1.")
    assert picked.answer_id not in discord.messages


async def test_a_button_of_a_removed_caption_says_so(discord, world, bob, shown):
    world.service.forget(world.service.by_message(world.hand.rows()[0].message)[0].sender)
    asked = await discord.press(bob, shown, "👍")
    (said,) = await discord.until(lambda: asked.follow_ups)
    assert said["content"] == "I cannot find that caption. It may have been removed."


async def test_reactions_count_and_taking_them_back_counts_too(discord, bob, shown, thumbs):
    await discord.react(bob, shown, "👍🏽")
    await discord.until(lambda: thumbs() == (1, 0))
    await discord.react(bob, shown, "👍🏽", remove=True)
    await discord.until(lambda: thumbs() == (0, 0))


async def test_a_reaction_to_a_message_from_before_a_restart_counts(discord, world, bob, shown, thumbs):
    await world.stop()
    await world.start()
    await discord.react(bob, shown, "👎")
    await discord.until(lambda: thumbs() == (0, 1))


async def test_taking_the_first_of_two_thumbs_back_leaves_the_second(discord, bob, shown, thumbs):
    await discord.react(bob, shown, "👍")
    await discord.until(lambda: thumbs() == (1, 0))
    await discord.react(bob, shown, "👎")
    await discord.until(lambda: thumbs() == (0, 1))
    await discord.react(bob, shown, "👍", remove=True)
    await discord.react(bob, shown, "👎", remove=True)
    await discord.until(lambda: thumbs() == (0, 0))


async def test_other_reactions_other_messages_and_the_bot_itself_do_not_count(discord, bob, shown, thumbs):
    other = await discord.post(bob, "hello")
    await discord.react(bob, shown, "🎉")
    await discord.react(bob, other, "👎")
    await discord.react(discord.bot, shown, "👎")
    await discord.react(bob, shown, "👍")
    await discord.until(lambda: thumbs() == (1, 0))


async def test_a_sender_who_reacts_is_asked_in_private(discord, ada, shown):
    await discord.react(ada, shown, "👍")
    direct = discord.direct_channel(ada)["id"]
    (question,) = await discord.until(lambda: discord.sent_to(direct))
    assert "May photos that you send be kept" in question["content"]
