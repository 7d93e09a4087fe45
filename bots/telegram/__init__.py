"""The Telegram bot, on python-telegram-bot: handlers, rendering, delivery, polling and webhook."""
