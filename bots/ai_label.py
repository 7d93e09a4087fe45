"""The label before what a model wrote, "AI:", which LABEL_CAPTIONS turns on."""

from bots.i18n import say
from bots.service.views import CaptionView


def label_of(caption: CaptionView, language: str | None) -> str | None:
    """The label of a caption; None if it has none, such as one that a person wrote."""
    return say(language, "common.ai_label") if caption.labelled else None


def labelled_text(caption: CaptionView, language: str | None) -> str | None:
    """The text of a caption after its label, if it has one. None if there is no text."""
    label = label_of(caption, language)
    return f"{label} {caption.text}" if label and caption.text else caption.text
