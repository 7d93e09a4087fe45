"""Buttons, modals and reactions of the Discord bot, with the real discord.py over real sockets."""

import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shown(discord, discord_world, ada, photo_bytes):
    """The message with a caption that was made for Ada, and that all can see."""
    interaction = await discord.slash("caption", ada, photo=discord.upload(photo_bytes()))
    await discord.until(lambda: interaction.answer and discord_world.hand.rows()[0].message)
    return interaction.answer


@pytest.fixture
def vote_counts(discord_world):
    """The numbers of positive and negative votes for the first caption."""

    def count() -> tuple[int, int]:
        votes = discord_world.service.captions.get(discord_world.hand.rows()[0].public_id, person=None).votes
        return votes.up, votes.down

    return count


def labels(message, emoji):
    buttons = [button for row in message["components"] for button in row["components"]]
    return [button.get("label") for button in buttons if button["emoji"]["name"] == emoji]


async def pressed(discord, person, message, button):
    """Press a button and wait until the message was edited or deleted."""
    interaction = await discord.press(person, message, button)
    await discord.until(
        lambda: interaction.answered or (interaction.answer_id and interaction.answer_id not in discord.messages)
    )
    return interaction


async def test_a_vote_counts_and_is_shown_on_its_button(discord, bob, shown, vote_counts):
    await pressed(discord, bob, shown, "👍")
    assert vote_counts() == (1, 0)
    assert labels(shown, "👍") == ["Good 1"]


async def test_only_the_last_vote_of_a_person_counts(discord, bob, shown, vote_counts):
    await pressed(discord, bob, shown, "👍")
    await pressed(discord, bob, shown, "👎")
    assert vote_counts() == (0, 1)


async def test_buttons_work_after_a_restart(discord, discord_world, bob, shown, vote_counts):
    await discord_world.stop()
    await discord_world.start()
    await pressed(discord, bob, shown, "👍")
    assert vote_counts() == (1, 0)


async def test_the_sender_is_asked_once_for_consent_to_keep_photos(discord, discord_world, ada, bob, shown):
    assert (await pressed(discord, bob, shown, "👍")).follow_ups == []
    interaction = await discord.press(ada, shown, "👍")
    (question,) = await discord.until(lambda: interaction.follow_ups)
    assert question["flags"] & 64  # only for her
    agreed = await discord.press(ada, question, "yes")
    await discord.until(lambda: agreed.answered)
    assert discord_world.service.people.preferences(f"discord:{ada['id']}").training_consent is True
    assert (await pressed(discord, ada, shown, "👎")).follow_ups == []


async def test_another_caption_of_the_photo_comes_in_a_new_message(discord, discord_world, bob, shown):
    interaction = await discord.press(bob, shown, "🔁")
    await discord.until(lambda: interaction.answer)
    assert interaction.answer["content"] == "Sentence 2."
    assert shown["content"] == "Sentence 1."
    first, second = discord_world.hand.rows()
    assert (second.parent_id, second.rank) == (first.id, 1)


async def test_two_people_who_request_another_caption_at_once_get_one(discord, discord_world, ada, bob, shown):
    discord_world.hand.idle = True
    first = await discord.press(ada, shown, "🔁")
    await discord.until(lambda: discord_world.hand.waiting)
    second = await discord.press(bob, shown, "🔁")
    await discord.until(lambda: second.answer)
    assert second.answer["content"] == "Another description is already on its way."
    discord_world.hand.work()
    await discord.until(lambda: first.answer)
    assert len(discord_world.hand.rows()) == 2


async def test_another_caption_for_an_ephemeral_answer_is_ephemeral(discord, discord_world, ada, photo_bytes):
    photo = discord.upload(photo_bytes(colour="green"))
    interaction = await discord.slash("caption", ada, photo=photo, visibility="me")
    await discord.until(lambda: interaction.answer)
    again = await discord.press(ada, interaction.answer, "🔁")
    await discord.until(lambda: again.answer)
    assert again.ephemeral


async def test_the_correct_button_opens_a_modal_whose_text_is_stored(discord, discord_world, bob, shown):
    opened = await discord.press(bob, shown, "✏️")
    await discord.until(lambda: opened.modal)
    sent = await discord.submit(bob, opened, "A red circle. @everyone")
    await discord.until(lambda: sent.answer)
    assert sent.answer["content"] == "Thank you! I'll remember: A red circle. @\u200beveryone"
    assert sent.ephemeral
    caption = discord_world.service.captions.get(
        discord_world.hand.rows()[0].public_id, person=f"discord:{bob['id']}", chat=shown_in(discord_world)
    )
    assert caption.correction == "A red circle. @everyone"


def shown_in(discord_world):
    return discord_world.hand.rows()[0].chat


