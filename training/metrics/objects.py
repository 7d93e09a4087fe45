"""Common objects that captions name: which ones are hallucinated, and how reliably each is named.

After CHAIR (Rohrbach et al. 2018, "Object hallucination in image captioning"): an object is hallucinated if a caption
names it and nothing shows that it is there. Here that is the photo's references alone, because most data sets have no
annotated objects; so an object that all references leave out counts as hallucinated too. The list is COCO's 80 classes,
with synonyms, and what people often name beside them; without words that mean something else as often ("orange").
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

Words = Sequence[str]

# An object a line: its name, then synonyms and kinds. Plurals are formed by rule, or given if they are irregular.
OBJECTS = """
person: people man men woman women boy girl child children kid toddler baby babies guy lady ladies player skier
    snowboarder surfer skateboarder skater biker cyclist bicyclist rider climber swimmer dancer worker crowd couple
    teenager adult human
dog: puppy puppies doggy
cat: kitten kitty
horse: pony ponies
cow: cattle bull calf calves ox oxen
sheep: lamb goat
bird: parrot seagull gull duck goose geese pigeon eagle owl hawk chicken rooster pelican flamingo penguin
elephant:
bear: cub
zebra:
giraffe:
monkey: ape
car: sedan suv taxi cab jeep
truck: lorry lorries pickup van
bus: buses coach
train: locomotive
tram: trolley streetcar
motorcycle: motorbike moped scooter
bicycle: bike
airplane: plane aeroplane jet aircraft airliner
helicopter:
boat: ship canoe kayak sailboat raft ferry ferries
traffic light: stoplight
fire hydrant: hydrant
stop sign:
parking meter:
bench:
backpack: rucksack
umbrella: parasol
handbag: purse
suitcase: luggage
tie: necktie
frisbee:
skis: ski
snowboard:
surfboard:
skateboard:
kite:
ball:
bat:
racket: racquet
bottle:
wine glass: wineglass
cup: mug
fork:
knife: knives
spoon:
bowl:
plate: dish
banana:
apple:
fruit: strawberry strawberries grape
vegetable: veggie broccoli carrot tomato tomatoes potato potatoes lettuce salad
sandwich: hamburger burger sub
hot dog: hotdog
pizza:
doughnut: donut
cake: cupcake
bread: bun
meat: steak chicken
food: meal lunch dinner breakfast
chair: stool armchair
couch: sofa
plant: flower houseplant
bed:
table: desk counter countertop
toilet: urinal
sink:
bathtub: tub shower
television: tv
computer: laptop monitor
mouse:
keyboard:
remote:
phone: cellphone telephone smartphone
microwave:
oven: stove
toaster:
refrigerator: fridge
book:
clock:
vase:
scissors:
teddy bear: teddy
toy:
toothbrush:
mirror:
lamp:
window:
door:
tree:
building: house skyscraper church tower
bridge:
fence:
pool:
guitar:
hat: cap helmet
sunglasses: goggles
tent:
"""


class Reliability(NamedTuple):
    """How reliably an object is named, over a set of photos. It is there if a reference names it."""

    object: str
    there: int  # photos
    named_there: int
    elsewhere: int
    named_elsewhere: int


def objects_in(words: Words) -> frozenset[str]:
    """The objects that a tokenised caption names. A "hot dog" is no dog, and a "teddy bear" no bear."""
    found: set[str] = set()
    at = 0
    while at < len(words):
        pair = " ".join(words[at : at + 2])
        if pair in _NAMES:
            found |= _NAMES[pair]
            at += 2
        else:
            found |= _NAMES.get(words[at], frozenset())
            at += 1
    return frozenset(found)


def hallucinated(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> np.ndarray:
    """Whether each photo's caption names an object that none of its references names, float64 (photos,) of 0 and 1."""
    named = map(objects_in, captions)
    return np.array([bool(own - there) for own, there in zip(named, _there(references), strict=True)], float)


def reliability(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[Reliability]:
    """How often each object is named where it is and where it is not; the objects that are there most often first."""
    pairs = list(zip(map(objects_in, captions), _there(references), strict=True))
    there = Counter(thing for _, present in pairs for thing in present)
    right = Counter(thing for named, present in pairs for thing in named & present)
    wrong = Counter(thing for named, present in pairs for thing in named - present)
    things = sorted(there | wrong, key=lambda thing: (-there[thing], thing))
    return [Reliability(t, there[t], right[t], len(pairs) - there[t], wrong[t]) for t in things]


def _there(references: Sequence[Sequence[Words]]) -> Iterable[frozenset[str]]:
    return (frozenset().union(*map(objects_in, sentences)) for sentences in references)


def _plurals(word: str) -> set[str]:
    return {word, word + ("es" if word.endswith(("s", "sh", "ch", "x")) else "s")}


def _read(table: str) -> dict[str, frozenset[str]]:
    """Name, synonym or plural -> its objects; "chicken" is a bird and meat."""
    names: dict[str, frozenset[str]] = {}
    for line in table.replace("\n    ", " ").strip().splitlines():
        thing, _, synonyms = line.partition(":")
        for word in (thing, *synonyms.split()):
            for form in _plurals(word):
                names[form] = names.get(form, frozenset()) | {thing}
    return names


_NAMES = _read(OBJECTS)
