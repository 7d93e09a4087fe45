"""The tables of the database, a file for each theme. Whoever imports one has all: they name each other.

Primary keys are integers; `public_id`, which is random, is the only identifier shown to users. Times are in UTC.
"""

from db.clock import now
from db.tables.base import Base, new_public_id
from db.tables.captions import Caption, Correction, ReplyTo, Review, State, Vote
from db.tables.models import Model, Registry, RegistryEvent
from db.tables.operations import Erasure, KeptExport, Lease, Worker
from db.tables.people import ApiKey, Chat, Device, Person
from db.tables.photos import Photo

__all__ = [
    "ApiKey",
    "Base",
    "Caption",
    "Chat",
    "Correction",
    "Device",
    "Erasure",
    "KeptExport",
    "Lease",
    "Model",
    "Person",
    "Photo",
    "Registry",
    "RegistryEvent",
    "ReplyTo",
    "Review",
    "State",
    "Vote",
    "Worker",
    "new_public_id",
    "now",
]