async def test_a_modal_that_was_opened_before_a_restart_is_accepted(discord, discord_world, bob, shown):
    opened = await discord.press(bob, shown, "✏️")
    await discord.until(lambda: opened.modal)
    await discord_world.stop()
    await discord_world.start()
    sent = await discord.submit(bob, opened, "A red circle.")
    await discord.until(lambda: sent.answer)
    assert "A red circle." in sent.answer["content"]


async def test_the_remove_button_removes_all_captions_of_the_photo_and_their_answers(
    discord, discord_world, ada, shown
):
    again = await discord.press(ada, shown, "🔁")
    await discord.until(lambda: again.answer and discord_world.hand.rows()[1].message)
    await pressed(discord, ada, shown, "🗑️")
    await discord.until(lambda: discord.sent_to(discord.channel) == [])
    assert discord_world.hand.rows() == []


async def test_only_the_sender_can_remove_a_caption(discord, discord_world, bob, shown):
    interaction = await discord.press(bob, shown, "🗑️")
    (refusal,) = await discord.until(lambda: interaction.follow_ups)
    assert refusal["content"] == "Only the person who sent the photo can do that."
    assert len(discord_world.hand.rows()) == 1


async def test_a_removed_caption_of_several_disappears_from_the_list(discord, discord_world, ada, photo_bytes):
    photos = [discord.upload(photo_bytes(colour=colour)) for colour in ("red", "blue")]
    message = await discord.post(ada, attachments=photos)
    interaction = await discord.menu("Describe image for all", ada, message)
    await discord.until(lambda: interaction.answer and discord_world.hand.rows()[0].message)
    picked = await discord.press(ada, interaction.answer, "2")
    await discord.until(lambda: picked.answer)
    await discord.press(ada, picked.answer, "🗑️")
    await discord.until(lambda: interaction.answer["content"] == "**1.** Sentence 1.")
    assert picked.answer_id not in discord.messages


async def test_a_button_of_a_removed_caption_answers_that_it_is_gone(discord, discord_world, bob, shown):
    discord_world.service.people.forget(
        discord_world.service.captions.by_message(discord_world.hand.rows()[0].message)[0].sender
    )
    interaction = await discord.press(bob, shown, "👍")
    (notice,) = await discord.until(lambda: interaction.follow_ups)
    assert notice["content"] == "I can't find that description. It may have been deleted."


async def test_a_reaction_is_a_vote_and_removing_it_withdraws_the_vote(discord, bob, shown, vote_counts):
    await discord.react(bob, shown, "👍🏽")
    await discord.until(lambda: vote_counts() == (1, 0))
    await discord.react(bob, shown, "👍🏽", remove=True)
    await discord.until(lambda: vote_counts() == (0, 0))


async def test_a_reaction_to_a_message_from_before_a_restart_counts(discord, discord_world, bob, shown, vote_counts):
    await discord_world.stop()
    await discord_world.start()
    await discord.react(bob, shown, "👎")
    await discord.until(lambda: vote_counts() == (0, 1))


async def test_removing_the_first_of_two_reactions_leaves_the_vote_of_the_second(discord, ada, bob, shown, vote_counts):
    await discord.react(bob, shown, "👍")
    await discord.until(lambda: vote_counts() == (1, 0))
    await discord.react(bob, shown, "👎")
    await discord.until(lambda: vote_counts() == (0, 1))
    await discord.react(bob, shown, "👍", remove=True)
    await discord.react(ada, shown, "👍")  # behind it, so that it is over once this counts
    await discord.until(lambda: vote_counts()[0] == 1)
    assert vote_counts() == (1, 1)
    await discord.react(ada, shown, "👍", remove=True)
    await discord.react(bob, shown, "👎", remove=True)
    await discord.until(lambda: vote_counts() == (0, 0))


async def test_other_reactions_other_messages_and_the_bot_itself_do_not_count(discord, bob, shown, vote_counts):
    other = await discord.post(bob, "hello")
    await discord.react(bob, shown, "🎉")
    await discord.react(bob, other, "👎")
    await discord.react(discord.bot, shown, "👎")
    await discord.react(bob, shown, "👍")
    await discord.until(lambda: vote_counts() == (1, 0))


async def test_a_sender_who_reacts_is_asked_for_consent_by_direct_message(discord, ada, shown):
    await discord.react(ada, shown, "👍")
    direct = discord.direct_channel(ada)["id"]
    (question,) = await discord.until(lambda: discord.sent_to(direct))
    assert "Can I keep your photos" in question["content"]


async def test_buttons_keep_the_language_of_the_answer_whoever_presses_them(discord, discord_world, bob, shown):
    await discord.press(bob, shown, "👍", locale="de")
    await discord.until(lambda: labels(discord.messages[shown["id"]], "👍") == ["Good 1"])
