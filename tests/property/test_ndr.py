"""Values of all NDR declarations survive their bytes in both syntaxes, as do damaged ones that are values."""

import importlib
import pkgutil
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.declare import Declared, declared_classes
from addc.codec.ids import Sid
from addc.codec.ndr import Ndr, Syntax, deserialize_v1, read_stub, serialize_v1, write_stub
from addc.codec.pac import (
    DomainGroupMembership,
    GroupMembership,
    KerbSidAndAttributes,
    KerbValidationInfo,
    Pac,
    PacClientInfo,
    PacCredentialData,
    PacDeviceInfo,
    PacSignatureData,
    S4uDelegationInfo,
    SecpkgSupplementalCred,
    TransitedService,
    UpnDnsInfo,
)
from addc.kdc.pac_build import PacParts
from addc.kdc.ticket_pac import PacSigners, sign_pac, signatures_hold
from addc.rpc import interfaces
from tests.kit.kdc_realm import ALICE, FACTS, GROUPS, NOW, make_key
from tests.kit.mutate import mutations
from tests.kit.ndr_values import make

_U16 = st.integers(0, 0xFFFF)
_U32 = st.integers(0, 0xFFFF_FFFF)
_TIME = st.integers(0, 0xFFFF_FFFF_FFFF_FFFF)
_TEXT = st.none() | st.text(max_size=12)
_SID = st.builds(
    lambda subs: Sid.parse("-".join(["S-1-5", *map(str, subs)])), st.lists(_U32, min_size=1, max_size=6)
)
_SIDS = st.none() | _SID


def _arrays(items: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | st.lists(items, max_size=4).map(tuple)


_GROUP = st.builds(GroupMembership, _U32, _U32)
_SID_AND_ATTRIBUTES = st.builds(KerbSidAndAttributes, _SIDS, _U32)
_LOGON = st.builds(
    KerbValidationInfo,
    *[_TIME] * 6, *[_TEXT] * 6, _U16, _U16, _U32, _U32, _arrays(_GROUP), _U32,
    st.binary(min_size=16, max_size=16), _TEXT, _TEXT, _SIDS, _U32, _U32, _TIME, _TIME, _U32,
    _arrays(_SID_AND_ATTRIBUTES), _SIDS, _arrays(_GROUP),
)  # fmt: skip
_DEVICE = st.builds(
    PacDeviceInfo, _U32, _U32, _SIDS, _arrays(_GROUP), _arrays(_SID_AND_ATTRIBUTES),
    _arrays(st.builds(DomainGroupMembership, _SIDS, _arrays(_GROUP))),
)  # fmt: skip
_DELEGATION = st.builds(S4uDelegationInfo, _TEXT, _arrays(st.builds(TransitedService, _TEXT)))
_CREDENTIALS = st.builds(
    PacCredentialData,
    st.lists(st.builds(SecpkgSupplementalCred, _TEXT, st.none() | st.binary(max_size=9)), max_size=3).map(
        tuple
    ),
)


@settings(deadline=None, max_examples=200)
@given(st.one_of(_LOGON, _DEVICE, _DELEGATION, _CREDENTIALS))
def test_values_survive_their_bytes(value: Ndr) -> None:
    assert type(value).unpack(value.pack()) == value
    for pointer in (False, True):
        data = serialize_v1(value, pointer=pointer)
        assert len(data) % 8 == 0
        assert deserialize_v1(type(value), data, pointer=pointer) == value


def _signed() -> tuple[bytes, PacSigners]:
    signers = PacSigners(make_key(18, "server"), make_key(18, "kdc"))
    return sign_pac(
        PacParts(ALICE, GROUPS, FACTS, "alice", True).buffers(NOW, NOW, True), signers, b"t"
    ), signers


def test_damaged_pacs_are_refused() -> None:
    data, signers = _signed()
    assert signatures_hold(data, signers, b"t")
    for damaged in mutations([data], 300, seed=1):
        try:
            good = signatures_hold(damaged, signers, b"t")
        except DecodeError:
            continue
        assert not good or damaged == data


@pytest.mark.parametrize("kind", [1, 10, 12, 6])
def test_damaged_buffers_are_values_or_refused(kind: int) -> None:
    data, _ = _signed()
    buffer = Pac.unpack(data).get(kind)
    assert buffer is not None
    plain: dict[int, type[Declared]] = {10: PacClientInfo, 12: UpnDnsInfo, 6: PacSignatureData}
    for damaged in mutations([buffer], 300, seed=kind):
        try:
            if kind == 1:
                deserialize_v1(KerbValidationInfo, damaged, pointer=True)
            else:
                plain[kind].unpack(damaged)
        except DecodeError:
            continue


def _ndr_classes() -> list[type[Ndr]]:
    """Everything declared: in the codecs, and by every RPC interface."""
    for found in pkgutil.walk_packages(interfaces.__path__, f"{interfaces.__name__}."):
        if found.name.endswith(".idl"):
            importlib.import_module(found.name)
    return [cls for cls in declared_classes() if issubclass(cls, Ndr)]


CLASSES = _ndr_classes()


@pytest.mark.parametrize("syntax", Syntax)
def test_values_of_every_declaration_survive_their_bytes(syntax: Syntax) -> None:
    """[MS-RPCE] 2.2.4, 2.2.5: one declaration, two transfer syntaxes."""
    for cls in CLASSES:
        for seed in range(3):
            value = make(cls, random.Random(seed))  # noqa: S311
            data = write_stub(value, syntax)
            assert cls.unpack(data, syntax) == value
            assert read_stub(cls, data + bytes(7), syntax) == value


@pytest.mark.parametrize("syntax", Syntax)
def test_damaged_stubs_are_values_or_decode_errors(syntax: Syntax) -> None:
    """[MS-RPCE] 3.1.1.5.2: whatever is sent, it is a value that has bytes of its own, or refused."""
    for seed, cls in enumerate(CLASSES):
        data = write_stub(make(cls, random.Random(seed)), syntax)  # noqa: S311
        for damaged in [*mutations([data], 8, seed=seed), data[: len(data) // 2], b"\xff" * len(data)]:
            try:
                value = read_stub(cls, damaged, syntax)
            except DecodeError:
                continue
            assert read_stub(cls, write_stub(value, syntax), syntax) == value
