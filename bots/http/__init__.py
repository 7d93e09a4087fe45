"""What serves HTTP to strangers, for the web page and for Telegram's webhook."""
