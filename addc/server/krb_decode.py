"""What `addc krb decode` shows: a file of tickets or messages, opened with a keytab's or a forest's keys."""

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from addc.auth.keytab import KeytabEntry, looks_like_keytab, unpack_keytab
from addc.base.errors import DecodeError, UserError
from addc.codec.capture import Carried, carried, looks_like_capture
from addc.codec.ccache import Ccache, Credential, looks_like_ccache, unpack_ccache
from addc.codec.ids import Sid
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import TicketFlags
from addc.directory import entry, passwords
from addc.directory.accounts import Account
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.kdc.describe import Describer, KeySource
from addc.kdc.describe_pac import NamedKey, NameOf, well_known_name
from addc.kdc.describe_values import Showing, Shown, etype_text, flag_names, key_value, time_text
from addc.kdc.lookup import realm_facts
from addc.kdc.lookup_accounts import client_account, principal, server_account
from addc.schema import attr
from addc.security.krb_keys import ETYPES, Key
from addc.security.token import SYSTEM

PORTS: Final = frozenset((88, 464))
_FILE_MAX: Final = 1 << 30
_LENGTH: Final = 4
_TEXT: Final = frozenset(b"0123456789abcdefABCDEFghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ+/=\r\n\t ")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file in words. kind: what it turned out to be. items: one for each ticket or message."""

    kind: str
    items: list[Shown]


# --- keys ---


class KeytabKeys:
    """The keys of a keytab; for foreign names every key of the type is tried, the nearest first."""

    def __init__(self, entries: Sequence[KeytabEntry]) -> None:
        self._entries = [one for one in entries if one.etype in ETYPES]

    def keys_of(self, realm: str, name: PrincipalName, etype: int, kvno: int | None) -> Sequence[NamedKey]:
        def distance(one: KeytabEntry) -> tuple[bool, bool, bool]:
            folded = tuple(part.lower() for part in one.components)
            is_own = folded == tuple(part.lower() for part in name.name_string)
            return not is_own, bool(kvno) and one.kvno != kvno, one.realm.upper() != realm.upper()

        return [_named(one) for one in sorted(self._entries, key=distance) if one.etype == etype]

    def kdc_keys(self, realm: str) -> Sequence[NamedKey]:
        del realm
        return [_named(one) for one in self._entries if one.components[:1] == ("krbtgt",)]


def _named(one: KeytabEntry) -> NamedKey:
    owner = f"{'/'.join(one.components)}@{one.realm}, kvno {one.kvno}"
    return NamedKey(Key(one.etype, one.key.reveal()), owner)


class ForestKeys:
    """The keys of a forest's accounts and trusts, as one snapshot has them."""

    def __init__(self, ctx: ReadContext) -> None:
        self._ctx = ctx

    def keys_of(self, realm: str, name: PrincipalName, etype: int, kvno: int | None) -> Sequence[NamedKey]:
        del etype
        account = server_account(self._ctx, name, True) or client_account(self._ctx, name)
        keys = [] if account is None else self._of_account(account)
        return sorted([*keys, *self._of_trusts(realm)], key=lambda one: not _is_version(one, kvno))

    def kdc_keys(self, realm: str) -> Sequence[NamedKey]:
        facts = realm_facts(self._ctx)
        if facts is None or not facts.is_alias(realm):
            return []
        account = client_account(self._ctx, PrincipalName(1, (facts.krbtgt.name,)))
        return [] if account is None else self._of_account(account)

    def _of_account(self, account: Account) -> list[NamedKey]:
        """Stored keys of all versions, and those that the KDC makes, as of group managed accounts."""
        ctx = self._ctx
        row = ctx.tx.get(account.dnt)
        whose = f"{account.sam_account_name}@{ctx.forest.realm}"
        found: dict[tuple[int, int], NamedKey] = {}
        if row is not None:
            for generation in passwords.keys_of(ctx, row).generations():
                for key in generation.keys:
                    found[generation.kvno, key.etype] = NamedKey(key, f"{whose}, kvno {generation.kvno}")
        ring = principal(ctx, account).keys
        for kvno, keys in ((ring.kvno, ring.current), *ring.old):
            for etype, key in keys.items():
                found.setdefault((kvno, etype), NamedKey(key, f"{whose}, kvno {kvno}"))
        return list(found.values())

    def _of_trusts(self, realm: str) -> list[NamedKey]:
        facts = realm_facts(self._ctx)
        found = []
        for trust in (facts.trusts if facts is not None else {}).values():
            for way, ring in (("to", trust.to_partner), ("from", trust.from_partner)):
                for kvno, keys in () if ring is None else ((ring.kvno, ring.current), *ring.old):
                    owner = f"the trust {way} {trust.realm}, kvno {kvno}"
                    found += [NamedKey(key, owner) for key in keys.values()]
        del realm
        return found


