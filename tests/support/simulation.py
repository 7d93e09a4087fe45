"""Does captionbot learn what people like? Simulated people use the real service; then it learns, and is measured.

    python -m tests.support.simulation --data flickr8k/ --out data/simulation --seeds 5
    python -m tests.support.simulation --data flickr8k/ --out data/simulation --seeds 5 --variants all
    python -m tests.support.simulation --data flickr8k/ --out data/simulation --seeds 5 --poisoned

People see the photos of one half of the validation split (by hash) through a service and a worker with the bundled
model. All figures are of the other half, captioned by the candidate as it serves, without correction memory. --poisoned
lets trolls write 30 % of votes and corrections; then the judge is asked, too.
"""

import argparse
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from bots.service.base import Backend
from bots.service.rate_limits import RateLimits
from bots.service.service import CaptionService
from bots.service.views import Policy
from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.feedback_export import export
from db.photo_store import PhotoStore
from db.schema import migrate
from db.tables import Caption, State
from model.caption_text import DANGLING
from model.model_folder import load_model
from tests.support.simulated_figures import (
    TABLE,
    Captions,
    Figures,
    approval,
    captions_of,
    disliked_captions,
    half,
    row_of,
)
from tests.support.simulated_people import Simulation, spread_over_weeks
from training.data import Dataset, Example, load_dataset
from training.data.report import Report
from training.feedback.dataset import read_feedback
from training.feedback.finetune import finetune
from training.feedback.recipe import FeedbackRecipe
from training.metrics.bootstrap import compare, resample
from training.metrics.cider import cider
from training.promotion.judge import judge
from training.promotion.serving import known_words
from worker.job_queue import create_app, create_notifier, send
from worker.worker import Worker

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = {  # what is changed in the recipe
    "default": [],
    "corrections only": ["thumbs=0"],
    "thumbs only": ["corrections=0", "preference=0"],
    "no replay": ["replay_share=0", "batch=8"],
    "no preference losses": ["preference=0", "thumbs=0"],
}


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.WARNING)
    dataset = load_dataset(options.data)
    seen, unseen = ([one for one in dataset.split("val") if half(one) == number] for number in (0, 1))
    options.out = options.out / load_model(options.model).version
    options.out.mkdir(parents=True, exist_ok=True)
    before = captions_of(options.model, dataset, [*seen, *unseen])
    print(f"{len(seen)} photos are shown; on {len(unseen)} others {approval(before, unseen):.1%} are liked")
    names = [*VARIANTS] if "all" in options.variants else options.variants
    rows: dict[str, list[Figures]] = {name: [] for name in names}
    for seed in range(options.first, options.first + options.seeds):
        people = simulate(options, seed, dataset, seen)
        for name in names:
            figures = measure(options, seed, name, people, dataset, before, unseen)
            rows[name].append(figures)
            told = json.dumps({key: value for key, value in figures.items() if key != "change"})
            print(told, flush=True)
            with (options.out / "figures.jsonl").open("a") as file:
                file.write(told + "\n")
    print(TABLE)
    for name in names:
        print(row_of(name, rows[name]))


def simulate(options: argparse.Namespace, seed: int, dataset: Dataset, examples: Sequence[Example]) -> Simulation:
    """People use the service for a while; what they said lies in an export then. What was simulated is kept."""
    folder = place(options, seed)
    url = f"sqlite:///{folder}/captionbot.db"
    engine = create_engine(url)
    migrate(engine)
    sessions, store = sessions_of(engine), PhotoStore(str(folder / "photos"))
    queue, notifier = create_app(None, f"simulation-{seed}"), create_notifier(None)
    limits, policy = RateLimits("100000/minute"), Policy(queue_limit=100_000, person_queue_limit=100_000)
    service = CaptionService(Backend(engine, store, lambda row: send(queue, row), limits, policy, notifier))
    worker = Worker(create_app(None, f"simulation-{seed}"), sessions, store, notifier, model_dir=options.model)

    def wait() -> None:
        while True:
            with sessions() as session:
                unfinished = Caption.state.in_([State.QUEUED, State.RUNNING])
                if not session.scalar(select(func.count()).where(unfinished)):
                    return
            time.sleep(0.2)

    people, kept = Simulation(service, wait, seed, trolls=options.poisoned), folder / "people.json"
    if kept.exists():
        people.load(kept)
    else:
        worker.start()
        try:
            people.run(examples, dataset.photo_bytes)
        finally:
            worker.stop()
        spread_over_weeks(sessions, seed)
        people.save(kept)
    exported = export(sessions, store, folder / "export", known=known_words(options.model))
    print(f"seed {seed}: {vars(exported.counts)}, {len(exported.suspicious)} people are not believed in full")
    return people


def measure(
    options: argparse.Namespace,
    seed: int,
    name: str,
    people: Simulation,
    dataset: Dataset,
    before: Captions,
    unseen: Sequence[Example],
) -> Figures:
    """Fine-tune on what was said and compare candidate and current model. "change" is CIDEr's, photo by photo."""
    feedback = read_feedback(place(options, seed) / "export")
    changes = [*VARIANTS[name], *options.set, f"seed={seed}"]
    recipe = FeedbackRecipe.load(ROOT / "training/configs/feedback.toml", changes)
    run = place(options, seed) / name.replace(" ", "-")
    began = time.process_time()
    seen = place(options, seed) / "features"
    candidate = finetune(
        recipe,
        options.model,
        feedback,
        dataset,
        run,
        features=options.features,
        feedback_features=seen,
        echo=lambda _: None,
    )
    seconds = time.process_time() - began
    disliked = disliked_captions(people)
    again = [example for example in dataset.split("val") if example.id in dict(disliked)]
    after = captions_of(candidate, dataset, [*unseen, *again])
    references = [example.captions for example in unseen]
    new, old = (cider([said[example.id] for example in unseen], references) for said in (after, before))
    compared = compare(new, old, resample(len(unseen), 1000, 0))
    figures: Figures = {
        "variant": name,
        "seed": seed,
        "approval": [round(approval(said, unseen), 4) for said in (before, after)],
        "cider": [round(float(old.mean()), 4), *(round(figure, 4) for figure in compared[:3])],
        "said again": [
            round(float(np.mean([said[id] == words for id, words in disliked])), 4) for said in (before, after)
        ],
        "cut off": sum(not words or words[-1] in DANGLING for words in after.values()),
        "words": round(float(np.mean([len(after[example.id]) for example in unseen])), 2),
        "different": round(len({after[example.id] for example in unseen}) / len(unseen), 3),
        "seconds": round(seconds),
        "change": new - old,
    }
    if options.poisoned:
        others = Dataset([*unseen], Report(str(options.data), "flickr8k"), dataset.places)
        judgement = judge(options.model, candidate, others, feedback).judgement
        figures |= {"passed": judgement.passed, "reasons": judgement.reasons}
    return figures


def place(options: argparse.Namespace, seed: int) -> Path:
    folder = options.out / f"{'poisoned' if options.poisoned else 'seed'}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of Flickr8k")
    parser.add_argument(
        "--out", type=Path, default=Path("data/simulation"), help="what was simulated there before is used again"
    )
    parser.add_argument("--model", type=Path, default=ROOT / "models/bundled")
    parser.add_argument("--features", type=Path, default=Path("data/features"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--variants", nargs="+", choices=[*VARIANTS, "all"], default=["default"])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change the recipe")
    parser.add_argument("--poisoned", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
