"""A PAC in its ticket: where it stands there, its signatures made and verified.

Spec: [MS-PAC] 2.8, [MS-KILE] 3.3.5.7, W-LOGON-10.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.krb5 import AuthorizationData, AuthorizationDataEntry, EncTicketPart
from addc.codec.krb5_numbers import AdType
from addc.codec.pac import (
    Pac,
    PacSignatureData,
    PacType,
    pac_spans,
    signature_offsets,
    with_zeroed_signatures,
)
from addc.kdc.facts import KeyRing
from addc.security.krb_keys import ETYPES, Key, KeyUsage, checksum, verify_checksum

SERVER: Final = int(PacType.SERVER_CHECKSUM)
KDC: Final = int(PacType.PRIVSVR_CHECKSUM)
TICKET: Final = int(PacType.TICKET_CHECKSUM)
FULL: Final = int(PacType.FULL_CHECKSUM)
SIGNATURES: Final = frozenset((SERVER, KDC, TICKET, FULL))
_ZERO_FOR_SERVER: Final = frozenset((SERVER, KDC))
_ZERO_FOR_FULL: Final = frozenset((SERVER, KDC, FULL))
_USAGE: Final = int(KeyUsage.KERB_NON_KERB_CKSUM_SALT)
_CKSUMTYPES: Final = frozenset(int(info.cksumtype) for info in ETYPES.values())
_IF_RELEVANT: Final = int(AdType.AD_IF_RELEVANT)
_WIN2K_PAC: Final = int(AdType.AD_WIN2K_PAC)
_KDC_ONLY: Final = frozenset(
    (_WIN2K_PAC, int(AdType.AD_KDC_ISSUED), int(AdType.AD_AND_OR), int(AdType.AD_MANDATORY_FOR_KDC))
)


# --- signing ---


@dataclass(frozen=True, slots=True)
class PacSigners:
    """The keys of a PAC's signatures. server: of the ticket. kdc: of krbtgt."""

    server: Key
    kdc: Key


def sign_pac(buffers: list[tuple[int, bytes]], signers: PacSigners, ticket_plain: bytes | None) -> bytes:
    """A packed PAC with its signatures, in the order of [MS-PAC] 2.8.1.

    ticket_plain: DER of the EncTicketPart whose PAC is one zero byte; None for a ticket of krbtgt, which has
    neither ticket nor extended KDC signature.
    """
    kdc, server = signers.kdc, signers.server
    server_type = int(ETYPES[server.etype].cksumtype)
    kdc_type = int(ETYPES[kdc.etype].cksumtype)
    empty_kdc = PacSignatureData(kdc_type, bytes(ETYPES[kdc.etype].mac_size)).pack()
    empty_server = PacSignatureData(server_type, bytes(ETYPES[server.etype].mac_size)).pack()
    whole = [*buffers, (SERVER, empty_server), (KDC, empty_kdc)]
    if ticket_plain is not None:
        ticket = PacSignatureData(kdc_type, checksum(kdc, _USAGE, ticket_plain))
        whole += [(TICKET, ticket.pack()), (FULL, empty_kdc)]
    out = bytearray(Pac(tuple(whole)).pack())
    at = signature_offsets(whole)
    if ticket_plain is not None:
        full = checksum(kdc, _USAGE, bytes(out))
        out[at[FULL] : at[FULL] + len(full)] = full
    signature = checksum(server, _USAGE, bytes(out))
    out[at[SERVER] : at[SERVER] + len(signature)] = signature
    counter = checksum(kdc, _USAGE, signature)
    out[at[KDC] : at[KDC] + len(counter)] = counter
    return bytes(out)


# --- verifying ---


@dataclass(frozen=True, slots=True)
class SignedPac:
    """A PAC as it came, with its signatures: the first of each kind."""

    data: bytes
    signatures: Mapping[int, PacSignatureData]

    @classmethod
    def of(cls, data: bytes) -> "SignedPac":
        """Raises DecodeError for what is no PAC."""
        spans = reversed(pac_spans(data))
        found = {kind: PacSignatureData.unpack(data[at:end]) for kind, at, end in spans if kind in SIGNATURES}
        return cls(data, found)

    def covered(self, kind: int, ticket_plain: bytes | None = None) -> bytes | None:
        """What a signature is over; None where that is not there. ticket_plain: as for `sign_pac`."""
        if kind == KDC:
            server = self.signatures.get(SERVER)
            return None if server is None else server.signature
        if kind == TICKET:
            return ticket_plain
        zeroed = _ZERO_FOR_SERVER if kind == SERVER else _ZERO_FOR_FULL
        return with_zeroed_signatures(self.data, pac_spans(self.data), zeroed)

    def holds(self, kind: int, key: Key, ticket_plain: bytes | None = None) -> bool:
        """Whether a signature is there, and this key's."""
        signature, text = self.signatures.get(kind), self.covered(kind, ticket_plain)
        return signature is not None and text is not None and is_signed_by(key, signature, text)