def _is_version(one: NamedKey, kvno: int | None) -> bool:
    return kvno is None or one.owner.endswith(f"kvno {kvno}")


@dataclass(frozen=True, slots=True)
class AllKeys:
    """Several sources, asked in their order."""

    sources: tuple[KeySource, ...] = ()

    def keys_of(self, realm: str, name: PrincipalName, etype: int, kvno: int | None) -> Sequence[NamedKey]:
        return [key for one in self.sources for key in one.keys_of(realm, name, etype, kvno)]

    def kdc_keys(self, realm: str) -> Sequence[NamedKey]:
        return [key for one in self.sources for key in one.kdc_keys(realm)]


def read_keytab(path: Path) -> KeytabKeys:
    """Raises UserError where the file is none."""
    try:
        return KeytabKeys(unpack_keytab(path.read_bytes()))
    except (OSError, DecodeError) as error:
        raise UserError(
            f"{path} cannot be read as a keytab: {error}. Next step: name another file."
        ) from error


def forest_names(ctx: ReadContext) -> NameOf:
    """The names of a forest's SIDs, and the well-known ones."""

    def name_of(sid: Sid) -> str:
        for row in ctx.tx.by_sid(bytes(sid)):
            name = entry.text(row, attr.SAM_ACCOUNT_NAME) or entry.text(row, attr.CN)
            if name:
                own = sid.domain() == ctx.forest.domain_sid
                return f"{ctx.forest.netbios}\\{name}" if own else name
        return well_known_name(sid)

    return name_of


# --- files ---


@dataclass(slots=True)
class Decoding:
    """How a file is to be shown. ports: of captures."""

    keys: KeySource = field(default_factory=AllKeys)
    name_of: NameOf = well_known_name
    showing: Showing = field(default_factory=Showing)
    ports: frozenset[int] = PORTS

    def file(self, path: Path) -> Decoded:
        """Raises UserError for what cannot be read, or is nothing of Kerberos."""
        try:
            if path.stat().st_size > _FILE_MAX:
                raise UserError(f"{path} is larger than 1 GiB. Next step: cut it, as with `editcap -c`.")
            data = path.read_bytes()
        except OSError as error:
            raise UserError(
                f"{path} cannot be read: {error.strerror}. Next step: name another file."
            ) from error
        try:
            return self.data(data)
        except DecodeError as error:
            raise UserError(
                f"{path} is no ticket, credential cache, keytab, capture or message that can be read: "
                f"{error}. Next step: name another file."
            ) from error

    def data(self, data: bytes) -> Decoded:
        """Raises DecodeError."""
        for looks, show in _KINDS:
            if looks(data):
                return show(self, data)
        return self._messages(_unarmoured(data))

    def _describer(self) -> Describer:
        return Describer(self.keys, self.name_of, self.showing)

    def _ccache(self, data: bytes) -> Decoded:
        cache = unpack_ccache(data)
        describer = self._describer()
        for one in cache.credentials:
            if not one.is_note:
                describer.learn(one.ticket, one.key, f"the session with {one.server}")
        items: list[Shown] = [_cache_head(cache)]
        return Decoded(
            "credential cache", items + [self._credential(one, describer) for one in cache.credentials]
        )

    def _credential(self, one: Credential, describer: Describer) -> Shown:
        if one.is_note:
            value = one.ticket.decode("utf-8", "backslashreplace")
            return {"note": "/".join(one.server.name.name_string[1:]), "value": value}
        out: dict[str, Shown] = {
            "client": str(one.client),
            "server": str(one.server),
            "key": key_value(one.key, self.showing),
            "flags": flag_names(one.flags, TicketFlags),
            "authtime": time_text(one.authtime),
            "starttime": time_text(one.starttime),
            "endtime": time_text(one.endtime),
            "renew_till": time_text(one.renew_till),
            "ticket": describer.message(one.ticket),
        }
        if one.second_ticket:
            out["second_ticket"] = describer.message(one.second_ticket)
        return out

    def _keytab(self, data: bytes) -> Decoded:
        items: list[Shown] = [
            {
                "principal": f"{'/'.join(one.components)}@{one.realm}",
                "kvno": one.kvno,
                "etype": etype_text(one.etype),
                "key": one.key.reveal().hex() if self.showing.keys else "hidden",
            }
            for one in unpack_keytab(data)
        ]
        return Decoded("keytab", items)

    def _capture(self, data: bytes) -> Decoded:
        describer = self._describer()
        held: dict[tuple[tuple[str, int], tuple[str, int]], bytes] = {}
        items: list[Shown] = []
        for one in carried(data, self.ports):
            for message in _whole_messages(one, held):
                head: dict[str, Shown] = {
                    "frame": one.index,
                    "time": time_text(one.when_ft),
                    "from": f"{one.source[0]} port {one.source[1]}",
                    "to": f"{one.target[0]} port {one.target[1]}",
                    "by": "tcp" if one.is_stream else "udp",
                }
                items.append(head | describer.message(message))
        return Decoded("capture", items)

    def _messages(self, data: bytes) -> Decoded:
        """One message, or several behind lengths as on a stream."""
        describer = self._describer()
        if data[:1] and data[0] & 0xE0 != 0x60:
            return Decoded("messages", [describer.message(one) for one in _of_stream(data)[0]])
        item = describer.message(data)
        if "malformed" in item and len(item) <= 2:
            raise DecodeError(str(item["malformed"]), 0, "message")
        return Decoded("message", [item])


