"""What all tables share: the class they derive from, the names of their constraints, and public ids."""

import secrets
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from db.column_types import OptionalJson, UtcDateTime


def new_public_id() -> str:
    """16 random bytes, 22 characters of URL-safe base64."""
    return secrets.token_urlsafe(16)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime, dict[str, Any]: OptionalJson, list[str]: OptionalJson}
