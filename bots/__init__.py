"""How people reach captionbot: chat platforms and the web page, all on one service."""
