"""Records as people write them on a command line; the texts themselves are those of master files.

Spec: RFC 1035 5.1, RFC 3597 5.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.codec.dns_rdata import DnsType, NameData, RecordData, pack_data
from addc.codec.dns_text import parse_rdata
from addc.codec.dns_words import parse_type

_FORMS: Final[dict[str, str]] = {
    "A": "ADDRESS", "AAAA": "ADDRESS", "CNAME": "NAME", "DNAME": "NAME", "NS": "NAME", "PTR": "NAME",
    "MX": "PREFERENCE NAME", "SRV": "PRIORITY WEIGHT PORT NAME", "TXT": "TEXT ...",
    "CAA": "FLAGS TAG VALUE", "TLSA": "USAGE SELECTOR MATCHING HEX", "SSHFP": "ALGORITHM TYPE HEX",
    "NAPTR": "ORDER PREFERENCE FLAGS SERVICE REGEXP NAME", "DS": "TAG ALGORITHM DIGESTTYPE HEX",
}  # fmt: skip
"""What the usual types take; the others are as in a master file."""
_NOT_BY_HAND: Final = frozenset((DnsType.ZERO, DnsType.ALL))


def parse(kind: str, words: Sequence[str]) -> tuple[DnsType, RecordData]:
    """A record's type and data from what a person wrote; names are whole. Raises UserError."""
    try:
        rtype = DnsType(parse_type(kind))
    except DecodeError:
        rtype = DnsType.ZERO
    if rtype in _NOT_BY_HAND:
        raise UserError(
            f"There is no type {kind} of records. Next step: {', '.join(list(_FORMS)[:9])}, or TYPE123"
        )
    try:
        data = parse_rdata(rtype, words)
        pack_data(rtype, data)
        _check_names(data)
    except (DecodeError, ValueError) as error:
        form = _FORMS.get(kind.upper(), "it as a master file has it, or \\# LENGTH HEX")
        why = error.why if isinstance(error, DecodeError) else error
        raise UserError(
            f"{' '.join(words)!r} is no data of a {kind.upper()} record: {why}. Next step: write {form}"
        ) from error
    return rtype, data


def _check_names(data: RecordData) -> None:
    """An address is no name, though it looks like one."""
    if isinstance(data, NameData):
        try:
            IPv4Address(data.name)
        except ValueError:
            return
        raise ValueError("that is an address, not a name")
