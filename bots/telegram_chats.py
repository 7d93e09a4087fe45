"""What those who manage a group decide: /auto, adding the bot, removing it."""

from telegram import Chat, ChatMember, Update
from telegram.error import BadRequest

from bots.telegram_context import Context, message_of, user_of
from bots.telegram_talk import reply
from bots.texts import say

MANAGERS = {ChatMember.OWNER, ChatMember.ADMINISTRATOR}
GONE = {ChatMember.LEFT, ChatMember.BANNED}
SWITCH = {"on": True, "off": False}


async def on_auto(update: Update, context: Context) -> None:
    """/auto on|off: whether photos in this group are captioned without being asked for. /auto alone says how it is."""
    message, language = message_of(update), await context.language_of(user_of(update))
    key, word = f"telegram:{message.chat_id}", (context.args or [""])[0].lower()
    if message.chat.type == Chat.PRIVATE:
        return await reply(update, say(language, "telegram.auto_private"))
    if word not in SWITCH:
        auto = (await context.ask(context.service.chat, key)).auto
        return await reply(update, say(language, "telegram.auto_is_on" if auto else "telegram.auto_is_off"))
    if not await _manages(update, context):
        return await reply(update, say(language, "telegram.auto_not_yours"))
    await context.ask(context.service.set_chat, key, auto=SWITCH[word])
    said = say(language, "telegram.auto_is_on" if SWITCH[word] else "telegram.auto_is_off")
    me = await context.bot.get_chat_member(message.chat_id, context.bot.id)
    if SWITCH[word] and me.status not in MANAGERS:
        said += "\n\n" + say(language, "telegram.auto_not_admin")
    await reply(update, said)


async def _manages(update: Update, context: Context) -> bool:
    message = message_of(update)
    if message.sender_chat and message.sender_chat.id == message.chat_id:
        return True  # an administrator who stays anonymous
    try:
        member = await context.bot.get_chat_member(message.chat_id, user_of(update).id)
    except BadRequest:
        return False
    return member.status in MANAGERS


async def on_membership(update: Update, context: Context) -> None:
    """The bot was added to a group, or removed from it."""
    change = update.my_chat_member
    assert change is not None, "that is what the handler is for"
    if change.chat.type not in (Chat.GROUP, Chat.SUPERGROUP):
        return  # somebody blocked the bot: undelivered answers notice that themselves
    key, before, after = f"telegram:{change.chat.id}", change.old_chat_member.status, change.new_chat_member.status
    if after in GONE:
        await context.ask(context.service.left_chat, key)
    elif before in GONE:
        await context.ask(context.service.set_chat, key)
        language = await context.language_of(change.from_user)
        await context.bot.send_message(change.chat.id, say(language, "telegram.welcome_group"))


async def on_migration(update: Update, context: Context) -> None:
    """A group became a supergroup: what was switched on stays on."""
    message = message_of(update)
    assert message.migrate_to_chat_id is not None, "the filter has seen it"
    old = await context.ask(context.service.chat, f"telegram:{message.chat_id}")
    await context.ask(context.service.set_chat, f"telegram:{message.migrate_to_chat_id}", auto=old.auto)