_KINDS: Final[tuple[tuple[Callable[[bytes], bool], Callable[[Decoding, bytes], Decoded]], ...]] = (
    (looks_like_ccache, Decoding._ccache),
    (looks_like_keytab, Decoding._keytab),
    (looks_like_capture, Decoding._capture),
)


def _cache_head(cache: Ccache) -> Shown:
    return {"principal": str(cache.principal), "version": cache.version, "offset_s": cache.offset_s}


def _unarmoured(data: bytes) -> bytes:
    """Bytes behind hexadecimal digits or base64, as people paste tickets."""
    if not data or not _TEXT.issuperset(data):
        return data
    text = b"".join(data.split())
    try:
        return bytes.fromhex(text.decode())
    except ValueError:
        pass
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return data


def _whole_messages(
    one: Carried, held: dict[tuple[tuple[str, int], tuple[str, int]], bytes]
) -> Iterator[bytes]:
    """The messages that are complete with this payload."""
    if not one.is_stream:
        yield one.data
        return
    ends = (one.source, one.target)
    try:
        found, held[ends] = _of_stream(held.get(ends, b"") + one.data, is_open=True)
    except DecodeError:
        held[ends] = b""  # the capture begins in the midst of a message
        return
    yield from found


def _of_stream(data: bytes, *, is_open: bool = False) -> tuple[list[bytes], bytes]:
    """Messages behind four bytes of length each, and what is left (RFC 4120 7.2.2)."""
    found = []
    while len(data) >= _LENGTH:
        size = int.from_bytes(data[:_LENGTH], "big")
        if size > 1 << 20 or not size:
            raise DecodeError("no Kerberos message", 0, "message")
        if len(data) < _LENGTH + size:
            break
        found.append(data[_LENGTH : _LENGTH + size])
        data = data[_LENGTH + size :]
    if data and not is_open:
        raise DecodeError("no Kerberos message", 0, "message")
    return found, data


# --- for the command ---


def showing_of(keys: bool, whole: bool) -> Showing:
    """How much is shown."""
    return Showing(keys, whole)


def without_forest(keytabs: Sequence[KeySource], showing: Showing, ports: frozenset[int]) -> Decoding:
    """With keytabs alone."""
    return Decoding(AllKeys(tuple(keytabs)), well_known_name, showing, ports)


def with_forest(
    directory: Directory, path: Path, keytabs: Sequence[KeySource], showing: Showing, ports: frozenset[int]
) -> Decoded:
    """With a forest's keys and names, as one snapshot has them."""

    def work(ctx: ReadContext) -> Decoded:
        keys = AllKeys((*keytabs, ForestKeys(ctx)))
        return Decoding(keys, forest_names(ctx), showing, ports).file(path)

    return directory.read_now("krb.decode", SYSTEM, work)
