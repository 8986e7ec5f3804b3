"""Records as JSON and back, by the types that they declare: what is read is checked, never believed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import orjson

R = TypeVar("R")
Reader = Callable[[Any], Any]


class Unreadable(ValueError):
    """The JSON is not what such a record is written as."""


class TooLarge(ValueError):
    """A number that neither JSON's readers nor a column can hold."""


def dumps(record: Any) -> bytes:
    """A record (`apps.metrics.records`) as JSON. Raises TooLarge for a number beyond 64 bits, which no row can hold."""
    try:
        return orjson.dumps(record, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError as error:
        if "64-bit" in str(error):
            raise TooLarge(str(error)) from error
        raise


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError


def loads(kind: type[R], text: bytes) -> R:
    """The record of this kind. Raises Unreadable."""
    try:
        found: R = _reader_of(kind)(orjson.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(f"no {kind.__name__}: {error}") from error
    return found


@cache
def shape_of(*kinds: type) -> str:
    """A fingerprint of the fields of these records and of all within them: it changes whenever one of those does."""
    return hashlib.sha256("; ".join(_described(kind) for kind in kinds).encode()).hexdigest()[:16]


def _described(kind: Any) -> str:
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        inside = ", ".join(f"{each.name}: {_described(hints[each.name])}" for each in fields(kind))
        return f"{kind.__name__}({inside})"  # type: ignore[union-attr]
    if arguments := get_args(kind):
        return f"{get_origin(kind)}[{', '.join(_described(each) for each in arguments)}]"
    return str(kind)


def _reader_of(kind: Any) -> Reader:
    return _reader(kind)


@cache
def _reader(kind: Any) -> Reader:
    """What makes a value of this type from its JSON."""
    if is_dataclass(kind):
        return _record_reader(kind)  # type: ignore[arg-type]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        [inner] = [each for each in arguments if each is not NoneType]
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if origin is tuple:
        read = _reader(arguments[0])
        return lambda value: tuple(map(read, _a(list, value)))
    if origin is frozenset:
        read = _reader(arguments[0])
        return lambda value: frozenset(map(read, _a(list, value)))
    if origin is Mapping:
        read = _reader(arguments[1])
        return lambda value: {key: read(entry) for key, entry in _a(dict, value).items()}
    if kind is datetime:
        return lambda value: datetime.fromisoformat(_a(str, value))
    if issubclass(kind, StrEnum):
        return lambda value: kind(_a(str, value))
    return lambda value: _a(kind, value)


def _record_reader(kind: type) -> Reader:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}

    def read(value: Any) -> Any:
        content = _a(dict, value)
        if content.keys() != readers.keys():
            raise Unreadable(f"other fields: {sorted(content.keys() ^ readers.keys())}")
        return kind(**{name: readers[name](entry) for name, entry in content.items()})

    return read


def _a(kind: type[R], value: Any) -> R:
    """The value, which is of this kind and no other (True is no number)."""
    if type(value) is not kind:
        raise Unreadable(f"{value!r:.40} is no {kind.__name__}")
    return value