def is_signed_by(key: Key, signature: PacSignatureData, text: bytes) -> bool:
    """Whether a signature over `text` was made with this key, by a checksum with a key."""
    if signature.signature_type not in _CKSUMTYPES:
        return False
    try:
        return verify_checksum(key, _USAGE, text, signature.signature_type, signature.signature)
    except DecodeError:
        return False


def krbtgt_keys(krbtgt: KeyRing, cksumtype: int) -> Iterator[Key]:
    """The keys that may have made a signature, of the present password first.

    RC4 is none of them: whoever has that key alone, the NT hash, is not this realm's KDC.
    """
    for keys in (krbtgt.current, *(former for _, former in krbtgt.old)):
        for key in keys.values():
            info = ETYPES[key.etype]
            if int(info.cksumtype) == cksumtype and not info.insecure:
                yield key


def signatures_hold(data: bytes, signers: PacSigners, ticket_plain: bytes | None) -> bool:
    """Whether all signatures of a PAC are there and right.

    ticket_plain: as for `sign_pac`; with it, ticket and extended KDC signature must be there too.
    Raises DecodeError for what is no PAC.
    """
    pac = SignedPac.of(data)
    good = pac.holds(SERVER, signers.server) and pac.holds(KDC, signers.kdc)
    if ticket_plain is None:
        return good
    return good and pac.holds(TICKET, signers.kdc, ticket_plain) and pac.holds(FULL, signers.kdc)


def server_signature_holds(data: bytes, key: Key) -> bool:
    """Whether the server signature of a PAC is there and right: all that a partner's PAC can be asked for.

    Raises DecodeError for what is no PAC. Spec: [MS-PAC] 2.8.4.
    """
    return SignedPac.of(data).holds(SERVER, key)


# --- its place ---


def pac_entry(data: bytes) -> AuthorizationDataEntry:
    """A PAC as it stands in a ticket: AD-WIN2K-PAC alone in an AD-IF-RELEVANT."""
    inner = AuthorizationData((AuthorizationDataEntry(_WIN2K_PAC, data),))
    return AuthorizationDataEntry(_IF_RELEVANT, inner.pack())


PAC_PLACEHOLDER: Final = pac_entry(b"\0")
"""The PAC as it stands in the EncTicketPart that the ticket signature covers ([MS-PAC] 2.8.2)."""
_EMPTY: Final = AuthorizationDataEntry(_WIN2K_PAC, b"\0")


def find_pac(entries: tuple[AuthorizationDataEntry, ...] | None) -> bytes | None:
    """The PAC of a ticket's authorization data: in the first AD-IF-RELEVANT that has one."""
    for entry in entries or ():
        if entry.ad_type == _IF_RELEVANT:
            for inner in AuthorizationData.unpack(entry.ad_data).elements:
                if inner.ad_type == _WIN2K_PAC:
                    return inner.ad_data
    return None


def signed_plain(part: EncTicketPart) -> bytes:
    """The DER that a ticket signature covers: the PAC's place is taken by one zero byte ([MS-PAC] 2.8.3)."""
    entries = list(part.authorization_data or ())
    for at, entry in enumerate(entries):
        if entry.ad_type == _IF_RELEVANT:
            inner = AuthorizationData.unpack(entry.ad_data).elements
            if any(one.ad_type == _WIN2K_PAC for one in inner):
                emptied = tuple(_EMPTY if one.ad_type == _WIN2K_PAC else one for one in inner)
                entries[at] = AuthorizationDataEntry(_IF_RELEVANT, AuthorizationData(emptied).pack())
                break
    return replace(part, authorization_data=tuple(entries) or None).pack()


def without_pac(
    entries: tuple[AuthorizationDataEntry, ...], depth: int = 3
) -> tuple[AuthorizationDataEntry, ...]:
    """Authorization data that a client added, minus what only a KDC may say, at every level.

    depth: levels of AD-IF-RELEVANT that are looked into; deeper ones are dropped.
    """
    kept = []
    for entry in entries:
        if entry.ad_type == _IF_RELEVANT:
            inner = without_pac(AuthorizationData.unpack(entry.ad_data).elements, depth - 1) if depth else ()
            if inner:
                kept.append(AuthorizationDataEntry(entry.ad_type, AuthorizationData(inner).pack()))
        elif entry.ad_type not in _KDC_ONLY:
            kept.append(entry)
    return tuple(kept)
