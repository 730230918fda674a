"""Sets of users in few characters: a physical ID holds 1,024 bytes, a waiter's input 256 KB.

A set of declared users is a bitmap over their sorted list; users who are not in the list are
their UUIDs' 16 bytes each. Both are URL-safe base64 without padding.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_RAW, _DEFLATED = "r", "z"
_UUID_BYTES = 16


def pack_members(members: Iterable[str], of: Sequence[str]) -> str:
    """Return the bitmap of *members* over the sequence *of*; long runs are deflated.

    At most ``1 + ceil(len(of) / 6)`` characters.
    """
    wanted = set(members)
    bits = bytearray((len(of) + 7) // 8)
    for index, user in enumerate(of):
        if user in wanted:
            bits[index // 8] |= 1 << (index % 8)
    deflated = zlib.compress(bytes(bits), 9)
    if len(deflated) < len(bits):
        return _DEFLATED + _encode(deflated)
    return _RAW + _encode(bytes(bits))


def unpack_members(text: str, of: Sequence[str]) -> frozenset[str]:
    """Return the users of the sequence *of* whose bit is set in *text*.

    :raises ValueError: *text* is not a bitmap over as many users.
    """
    size = (len(of) + 7) // 8
    data = _decode(text[1:])
    if text[:1] == _DEFLATED:
        try:
            data = zlib.decompressobj().decompress(data, size + 1)
        except zlib.error as error:
            raise ValueError(str(error)) from error
    elif text[:1] != _RAW:
        raise ValueError("not a bitmap")
    if len(data) != size:
        raise ValueError("a bitmap over another number of users")
    return frozenset(user for index, user in enumerate(of) if data[index // 8] >> (index % 8) & 1)


def pack_ids(users: Iterable[str]) -> str:
    """Return the UUIDs *users*, in their order, at 21⅓ characters each."""
    return _encode(b"".join(uuid.UUID(user).bytes for user in users))


def unpack_ids(text: str) -> tuple[str, ...]:
    """Return the UUIDs that :func:`pack_ids` packed.

    :raises ValueError: *text* is not a sequence of packed UUIDs.
    """
    data = _decode(text)
    if len(data) % _UUID_BYTES:
        raise ValueError("not a sequence of UUIDs")
    return tuple(
        str(uuid.UUID(bytes=data[start : start + _UUID_BYTES]))
        for start in range(0, len(data), _UUID_BYTES)
    )


def fingerprint(*texts: str) -> str:
    """Return 12 characters that differ where the *texts* differ."""
    return _encode(hashlib.sha256("\n".join(texts).encode()).digest()[:9])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(str(error)) from error
