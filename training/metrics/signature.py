"""The signature of a score: one line that says what it was measured on.

Two scores can be compared only if their signatures differ in nothing but the model.
"""


def signature(split: str, photos: int, beams: int, tokenizer: str, model: str, data: str) -> str:
    """A signature such as `captionbot:dev|n=1000|beam=3|tok=ptb-1|model=1a2b3c4d5e6f|data=3c4d5e6f7a8b`.

    Args:
        tokenizer: `tokenizer.VERSION`.
        model: the model folder's version.
        data: hash of the references.
    """
    return f"captionbot:{split}|n={photos}|beam={beams}|tok={tokenizer}|model={model}|data={data}"
