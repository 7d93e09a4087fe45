"""The model card: what a model is, its metrics, how it was trained, its limits and intended use."""

from collections import Counter
from typing import Any

from model.config import ModelConfig
from training.metrics.scores import TITLES

CARD = """\
# A captionbot model

Describes a photo in one English sentence: {encoder} encoder, `{decoder}` decoder of {hidden} units, {vocabulary:,} words.

## How good it is

Measured on validation photos with the engine and the precision that serve, beam {beams}; 95 % intervals by bootstrap over
photos. These photos chose the checkpoint and its settings, so expect a little less on new ones.

{figures}

Signature: `{signature}`

## How sure it is

A caption counts as good when its CIDEr-D against the photo's references reaches {good_from}, which three in four captions
that people wrote of these photos reach against the other four. The confidence says how often a caption like this is
good. Of the captions of {judged:,} validation photos {good:.0%} were good. Each judged by a fit on the other nine tenths of the
photos, the expected calibration error is {error:.3f} (ten bins of equal mass), the area under the ROC curve {auroc:.2f}. {hedged:.1%} of these photos were hedged ("Could be: ...")
and {refused:.1%} taken for no photo.

![Reliability]({reliability})

## How it was made

{data}

{training}

{rare_words}{notes}
{curves}
## Ten good and ten bad

Drawn from the best quarter of the validation photos and from the worst, by CIDEr-D against the photo's five references.

{examples}

## What it gets wrong

- It knows what is often in its training photos, and calls other things by those names. What it most often names on
  validation photos where nobody who described the photo does, and how often it names the same things where they are:

{inventions}

- Numbers of people, colours of clothes and what somebody holds are often wrong.
- Man, woman, boy and girl are guesses from appearance and say nothing about who somebody is. Of {sex[guesses]} captions of
  these photos that name one sex, {sex[wrong]:.1%} name the one that no reference names, and of {sex[unsaid]:.1%} people said neither; of
  {age[guesses]} that name a grown-up or a child, {age[wrong]:.1%} and {age[unsaid]:.1%}. NEUTRAL_WORDING=true says person and child instead.
- It cannot read text in a photo, and knows no names of persons or places.

## What it must not be used for

Nothing where a wrong sentence does harm: not medical, legal or safety decisions, not watching or judging people, not as
the only description where somebody has to rely on it.

## Terms

The MIT licence covers captionbot's code, not these weights. They were learnt from {learnt_from}, and from what the encoder
was learnt from: the terms of these photos, captions and networks hold for the weights too.
"""

CAPTIONS = "It learnt from {photos:,} photos of {data_sets} with {captions:,} captions{written}."
WRITTEN = {  # by source
    "human": "by people",
    "machine": "by a model that looked at the photo, some of them wrong",
    "derived": "made by rule from other texts, with slips of grammar",
}

DIFFER = """\
{distinct:.0%} of the sentences differ; the commonest makes up {most_common:.1%}; they use {words_used:.0f} words, and
{mean_length:.1f} in a sentence. {hallucinated:.1%} name a common object that none of the people who described the photo names."""

RARE_WORDS = """\
Rare words are favoured: from each word's score {tau:g} times the logarithm of its frequency in the training captions is
subtracted (`captionbot bundle --rare-words {tau:g}`).

"""

RELIABILITY, CURVES = "reliability.png", "curves.png"
INHERITED = ("min_count", "decoder", "embedding", "hidden", "heads", "word_vectors", "freeze_words")

SHOWN = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l", "cider", "precision", "recall", "f1")


