"""The model card: what a model is, how it was made, how good it is, and what it must not be used for."""

from typing import Any

from model.config import ModelConfig
from training.metrics.scores import TITLES

CARD = """\
# A captionbot model

Describes a photo in one English sentence: {encoder} encoder, `{decoder}` decoder of {hidden} units, {vocabulary:,} words.

## How good it is

Measured on {photos:,} validation photos of its data set with the engine and the precision that serve, beam {beams}; 95 %
intervals by bootstrap over photos. These photos chose the checkpoint and its settings, so expect a little less on new ones.

| metric | {precision} | 95 % | float32 |
|---|---|---|---|
{rows}

{distinct:.0%} of the sentences differ; the commonest makes up {most_common:.1%}; their mean length is {length:.1f} words.
Signature: `{signature}`

## How sure it is

A caption counts as good when its CIDEr-D against the photo's references reaches {good_from}, which three in four captions
that people wrote of these photos reach against the other four. The confidence says how often a caption like this is
good. Of the captions of {judged:,} validation photos {good:.0%} were good. Each judged by a fit on the other nine tenths of the
photos, the expected calibration error is {error:.3f} (ten bins of equal mass), the area under the ROC curve {auroc:.2f}. {hedged:.1%} of these photos were hedged ("Could be: ...")
and {refused:.1%} taken for no photo.

![Reliability]({reliability})

## How it was made

{training}

{notes}
{curves}
## Ten good and ten bad

Drawn from the best quarter of the validation photos and from the worst, by CIDEr-D against the photo's five references.

{examples}

## What it gets wrong

- It knows people and dogs outdoors, which is most of Flickr8k, and calls much else by their names: cats become dogs,
  objects without people are rarely named at all.
- Numbers of people, colours of clothes and what somebody holds are often wrong.
- Man, woman, boy and girl are guesses from appearance and say nothing about who somebody is. Of {sex[guesses]} captions of
  these photos that name one sex, {sex[wrong]:.1%} name the one that no reference names, and of {sex[unsaid]:.1%} people said neither; of
  {age[guesses]} that name a grown-up or a child, {age[wrong]:.1%} and {age[unsaid]:.1%}. NEUTRAL_WORDING=true says person and child instead.
- It cannot read text in a photo, and knows no names of persons or places.

## What it must not be used for

Nothing where a wrong sentence does harm: not medical, legal or safety decisions, not watching or judging people, not as
the only description where somebody has to rely on it.

## Terms

The MIT licence covers captionbot's code. The weights were learnt from Flickr8k, which is for research use only, and from
a teacher network and unlabelled photos whose licences are unknown: treat them as for research and personal use.
"""

RELIABILITY, CURVES = "reliability.png", "curves.png"
FROM_START = ("min_count", "decoder", "embedding", "hidden", "heads", "word_vectors", "freeze_words")

SHOWN = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l", "cider", "precision", "recall", "f1")


def model_card(config: ModelConfig, metrics: dict[str, Any], notes: str = "", *, curves: bool = False) -> str:
    """Markdown. `metrics` as training/bundle.py collects them; `notes` is added to how it was made.

    curves: whether there is a picture of them.
    """
    served, exact = metrics["validation"]["figures"], metrics["validation_float32"]["figures"]
    judged = metrics["confidence"]
    rows = [
        f"| {TITLES[key]} | {served[key]['value']:.3f} | {served[key]['low']:.3f} to {served[key]['high']:.3f} | {exact[key]['value']:.3f} |"
        for key in SHOWN
        if key in served
    ]
    return CARD.format(
        encoder=config.encoder,
        decoder=config.decoder,
        hidden=config.hidden,
        vocabulary=config.vocabulary_size,
        photos=metrics["validation"]["photos"],
        beams=metrics["beams"],
        precision="8-bit integers",
        rows="\n".join(rows),
        distinct=served["distinct"]["value"],
        most_common=served["most_common"]["value"],
        length=served["mean_length"]["value"],
        signature=metrics["signature"],
        good_from=judged["good_from_cider"],
        judged=judged["photos"],
        good=judged["good"],
        error=judged["calibration_error"],
        auroc=judged["area_under_roc"],
        hedged=judged["hedged"],
        refused=judged["refused"],
        reliability=RELIABILITY,
        training=_story(metrics["training"]),
        notes=notes.strip(),
        curves=f"\n![Training curves]({CURVES})\n" if curves else "",
        examples=_examples(metrics["examples"]),
        **metrics["guesses"],
    )


def _examples(examples: dict[str, list[dict[str, Any]]]) -> str:
    rows = [
        f"| {one['photo']} | {one['says']} | {one['person']} | {one['cider']:.2f} |"
        for part in examples.values()
        for one in part
    ]
    return "\n".join(["| photo | the model | a person | CIDEr |", "|---|---|---|---|", *rows])


def _story(training: dict[str, Any]) -> str:
    """How the decoder was trained, from the recipes that travel with the run's figures."""
    if "averaged" in training:
        parts = [_story(part) for part in training["averaged"]]
        return "\n\n".join([f"The decoder is the mean of {len(parts)} (`captionbot average`).", *parts])
    if "recipe" not in training:
        return "The model folder that it was made from does not say."
    recipe = {name: value for name, value in training["recipe"].items() if value not in ("", False)}
    if "start_from" in recipe:  # sizes and vocabulary came from there
        recipe = {name: value for name, value in recipe.items() if name not in FROM_START}
    settings = "\n".join(f"{name} = {value!r}" for name, value in recipe.items())
    return f"{_said(training['phase'])}, best after epoch {training['epoch']}:\n\n```\n{settings}\n```"


def _said(phase: str) -> str:
    return {"cross_entropy": "Cross-entropy", "self_critical": "Self-critical training"}[phase]
