"""How captioned files are written out: a JSON object, tab-separated text, or coloured for a terminal."""

import json

from rich.text import Text

from model.caption_files import CaptionedFile


def json_line(result: CaptionedFile, model: str) -> str:
    """One object on one line; the keys are what programs may rely on. model: the version of the model folder."""
    return json.dumps(
        {
            "photo": str(result.path),
            "caption": result.caption.text,
            "confidence": round(result.caption.confidence, 4),
            "alternatives": list(result.caption.alternatives),
            "model": model,
            "milliseconds": round(result.milliseconds, 1),
        }
    )


def plain_line(result: CaptionedFile) -> str:
    """File, sentence, confidence, and each alternative, with tabs between."""
    caption = result.caption
    return "\t".join([str(result.path), caption.text, f"{caption.confidence:.2f}", *caption.alternatives])


def terminal_text(result: CaptionedFile, width: int) -> Text:
    """The sentence beside the file's name, alternatives below. width: of the column of names."""
    caption = result.caption
    colour = "red" if not caption.photo else "yellow" if caption.hedged else "green"
    text = Text.assemble(
        (f"{result.path.name:<{width}}  ", "cyan"), (caption.text, "bold"), (f"  {caption.confidence:.0%}", colour)
    )
    for alternative in caption.alternatives:
        text.append(f"\n{'':<{width}}  {alternative}", "dim")
    return text
