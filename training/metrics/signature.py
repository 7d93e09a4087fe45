"""What a score was measured on, in one line that travels with it. Two scores compare only if all of it but the model is
the same."""


def signature(split: str, photos: int, beams: int, tokenizer: str, model: str, data: str) -> str:
    """Such as `captionbot:dev|n=1000|beam=3|tok=ptb-1|model=1a2b3c4d5e6f|data=3c4d5e6f7a8b`.

    tokenizer: `tokenizer.VERSION`. model: the model folder's version. data: a hash of the references.
    """
    return f"captionbot:{split}|n={photos}|beam={beams}|tok={tokenizer}|model={model}|data={data}"
