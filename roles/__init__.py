"""The processes of captionbot, and the sub-commands of its command line."""
