"""Handlers of what group administrators decide: /auto, adding the bot to a group and removing it."""

from telegram import Chat, ChatMember, Update
from telegram.error import BadRequest

from bots.i18n import say
from bots.telegram.context import Context, message_of, user_of
from bots.telegram.failures import seconds_until_retry
from bots.telegram.keys import chat_key
from bots.telegram.replies import reply

ADMINISTRATORS = {ChatMember.OWNER, ChatMember.ADMINISTRATOR}
ABSENT = {ChatMember.LEFT, ChatMember.BANNED}
SWITCH = {"on": True, "off": False}


async def on_auto(update: Update, context: Context) -> None:
    """/auto on|off: whether photos in this group are captioned without a request. /auto alone shows the setting."""
    message, language = message_of(update), await context.language_of(user_of(update))
    key, word = chat_key(message.chat_id), (context.args or [""])[0].lower()
    if message.chat.type == Chat.PRIVATE:
        return await reply(update, say(language, "telegram.auto_private"))
    if word not in SWITCH:
        auto = (await context.to_thread(context.service.chats.get, key)).auto
        return await reply(update, say(language, "telegram.auto_is_on" if auto else "telegram.auto_is_off"))
    if not await _is_administrator(update, context):
        return await reply(update, say(language, "telegram.auto_not_yours"))
    await context.to_thread(context.service.chats.change, key, auto=SWITCH[word])
    text = say(language, "telegram.auto_is_on" if SWITCH[word] else "telegram.auto_is_off")
    bot = await context.bot.get_chat_member(message.chat_id, context.bot.id)
    if SWITCH[word] and bot.status not in ADMINISTRATORS:
        text += "\n\n" + say(language, "telegram.auto_not_admin")
    await reply(update, text)


async def _is_administrator(update: Update, context: Context) -> bool:
    message = message_of(update)
    if message.sender_chat and message.sender_chat.id == message.chat_id:
        return True  # an anonymous administrator writes in the name of the group
    try:
        member = await context.bot.get_chat_member(message.chat_id, user_of(update).id)
    except BadRequest as error:
        if seconds_until_retry(error) is not None:
            raise
        return False  # Telegram does not know this person as a member
    return member.status in ADMINISTRATORS


async def on_membership(update: Update, context: Context) -> None:
    """The bot was added to a group, or removed from it."""
    change = update.my_chat_member
    assert change is not None, "chat member handlers get updates with a change"
    if change.chat.type not in (Chat.GROUP, Chat.SUPERGROUP):
        return  # a person blocked the bot: delivery.py notices that when it sends
    key, old, new = chat_key(change.chat.id), change.old_chat_member.status, change.new_chat_member.status
    if new in ABSENT:
        await context.to_thread(context.service.chats.leave, key)
    elif old in ABSENT:
        await context.to_thread(context.service.chats.change, key)
        language = await context.language_of(change.from_user)
        await context.bot.send_message(change.chat.id, say(language, "telegram.welcome_group"))


async def on_migration(update: Update, context: Context) -> None:
    """A group became a supergroup, which has another id. Both chats get a message about it, in either order."""
    message = message_of(update)
    old, new = message.chat_id, message.migrate_to_chat_id
    if new is None:
        assert message.migrate_from_chat_id is not None, "the filter requires one of the two"
        old, new = message.migrate_from_chat_id, message.chat_id
    await context.to_thread(context.service.chats.move, chat_key(old), chat_key(new))
