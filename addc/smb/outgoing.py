"""Responses on their way out: compounded, signed or encrypted, framed.

Spec: [MS-SMB2] 3.3.4.1.1, 3.3.4.1.3, 3.3.4.1.4.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from addc.codec.packed import Bytes
from addc.smb.encryption import Sealer
from addc.smb.frames import framed
from addc.smb.messages import FLAGS_RELATED_OPERATIONS, FLAGS_SIGNED, HEADER_SIZE, Header
from addc.smb.signing import Signer

_EMPTY_ERROR: Final = struct.pack("<HBBIB", 9, 0, 0, 0, 0)


def error_body(data: bytes = b"", contexts: int = 0) -> bytes:
    """SMB2 ERROR Response, with the one octet of data that it has at least. Spec: 2.2.2."""
    if not data:
        return _EMPTY_ERROR
    return struct.pack("<HBBI", 9, contexts, 0, len(data)) + data


@dataclass(slots=True)
class Response:
    """One response. signer: None leaves it unsigned. packed: is shown the whole message as it goes out."""

    header: Header
    body: bytes
    payload: Bytes = b""
    signer: Signer | None = None
    packed: Callable[[bytes], None] | None = None
    after: Callable[[], None] | None = None

    @property
    def size(self) -> int:
        return HEADER_SIZE + len(self.body) + len(self.payload)


def _one(response: Response, *, last: bool) -> list[Bytes]:
    header, payload = response.header, response.payload
    size = response.size
    pad = 0 if last else -size % 8
    if pad:
        payload = b"".join((payload, bytes(pad)))
    if not last:
        header.next_command = size + pad
    if response.signer is not None:
        header.flags |= FLAGS_SIGNED
    message = bytearray(header.pack())
    message += response.body
    if response.signer is not None:
        response.signer.sign(message, payload)
    if response.packed is not None:
        response.packed(b"".join((message, payload)))
    return [message, payload] if payload else [message]


def assembled(
    responses: Sequence[Response], sealer: Sealer | None = None, session_id: int = 0
) -> list[Bytes]:
    """The pieces of one frame. sealer: encrypts them all, in the session of this id."""
    pieces: list[Bytes] = []
    count = len(responses)
    for index, response in enumerate(responses):
        if index:
            response.header.flags |= FLAGS_RELATED_OPERATIONS
        if sealer is not None:
            response.signer = None
        pieces += _one(response, last=index == count - 1)
    if sealer is not None:
        pieces = sealer.seal(session_id, pieces)
    pieces.insert(0, framed(sum(map(len, pieces))))
    return pieces
