"""Column types that behave the same on SQLite and PostgreSQL: times with a zone, dataclasses as JSON, enums as text."""

import enum
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, Self, TypeVar

from sqlalchemy import JSON, DateTime, Dialect, String, TypeDecorator
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.dialects.postgresql import VARCHAR

# Compared byte by byte in every locale, so that an index can serve a search for a prefix.
BYTEWISE = String(200).with_variant(VARCHAR(200, collation="C"), "postgresql")
OptionalJson = JSON(none_as_null=True)  # None is stored as NULL, not as the JSON value null


class UtcDateTime(TypeDecorator[datetime]):
    """Times in UTC. SQLite stores no zone, so it is added when a value is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


class StoredAsJson(Protocol):
    """What `JsonOf` requires of a dataclass."""

    @classmethod
    def from_json(cls, stored: dict[str, Any], /) -> Self: ...

    def to_json(self) -> dict[str, Any]: ...


Value = TypeVar("Value", bound=StoredAsJson)


class JsonOf(TypeDecorator[Value], Generic[Value]):
    """A JSON column whose values are instances of a dataclass."""

    impl = JSON
    cache_ok = True

    def __init__(self, kind: type[Value]):
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Value | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else value.to_json()

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> Value | None:
        return None if value is None else self.kind.from_json(value)


def enum_column(kind: type[enum.StrEnum]) -> SqlEnum:
    """An enum stored as text, by value, so that a new member needs no migration."""
    return SqlEnum(kind, values_callable=lambda members: [m.value for m in members], native_enum=False, length=20)
