"""A zoo of picture files, each with what should become of it: one kind of damage, metadata or encoding at a time.

Its parts put their files into `ZOO`, by name, when they are imported.
"""

from tests.support import zoo_damage, zoo_encodings, zoo_metadata
from tests.support.zoo_scene import MOST_BYTES, MOST_PIXELS, PART, SIZE, WHOLE, ZOO, scene

PARTS = zoo_encodings, zoo_metadata, zoo_damage

__all__ = ["MOST_BYTES", "MOST_PIXELS", "PART", "PARTS", "SIZE", "WHOLE", "ZOO", "scene"]
