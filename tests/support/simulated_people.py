"""Simulated people with a taste that was fixed beforehand, who use the service as real people would.

They like a caption of at most ten words that names a colour, if any reference of the photo names one. They err in one
vote in five. A third of what they dislike they correct, with a reference that is to their taste.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from bots.service.service import CaptionService
from db.caption_requests import CaptionRequest
from db.tables import Correction, Vote
from training.data import Example

WORDS = 10
COLOURS = frozenset(
    "red blue green yellow black white brown orange pink purple grey gray tan blond blonde golden".split()
)
NOISE, CORRECTED = 0.2, 1 / 3
CHAT, CHATS = 5, 12  # people in a chat, and chats
VOTES, CORRECTIONS = 1500, 300
TROLLS = 0.3  # share of votes and of corrections that are theirs, when there are any
TROLL_ACCOUNTS = 6
SPAM = (
    "follow @best_pics for more pics",
    "cheap watches at www.watches.example today",
    "this bot is fucking useless",
    "lol lol lol lol",
)

Words = Sequence[str]
Say = Callable[[str], None]


def names_colour(words: Words) -> bool:
    return not COLOURS.isdisjoint(words)


def likes(words: Words, references: Sequence[Words]) -> bool:
    """The taste."""
    return len(words) <= WORDS and (names_colour(words) or not any(map(names_colour, references)))


@dataclass
class Simulation:
    """What people did. Rows of shown captions, by photo: the first sentence, then the other one."""

    service: CaptionService
    wait: Callable[[], None]  # until nothing is queued
    seed: int
    trolls: bool = False
    shown: dict[str, list[tuple[str, tuple[str, ...]]]] = field(default_factory=dict)  # photo -> (caption, words)
    votes: list[tuple[str, str, str, int]] = field(default_factory=list)  # photo, caption, person, value
    corrections: int = 0

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def run(self, examples: Sequence[Example], photo_bytes: Callable[[Example], bytes]) -> None:
        """Photos are sent in chats; two members vote on the first sentence, then the sender on another one."""
        photos = self.draw.sample([*examples], len(examples))
        chats = {example.id: self.draw.randrange(CHATS) for example in photos}
        senders = {example.id: self._member(chats[example.id]) for example in photos}
        for example in photos:
            sender, chat = senders[example.id], _chat(chats[example.id])
            self.service.people.set_consent(sender, True)
            sent = self.service.submissions.submit(
                photo_bytes(example), CaptionRequest(sender=sender, front_end="telegram", chat=chat)
            )
            self.shown[example.id] = [(sent.id, ())]
        self.wait()
        for example in photos:
            first = self.shown[example.id][0][0]
            other = self.service.submissions.another(first, person=senders[example.id], chat=_chat(chats[example.id]))
            self.shown[example.id].append((other.id, ()))
        self.wait()
        for example in photos:
            self.shown[example.id] = [(id, self._words(id)) for id, _ in self.shown[example.id]]
        self._vote(photos, chats, senders)
        self._correct(photos, chats)

    def save(self, path: Path) -> None:
        """What people saw and voted; all else is in the database."""
        path.write_text(json.dumps({"shown": self.shown, "votes": self.votes}))

    def load(self, path: Path) -> None:
        kept = json.loads(path.read_text())
        self.shown = {photo: [(id, tuple(words)) for id, words in rows] for photo, rows in kept["shown"].items()}
        self.votes = [tuple(vote) for vote in kept["votes"]]

    def _vote(self, photos: Sequence[Example], chats: dict[str, int], senders: dict[str, str]) -> None:
        trolls = round(TROLLS * VOTES) if self.trolls else 0
        honest = [(example, number) for example in photos for number in (0, 0, 1)][: VOTES - trolls]
        for example, number in honest:
            caption, words = self.shown[example.id][number]
            members = [person for person in _members(chats[example.id]) if not self._has_voted(person, caption)]
            person = senders[example.id] if number else self.draw.choice(members)
            liked = likes(words, example.captions) ^ (self.draw.random() < NOISE)
            self._cast(example, caption, person, 1 if liked else -1, chats)
        # A few accounts vote on very many captions, and mean the opposite of what the others like.
        for turn in range(trolls):
            example = photos[(7 * turn) % len(photos)]
            caption, words = self.shown[example.id][turn % 2]
            person = f"telegram:{9000 + turn % TROLL_ACCOUNTS}"
            if not self._has_voted(person, caption):
                self._cast(example, caption, person, -1 if likes(words, example.captions) else 1, chats)

    def _cast(self, example: Example, caption: str, person: str, value: int, chats: dict[str, int]) -> None:
        self.service.feedback.vote(caption, person=person, value=value, chat=_chat(chats[example.id]))
        self.votes.append((example.id, caption, person, value))

    def _correct(self, photos: Sequence[Example], chats: dict[str, int]) -> None:
        """Of a third of what they dislike, as far as a reference is to their taste; trolls of what they like."""
        by_id = {example.id: example for example in photos}
        wanted = round(CORRECTIONS * (1 - TROLLS)) if self.trolls else CORRECTIONS
        disliked = [(photo, caption, person) for photo, caption, person, value in self.votes if value < 0]
        self.draw.shuffle(disliked)
        written = set()
        for photo, caption, person in disliked:
            references = by_id[photo].captions
            fitting = [words for words in references if likes(words, references) and (photo, words) not in written]
            if not fitting or int(person.partition(":")[2]) >= 9000 or self.corrections >= wanted:
                continue
            words = self.draw.choice(fitting)
            written.add((photo, words))
            self.service.feedback.correct(caption, person=person, text=" ".join(words), chat=_chat(chats[photo]))
            self.corrections += 1
        while self.corrections < CORRECTIONS:  # only trolls are left
            photo, person = self.draw.choice(photos), f"telegram:{9000 + self.draw.randrange(TROLL_ACCOUNTS)}"
            caption = self.draw.choice(self.shown[photo.id])[0]
            stray = " ".join(self.draw.choice(self.draw.choice(photos).captions))
            text = self.draw.choice([stray, stray, self.draw.choice(SPAM)])
            self.service.feedback.correct(caption, person=person, text=text, chat=_chat(chats[photo.id]))
            self.corrections += 1

    def _words(self, caption: str) -> tuple[str, ...]:
        return self.service.captions.get(caption, person=None).words

    def _has_voted(self, person: str, caption: str) -> bool:
        return any(vote[1] == caption and vote[2] == person for vote in self.votes[-VOTES:])

    def _member(self, chat: int) -> str:
        return self.draw.choice(_members(chat))


def spread_over_weeks(sessions: sessionmaker[Session], seed: int) -> None:
    """The simulated people were quick; real ones take weeks, and haste would be held against them."""
    draw, start = random.Random(seed), datetime(2026, 1, 1, tzinfo=UTC)
    with sessions.begin() as session:
        for vote in session.query(Vote).order_by(Vote.id):
            vote.voted_at = start + timedelta(minutes=draw.randrange(30 * 24 * 60))
        for wrote in session.query(Correction).order_by(Correction.id):
            wrote.written_at = start + timedelta(minutes=draw.randrange(30 * 24 * 60))


def _members(chat: int) -> list[str]:
    return [f"telegram:{100 * (chat + 1) + number}" for number in range(CHAT)]


def _chat(number: int) -> str:
    return f"telegram:-{number + 1}"
