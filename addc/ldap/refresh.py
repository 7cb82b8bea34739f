"""The refresh request: a dynamic object lives on.

Spec: RFC 2589 4, [MS-ADTS] 3.1.1.3.4.2.3 (LDAP_TTL_REFRESH_OID).
"""

from typing import Annotated, Final

from addc.base.errors import DecodeError, DsError
from addc.codec import ber
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory.api import Change, Directory
from addc.directory.modify import ModOp
from addc.directory.search import BASE, SearchRequest
from addc.ldap.messages import Text
from addc.ldap.operations import BIND_FIRST, Asker
from addc.security.token import SYSTEM

OID: Final = "1.3.6.1.4.1.1466.101.119.1"
_TTL: Final = "entryTTL"
_MAX_S: Final = 31_557_600
"""The longest life that the RFC lets a client ask for: a year."""


@ber.sequence(extensible=True)
class RefreshRequestValue(ber.Value):
    """requestValue of a refresh request. Spec: RFC 2589 4.1."""

    entry_name: Annotated[Text, ber.Implicit(0)]
    request_ttl: Annotated[int, ber.Integer(0, _MAX_S), ber.Implicit(1)]


@ber.sequence(extensible=True)
class RefreshResponseValue(ber.Value):
    """responseValue of a refresh response. Spec: RFC 2589 4.2."""

    response_ttl: Annotated[int, ber.Integer(0, 2**31 - 1), ber.Implicit(1)]


async def run(directory: Directory, value: bytes | None, asker: Asker) -> bytes:
    """Set the time that an object has to live; the time that it got. It is a modify of entryTTL."""
    if asker.requester.is_anonymous:
        raise DsError(Win32.ERROR_NOT_AUTHENTICATED, BIND_FIRST)
    try:
        wanted = RefreshRequestValue.unpack(value or b"")
    except DecodeError as error:
        raise DsError(
            Win32.ERROR_DS_DECODING_ERROR,
            f"not a refresh request: {error}",
            ldap_result=LdapResult.PROTOCOL_ERROR,
        ) from None
    change = Change(ModOp.REPLACE, _TTL, (b"%d" % wanted.request_ttl,))
    await directory.modify(asker.requester, wanted.entry_name, [change])
    found = await directory.search(SYSTEM, SearchRequest(wanted.entry_name, BASE, attributes=(_TTL,)))
    values = found.entries[0].attributes[0][1] if found.entries and found.entries[0].attributes else ()
    return RefreshResponseValue(int(values[0]) if values else wanted.request_ttl).pack()
