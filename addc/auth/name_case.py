"""Clients that write their own name or realm in other letters than their ticket has it.

Names of Windows' domains have no case: a DC takes corp.example.com for CORP.EXAMPLE.COM. MIT's library
compares every letter, so the sealed part of such a client's AP-REQ is written anew with the ticket's names in
it; whoever sealed it knows the session key, and more is never proved. The same message is always written the
same way, so that the library knows it again when it comes twice.

Spec: RFC 4120 3.2.3, [MS-KILE] 3.1.5.7.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from addc.auth.keytab import KeytabEntry
from addc.base.errors import DecodeError
from addc.codec.ber_wire import element, read_element
from addc.codec.krb5 import ApReq, Authenticator, EncryptedData, EncTicketPart
from addc.security.krb_keys import ETYPES, Key, KeyUsage, decrypt, encrypt

_FRAME: Final = 0x60
_TOK_ID_SIZE: Final = 2
_TICKET: Final = int(KeyUsage.TICKET)
_AUTHENTICATOR: Final = int(KeyUsage.AP_REQ_AUTHENTICATOR)


def in_ticket_letters(token: bytes, keys: Sequence[KeytabEntry]) -> bytes | None:
    """A first token with the names that its ticket has.

    None where it has them already, where other names than these are meant, and where nothing opens it.
    """
    try:
        head, ap_req = _unframed(token)
        written = _rewritten(ApReq.unpack(ap_req), keys)
    except DecodeError:
        return None
    if written is None:
        return None
    return element(_FRAME, head + written.pack()) if head else written.pack()


def _unframed(token: bytes) -> tuple[bytes, bytes]:
    """What stands before the AP-REQ in the GSS-API's frame (RFC 4121 4.1), and the AP-REQ."""
    tag, start, end = read_element(token, 0, len(token), "token")
    if tag != _FRAME:
        return b"", token
    _, _, after = read_element(token, start, end, "token.mechanism")
    after += _TOK_ID_SIZE
    return token[start:after], token[after:end]


def _rewritten(ap_req: ApReq, keys: Sequence[KeytabEntry]) -> ApReq | None:
    part = _opened(ap_req.ticket.enc_part, keys)
    if part is None:
        return None
    session = Key(part.key.keytype, part.key.keyvalue)
    sealed = ap_req.authenticator
    said = Authenticator.unpack(decrypt(session, _AUTHENTICATOR, sealed.cipher))
    if (said.cname.name_string, said.crealm) == (part.cname.name_string, part.crealm) or not _fits(
        said, part
    ):
        return None
    plain = replace(said, cname=part.cname, crealm=part.crealm).pack()
    confounder = hashlib.sha256(sealed.cipher).digest()[: ETYPES[session.etype].confounder_size]
    return replace(
        ap_req, authenticator=replace(sealed, cipher=encrypt(session, _AUTHENTICATOR, plain, confounder))
    )


def _opened(data: EncryptedData, keys: Sequence[KeytabEntry]) -> EncTicketPart | None:
    for one in keys:
        if one.etype != data.etype or data.kvno not in (None, one.kvno):
            continue
        try:
            return EncTicketPart.unpack(decrypt(Key(one.etype, one.key.reveal()), _TICKET, data.cipher))
        except DecodeError:
            continue
    return None


def _fits(said: Authenticator, part: EncTicketPart) -> bool:
    """Whether both names are one but for their letters' case."""
    ours, theirs = part.cname.name_string, said.cname.name_string
    same = [one.casefold() for one in ours] == [one.casefold() for one in theirs]
    return same and said.crealm.upper() == part.crealm.upper()
