"""SPNEGO tokens: the first one with its mechanisms, and those that answer.

Spec: RFC 4178 4.2, [MS-SPNG] 2.2.
"""

from typing import Annotated, Final

from addc.codec import ber
from addc.codec.ber_wire import encode_oid, find_element

SPNEGO: Final = "1.3.6.1.5.5.2"
KERBEROS: Final = "1.2.840.113554.1.2.2"
MS_KERBEROS: Final = "1.2.840.48018.1.2.2"
"""Kerberos with the misspelt OID that Windows prefers."""
NTLMSSP: Final = "1.3.6.1.4.1.311.2.2.10"

ACCEPT_COMPLETED: Final = 0
ACCEPT_INCOMPLETE: Final = 1
REJECT: Final = 2
REQUEST_MIC: Final = 3

_MECHANISMS_MAX: Final = 32
_SPNEGO_OID: Final = encode_oid(SPNEGO)
_HINTS: Final = b"\x30\x28\xa0\x26\x1b\x24not_defined_in_RFC4178@please_ignore"
"""NegHints of a server's offer: what every server sends. Spec: [MS-SPNG] 2.2.1."""


@ber.single()
class MechTypeList(ber.Value):
    """MechTypeList; the mechListMIC is taken over these bytes. Spec: RFC 4178 4.1."""

    mechanisms: Annotated[tuple[str, ...], ber.SequenceOf(ber.OID, limit=_MECHANISMS_MAX)]


@ber.sequence(kw_only=True, extensible=True)
class NegTokenInit(ber.Value):
    """NegTokenInit, NegTokenInit2. Spec: RFC 4178 4.2.1, [MS-SPNG] 2.2.1."""

    mech_types: Annotated[MechTypeList, ber.Tag(0)]
    req_flags: Annotated[bytes | None, ber.ANY, ber.Tag(1)] = None
    mech_token: Annotated[bytes | None, ber.Tag(2)] = None
    mech_list_mic: Annotated[bytes | None, ber.ANY, ber.Tag(3)] = None


@ber.sequence(kw_only=True, extensible=True)
class NegTokenResp(ber.Value):
    """NegTokenResp. Spec: RFC 4178 4.2.2."""

    neg_state: Annotated[int | None, ber.ENUMERATED, ber.Tag(0)] = None
    supported_mech: Annotated[str | None, ber.OID, ber.Tag(1)] = None
    response_token: Annotated[bytes | None, ber.Tag(2)] = None
    mech_list_mic: Annotated[bytes | None, ber.Tag(3)] = None


@ber.single(context=0, explicit=True)
class FirstToken(ber.Value):
    """negTokenInit of a NegotiationToken. Spec: RFC 4178 4.2."""

    init: NegTokenInit


@ber.single(context=1, explicit=True)
class NextToken(ber.Value):
    """negTokenResp of a NegotiationToken. Spec: RFC 4178 4.2."""

    resp: NegTokenResp


@ber.sequence(application=0, explicit=False)
class GssInitialToken(ber.Value):
    """The frame of a context's first token. Spec: RFC 2743 3.1."""

    mechanism: Annotated[str, ber.OID]
    token: Annotated[bytes, ber.ANY]


def first_token(data: bytes) -> NegTokenInit | None:
    """The SPNEGO offer that a context's first token is; None where it is another mechanism's.

    What other mechanisms put behind their OID need not be BER. Raises DecodeError for broken frames, offers.
    """
    if not data.startswith(b"\x60"):
        return None
    if find_element(data, (0x60, 0x06), "GssInitialToken.mechanism") != _SPNEGO_OID:
        return None
    return FirstToken.unpack(GssInitialToken.unpack(data).token).init


def server_offer(mechanisms: tuple[str, ...]) -> bytes:
    """What a server says of itself before the client's first token: NegTokenInit2 with the usual hint.

    Spec: [MS-SPNG] 2.2.1, 3.2.5.2; [MS-SMB2] 3.3.5.4.
    """
    offer = FirstToken(NegTokenInit(mech_types=MechTypeList(mechanisms), mech_list_mic=_HINTS)).pack()
    return GssInitialToken(SPNEGO, offer).pack()
