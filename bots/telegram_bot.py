"""The Telegram bot: who answers what. The table of contents of bots/telegram_*.py."""

import asyncio
from typing import TYPE_CHECKING, Any

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

from bots import (
    telegram_admin,
    telegram_buttons,
    telegram_chats,
    telegram_commands,
    telegram_corrections,
    telegram_groups,
    telegram_people,
    telegram_photos,
    telegram_votes,
)
from bots.delivery import Deliveries
from bots.errors import CannotStart
from bots.log_secrets import hide
from bots.service import CaptionService
from bots.telegram_context import Context, Parts
from bots.telegram_delivery import send
from bots.telegram_files import HAS_PICTURE
from bots.telegram_intake import Intake
from bots.telegram_limits import Limiter
from bots.telegram_menu import register_commands, telegram_ids
from bots.telegram_polling import Polling
from bots.telegram_talk import on_error

if TYPE_CHECKING:
    from settings import Settings

ALLOWED_UPDATES = [
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.MESSAGE_REACTION,
    Update.MY_CHAT_MEMBER,
]
CONNECTIONS = 40  # to Telegram, of which deliveries may use 20 at the same time
DOWNLOADS = 8  # photos that are loaded and checked at the same time
NO_TOKEN = "TELEGRAM_TOKEN is not set. Ask @BotFather for a bot, and put its token into .env."
PRIVATE, GROUPS = filters.ChatType.PRIVATE, filters.ChatType.GROUPS
NEW, EDITED = filters.UpdateType.MESSAGE, filters.UpdateType.EDITED_MESSAGE


def create_application(
    service: CaptionService | None = None, settings: "Settings | None" = None
) -> "TelegramApplication":
    """A fresh bot, not yet started. Makes what is not given from the settings. Raises CannotStart without a token."""
    if settings is None:
        from settings import read_settings

        settings = read_settings()
    if settings.telegram_token is None:
        raise CannotStart(NO_TOKEN)
    if service is None:
        from bots.service_setup import create_service

        service = create_service(settings)
    token = settings.telegram_token.get_secret_value()
    hide(token.partition(":")[2] or token)  # what stands before the colon is the bot's public number
    parts = Parts(service, settings, Intake(), Limiter(), asyncio.Semaphore(DOWNLOADS))
    api = settings.telegram_api_url.rstrip("/")
    application: Any = (
        ApplicationBuilder()
        .application_class(TelegramApplication, {"parts": parts})
        .token(token)
        .base_url(f"{api}/bot")
        .base_file_url(f"{api}/file/bot")
        .context_types(ContextTypes(context=Context))
        .defaults(Defaults(link_preview_options=LinkPreviewOptions(is_disabled=True)))
        .rate_limiter(parts.limiter)
        .update_queue(parts.intake)
        .read_timeout(20)
        .write_timeout(30)
        .connection_pool_size(CONNECTIONS)
        .pool_timeout(30)
        .get_updates_read_timeout(10)
        .build()
    )
    parts.intake.application = application
    application.updater = Polling(application.bot, parts.intake)
    add_handlers(application, telegram_ids(settings.admin_ids))
    assert isinstance(application, TelegramApplication)
    return application


def add_handlers(application: "TelegramApplication", admins: list[int]) -> None:
    """Of each update the first one that fits takes it."""

    def command(names: str, callback: Any, where: filters.BaseFilter = NEW) -> None:
        application.add_handler(CommandHandler(names.split(), callback, where))

    def button(verbs: str, callback: Any) -> None:
        application.add_handler(CallbackQueryHandler(callback, rf"^({verbs}):"))

    def message(where: filters.BaseFilter, callback: Any) -> None:
        application.add_handler(MessageHandler(where, callback))

    command("start", telegram_commands.on_start)
    command("help", telegram_commands.on_help)
    command("privacy", telegram_commands.on_privacy)
    command("settings", telegram_people.on_settings, NEW & PRIVATE)
    command("mine", telegram_people.on_mine, NEW & PRIVATE)
    command("forget", telegram_people.on_forget, NEW & PRIVATE)
    command("settings mine forget", telegram_commands.on_private_command_in_group, NEW & GROUPS)
    command("caption", telegram_groups.on_caption)
    command("auto", telegram_chats.on_auto)

    only_admins = NEW & PRIVATE & filters.User(admins)
    command("stats", telegram_admin.on_stats, only_admins)
    command("models", telegram_admin.on_models, only_admins)
    command("promote", telegram_admin.on_promote, only_admins)
    command("rollback", telegram_admin.on_rollback, only_admins)
    command("export", telegram_admin.on_export, only_admins)

    button("up|down|undo", telegram_votes.on_vote)
    button("consent", telegram_votes.on_consent)
    button("more", telegram_buttons.on_more)
    button("bin", telegram_buttons.on_bin)
    button("pick", telegram_buttons.on_pick)
    button("all", telegram_buttons.on_all)
    button("fix", telegram_corrections.on_fix)
    button("set", telegram_people.on_change)
    button("mine", telegram_people.on_older)
    button("forget", telegram_people.on_forget_answer)
    application.add_handler(CallbackQueryHandler(telegram_buttons.on_unknown_button))

    message(NEW & PRIVATE & HAS_PICTURE, telegram_photos.on_picture)
    message(NEW & GROUPS & HAS_PICTURE, telegram_groups.on_group_picture)
    message(EDITED & HAS_PICTURE, telegram_photos.on_edited_picture)
    message(NEW & filters.COMMAND, telegram_commands.on_unknown_command)
    message(NEW & filters.TEXT, telegram_commands.on_text)
    message(NEW & PRIVATE & ~filters.StatusUpdate.ALL, telegram_commands.on_anything_else)
    message(filters.StatusUpdate.MIGRATE, telegram_chats.on_migration)
    application.add_handler(MessageReactionHandler(telegram_votes.on_reaction))
    application.add_handler(ChatMemberHandler(telegram_chats.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
    application.add_error_handler(on_error)


class TelegramApplication(Application[Any, Any, Any, Any, Any, Any]):
    """While it runs, finished captions are delivered."""

    def __init__(self, *, parts: Parts, **more: Any):
        super().__init__(**more)
        self.parts = parts
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        await super().start()
        parts = self.parts
        deliveries = Deliveries(parts.service, "telegram", parts.service.wakes)
        self._tasks = (
            asyncio.create_task(deliveries.run(lambda delivery: send(self.bot, parts, delivery)), name="deliveries"),
            asyncio.create_task(register_commands(self.bot, parts.settings.admin_ids), name="commands"),
        )

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().stop()
