"""The application of the Telegram bot: how it is built, and which handler takes which update."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from telegram import LinkPreviewOptions, Update
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    ContextTypes,
    Defaults,
    MessageHandler,
    MessageReactionHandler,
    filters,
)

from bots import i18n
from bots.delivery_loop import DeliveryLoop
from bots.errors import CannotStart
from bots.log_redaction import hide_secret
from bots.service.service import CaptionService
from bots.service.views import CaptionView
from bots.telegram import account, admin, buttons, chats, commands, corrections, groups, photos, votes
from bots.telegram.attachments import HAS_IMAGE
from bots.telegram.buttons import delete_answers
from bots.telegram.command_menu import register_commands
from bots.telegram.context import AppState, Context
from bots.telegram.delivery import send
from bots.telegram.failures import no_traceback
from bots.telegram.keys import FRONT_END, callback_pattern, user_ids
from bots.telegram.polling import PollingUpdater
from bots.telegram.rate_limiter import RateLimiter
from bots.telegram.replies import on_error
from bots.telegram.reply_target import ReplyTarget
from bots.telegram.update_queue import UpdateQueue
from settings import Settings, read_settings

ALLOWED_UPDATES = [
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.MESSAGE_REACTION,
    Update.MY_CHAT_MEMBER,
]
CONNECTIONS = 40  # to the Bot API, of which the delivery loop uses up to 20
DOWNLOADS = 8  # photos that are downloaded and checked at the same time
NO_TOKEN = "TELEGRAM_TOKEN is not set. Ask @BotFather for a bot, and put its token into .env."
PRIVATE, GROUPS = filters.ChatType.PRIVATE, filters.ChatType.GROUPS
NEW, EDITED = filters.UpdateType.MESSAGE, filters.UpdateType.EDITED_MESSAGE


class TelegramApplication(Application[Any, Any, Any, Any, Any, Any]):
    """An application that also delivers finished captions while it runs."""

    def __init__(self, *, state: AppState, **kwargs: Any):
        super().__init__(**kwargs)
        self.state = state
        self._background: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        await super().start()
        state = self.state
        deliveries = DeliveryLoop(state.service, FRONT_END, state.service.notifier)
        self._background = (
            asyncio.create_task(deliveries.run(partial(send, self.bot, state), self._withdraw), name="deliveries"),
            asyncio.create_task(register_commands(self.bot, state.settings.admin_ids), name="commands"),
        )

    async def _withdraw(self, removed: Sequence[CaptionView]) -> None:
        """Take captions out of an answer that were removed while it was sent."""
        language = ReplyTarget.from_json(removed[0].reply_to).language
        await delete_answers(removed, language, self.bot, self.state.service)

    async def stop(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await super().stop()


def create_application(service: CaptionService | None = None, settings: Settings | None = None) -> TelegramApplication:
    """A new bot that is not started yet. What is not given is made from the settings.

    Raises:
        CannotStart: there is no token.
        BadTranslation: a translation cannot be used.
    """
    settings = settings or read_settings()
    i18n.load(settings.languages_dir)
    if settings.telegram_token is None:
        raise CannotStart(NO_TOKEN)
    if service is None:
        from bots.service.setup import create_service

        service = create_service(settings)
    token = settings.telegram_token.get_secret_value()
    hide_secret(token.partition(":")[2] or token)  # before the colon stands the bot's id, which is public
    logging.getLogger("telegram.request.BaseRequest").addFilter(no_traceback)
    state = AppState(service, settings, UpdateQueue(), RateLimiter(), asyncio.Semaphore(DOWNLOADS))
    api = settings.telegram_api_url.rstrip("/")
    application: Any = (
        ApplicationBuilder()
        .application_class(TelegramApplication, {"state": state})
        .token(token)
        .base_url(f"{api}/bot")
        .base_file_url(f"{api}/file/bot")
        .context_types(ContextTypes(context=Context))
        .defaults(
            Defaults(
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                allow_sending_without_reply=True,  # people delete messages before they are answered
            )
        )
        .rate_limiter(state.rate_limiter)
        .update_queue(state.update_queue)
        .read_timeout(20)
        .write_timeout(30)
        .connection_pool_size(CONNECTIONS)
        .pool_timeout(30)
        .get_updates_read_timeout(10)
        .build()
    )
    assert isinstance(application, TelegramApplication)
    state.update_queue.application = application
    application.updater = PollingUpdater(application.bot, state.update_queue)
    add_handlers(application, user_ids(settings.admin_ids))
    return application


def add_handlers(application: TelegramApplication, admins: list[int]) -> None:
    """Register all handlers. The first one that fits takes an update."""

    def command(names: str, callback: Callable[..., Any], where: filters.BaseFilter = NEW) -> None:
        application.add_handler(CommandHandler(names.split(), callback, where))

    def button(actions: str, callback: Callable[..., Any]) -> None:
        application.add_handler(CallbackQueryHandler(callback, callback_pattern(*actions.split())))

    def message(where: filters.BaseFilter, callback: Callable[..., Any]) -> None:
        application.add_handler(MessageHandler(where, callback))

    command("start", commands.on_start)
    command("help", commands.on_help)
    command("privacy", commands.on_privacy)
    command("settings", account.on_settings, NEW & PRIVATE)
    command("mine", account.on_mine, NEW & PRIVATE)
    command("forget", account.on_forget, NEW & PRIVATE)
    command("settings mine forget", commands.on_private_command_in_group, NEW & GROUPS)
    command("caption", groups.on_caption)
    command("auto", chats.on_auto)

    only_admins = NEW & PRIVATE & filters.User(admins)
    command("stats", admin.on_stats, only_admins)
    command("models", admin.on_models, only_admins)
    command("promote", admin.on_promote, only_admins)
    command("rollback", admin.on_rollback, only_admins)
    command("export", admin.on_export, only_admins)

    button("up down undo", votes.on_vote)
    button("consent", votes.on_consent)
    button("more", buttons.on_another)
    button("bin", buttons.on_remove)
    button("pick", buttons.on_album_photo)
    button("all", buttons.on_album_overview)
    button("fix", corrections.on_correct_button)
    button("set", account.on_setting_button)
    button("mine", account.on_older_captions)
    button("forget", account.on_forget_answer)
    button("privacy", commands.on_privacy_button)
    application.add_handler(CallbackQueryHandler(buttons.on_unknown_button))

    message(NEW & PRIVATE & HAS_IMAGE, photos.on_photo)
    message(NEW & GROUPS & HAS_IMAGE, groups.on_group_photo)
    message(NEW & GROUPS & filters.CAPTION & ~HAS_IMAGE, groups.on_other_media)
    message(EDITED & HAS_IMAGE, photos.on_edited_photo)
    message(NEW & filters.COMMAND, commands.on_unknown_command)
    message(NEW & filters.TEXT, commands.on_text)
    message(NEW & PRIVATE & ~filters.StatusUpdate.ALL, commands.on_other_message)
    message(filters.StatusUpdate.MIGRATE, chats.on_migration)
    application.add_handler(MessageReactionHandler(votes.on_reaction))
    application.add_handler(ChatMemberHandler(chats.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
    application.add_error_handler(on_error)
