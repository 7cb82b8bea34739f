"""Signed zones as copies get them: made once for each serial, on a thread, and kept small.

Spec: RFC 4035 2 (a signed zone), RFC 5155 7.1
"""

import asyncio
from collections import OrderedDict
from typing import Final

from addc.base.clock import Clock, to_unix
from addc.codec.dns_message import CLASS_IN, Record
from addc.codec.dns_names import Name
from addc.codec.dns_wire import rdata_bytes, unpack_rdata
from addc.directory.api import Directory
from addc.directory.dns_keys import signing_of
from addc.dns.signed_zone import signed
from addc.dns.signing import Signatures
from addc.dns.zone_content import Rr, ZoneContent
from addc.dns.zone_image import ZoneImage
from addc.security.token import SYSTEM
from addc.security.zone_keys import ZoneSigning

_KEPT_MAX: Final = 4
_SIGNATURES_MAX: Final = 250_000


class SignedCopies:
    """Signs whole zones."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._signatures = Signatures(_SIGNATURES_MAX)
        self._kept: OrderedDict[Name, tuple[ZoneImage, ZoneContent]] = OrderedDict()
        self._lock = asyncio.Lock()

    async def of(self, image: ZoneImage) -> ZoneContent:
        """The content with every signature and the whole chain; as it is for a zone that is not signed."""
        apex = image.zone.apex
        async with self._lock:
            kept = self._kept.get(apex)
            if kept is not None and kept[0].content is image.content and kept[0].zone_usn == image.zone_usn:
                return kept[1]
            signing = await self._directory.read(
                "dns.signing", SYSTEM, lambda ctx: signing_of(ctx, image.zone.row, apex)
            )
            if signing is None:
                return image.content
            made = await asyncio.to_thread(self._made, image, signing)
            self._kept[apex] = (image, made)
            if len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
            return made

    def _made(self, image: ZoneImage, signing: ZoneSigning) -> ZoneContent:
        assert image.soa is not None
        plain = [image.soa, *image.content.all_records()]
        records = [
            Record(one.owner, one.type, CLASS_IN, one.ttl_s, unpack_rdata(one.type, one.rdata))
            for one in plain
        ]
        found = signed(records, signing, to_unix(self._clock.now()), self._signatures)
        return ZoneContent.of(
            image.zone.apex,
            (Rr(one.owner, one.type, one.ttl_s, rdata_bytes(one.type, one.data)) for one in found),
        )
