"""The front-ends: Telegram, Discord and the web page, which share one service."""
