"""Node ids and cursors in GitHub's manner: opaque to a client, readable to the sandbox."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

import orjson

_BODY = struct.Struct(">QQ")


def node_id(prefix: str, scope: int, number: int) -> str:
    """The global id of an object: `PR_kw…`. `scope`, the repository's id or 0, leads to where it is kept."""
    body = base64.urlsafe_b64encode(_BODY.pack(scope, number)).decode().rstrip("=")
    return f"{prefix}_kw{body}"


def scope_of(node: str) -> int | None:
    """The repository id inside a node id made by `node_id`, None for anything else (recorded ids are GitHub's own)."""
    return _part(node, 0)


def number_of_node(node: str) -> int | None:
    """The number inside a node id made by `node_id`."""
    return _part(node, 1)


def _part(node: str, index: int) -> int | None:
    _, mark, body = node.partition("_kw")
    if not mark:
        return None
    try:
        found: int = _BODY.unpack(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))[index]
    except (struct.error, binascii.Error):
        return None
    return found


def encode_cursor(value: Any) -> str:
    return base64.b64encode(b"cursor:v2:" + orjson.dumps(value)).decode()


def decode_cursor(cursor: str) -> Any:
    """The value a cursor was made of. Raises ValueError for a string that is no cursor."""
    try:
        raw = base64.b64decode(cursor, validate=True)
    except binascii.Error as error:
        raise ValueError(cursor) from error
    head, _, body = raw.partition(b"cursor:v2:")
    if head or not body:
        raise ValueError(cursor)
    return orjson.loads(body)
