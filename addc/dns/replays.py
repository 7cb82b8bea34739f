"""Signed updates that were done already: sent again, by the client or an eavesdropper, they change nothing.

A signature is good for as long as its time is. Within that time an update that was seen on the wire could
undo a later one; a client, for its part, sends the same octets again where it has missed the reply.

Spec: RFC 8945 5.2.3, 10; RFC 3645 5
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from addc.codec.dns_message import TsigRecord
from addc.codec.dns_names import Name, fold

REMEMBERED_MAX: Final = 65_536
"""Some thousand updates a second with the usual fudge would fill it; the oldest go first."""


@dataclass(slots=True)
class Replays:
    """Signatures of updates that were done, the oldest first, until their time is over anyway."""

    _until: OrderedDict[tuple[Name, bytes], int] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._until)

    def is_known(self, record: TsigRecord) -> bool:
        """Whether an update with this signature was done."""
        return _key(record) in self._until

    def remember(self, record: TsigRecord, now_s: int) -> None:
        """An update was done."""
        until = self._until
        while until and (len(until) >= REMEMBERED_MAX or next(iter(until.values())) < now_s):
            until.popitem(last=False)
        until[_key(record)] = record.data.signed_at + record.data.fudge_s


def _key(record: TsigRecord) -> tuple[Name, bytes]:
    return fold(record.owner), record.data.mac