def model_card(config: ModelConfig, metrics: dict[str, Any], notes: str = "", *, curves: bool = False) -> str:
    """Write the model card in Markdown.

    Args:
        metrics: from training/packaging/bundle.py.
        notes: added to the section on training.
        curves: whether the folder has a plot of the training curves.
    """
    judged = metrics["confidence"]
    return CARD.format(
        encoder=config.encoder,
        decoder=config.decoder,
        hidden=config.hidden,
        vocabulary=config.vocabulary_size,
        beams=metrics["beams"],
        figures="\n\n".join(_figures(of_set) for of_set in [metrics, *metrics.get("other_data_sets", [])]),
        signature=metrics["signature"],
        good_from=judged["good_from_cider"],
        judged=judged["photos"],
        good=judged["good"],
        error=judged["calibration_error"],
        auroc=judged["area_under_roc"],
        hedged=judged["hedged"],
        refused=judged["refused"],
        reliability=RELIABILITY,
        data=_data(metrics["training_data"]),
        training=_training_section(metrics["training"]),
        rare_words=RARE_WORDS.format(tau=metrics["rare_words"]) if metrics.get("rare_words") else "",
        notes=notes.strip(),
        curves=f"\n![Training curves]({CURVES})\n" if curves else "",
        examples=_examples(metrics["examples"]),
        inventions=_inventions(metrics["inventions"]),
        learnt_from=_listed(metrics["training_data"]["data_sets"]),
        **metrics["guesses"],
    )


def _figures(metrics: dict[str, Any]) -> str:
    """The figures of one data set: a table, and how its sentences differ."""
    served, exact = metrics["validation"]["figures"], metrics["validation_float32"]["figures"]
    rows = [
        f"| {TITLES[key]} | {served[key]['value']:.3f} | {served[key]['low']:.3f} to {served[key]['high']:.3f} | {exact[key]['value']:.3f} |"
        for key in SHOWN
        if key in served
    ]
    head = f"| {metrics['validation']['photos']:,} photos of {metrics.get('data_set', 'its data set')} | 8-bit integers | 95 % | float32 |"
    differ = DIFFER.format(**{name: figure["value"] for name, figure in served.items()})
    return "\n".join([head, "|---|---|---|---|", *rows, "", differ])


def _examples(examples: dict[str, list[dict[str, Any]]]) -> str:
    rows = [
        f"| {one['photo']} | {one['says']} | {one['person']} | {one['cider']:.2f} |"
        for part in examples.values()
        for one in part
    ]
    return "\n".join(["| photo | the model | a person | CIDEr |", "|---|---|---|---|", *rows])


def _inventions(inventions: list[dict[str, Any]]) -> str:
    rows = [
        f"| {one['object']} | {one['named_elsewhere']} of {one['elsewhere']:,} | {one['named_there']} of {one['there']:,} |"
        for one in inventions
    ]
    return "\n".join(["| object | named where nobody names it | named where somebody does |", "|---|---|---|", *rows])


def _data(data: dict[str, Any]) -> str:
    """What the decoder was trained on, and who wrote the captions."""
    written = [f"{count:,} {WRITTEN[source]}" for source, count in data["sources"].items() if count]
    return CAPTIONS.format(
        photos=data["photos"],
        captions=data["captions"],
        data_sets=_listed(data["data_sets"]),
        written=f": {'; '.join(written)}" if len(written) > 1 else "",
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _training_section(training: dict[str, Any]) -> str:
    """How the decoder was trained, from the recipes that are stored with the run's metrics."""
    if "averaged" in training:
        parts = Counter(_training_section(part) for part in training["averaged"])  # one may count several times
        told = [part if count == 1 else f"Counted {count} times: {part}" for part, count in parts.items()]
        return "\n\n".join([f"The decoder is the mean of {parts.total()} (`captionbot average`).", *told])
    if "recipe" not in training:
        return "The model folder that it was made from does not say."
    recipe = {name: value for name, value in training["recipe"].items() if value not in ("", False)}
    if "start_from" in recipe:  # sizes and vocabulary are those of that model
        recipe = {name: value for name, value in recipe.items() if name not in INHERITED}
    settings = "\n".join(f"{name} = {value!r}" for name, value in recipe.items())
    return f"{_phase_title(training['phase'])}, best after epoch {training['epoch']}:\n\n```\n{settings}\n```"


def _phase_title(phase: str) -> str:
    return {"cross_entropy": "Cross-entropy", "self_critical": "Self-critical training"}[phase]
