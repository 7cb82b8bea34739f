"""Controls: values on the wire, and what a request's controls ask for together."""

import pytest

from addc.base.errors import DsError
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.ldap import controls as c
from addc.ldap.messages import Control

SID = Sid.parse("S-1-5-21-1-2-3-500")


@pytest.mark.parametrize(
    ("oid", "value", "field", "expected"),
    [
        (c.LDAP_PAGED_RESULT_OID_STRING, "3009020203e80403616263", "paged", c.PagedResults(1000, b"abc")),
        (c.LDAP_SERVER_SD_FLAGS_OID, "3003020107", "sd_flags", 7),
        (c.LDAP_SERVER_SD_FLAGS_OID, "3084000000030201 07".replace(" ", ""), "sd_flags", 7),
        (c.LDAP_SERVER_SEARCH_OPTIONS_OID, "3003020102", "search_options", 2),
        (c.LDAP_SERVER_EXTENDED_DN_OID, "3003020101", "extended_dn", 1),
        (c.LDAP_SERVER_EXTENDED_DN_OID, None, "extended_dn", 0),
        (c.LDAP_SERVER_EXTENDED_DN_OID, "", "extended_dn", 0),
        (
            c.LDAP_SERVER_SORT_OID,
            "300e300c0402636e8003312e338101ff",
            "sort",
            c.SortKeyList((c.SortKeyValue("cn", "1.3", True),)),
        ),
        (
            c.LDAP_SERVER_DIRSYNC_OID,
            "300e0204800000010203100000 0401 63".replace(" ", ""),
            "dirsync",
            c.DirSyncValue(0x8000_0001, 0x100000, b"c"),
        ),
        (
            c.LDAP_SERVER_VERIFY_NAME_OID,
            "3009020100 0404 67006300".replace(" ", ""),
            "verify_name",
            "gc",
        ),
        (
            c.LDAP_CONTROL_VLVREQUEST,
            "300e020100020109a006020101020100",
            "vlv",
            c.VlvRequestValue(0, 9, c.VlvByOffset(1, 0)),
        ),
        (
            c.LDAP_CONTROL_VLVREQUEST,
            "300c020100020109 8101 61 0401 78".replace(" ", ""),
            "vlv",
            c.VlvRequestValue(0, 9, c.VlvGreaterThanOrEqual(b"a"), b"x"),
        ),
        (c.LDAP_SERVER_ASQ_OID, "300804066d656d626572", "asq_attribute", "member"),
        (c.LDAP_SERVER_DN_INPUT_OID, "30060404434e3d78", "dn_input", "CN=x"),
        (c.LDAP_SERVER_QUOTA_CONTROL_OID, "301e041c" + SID.hex(), "quota_sid", SID),
        (c.LDAP_SERVER_SET_OWNER_OID, "0412" + b"S-1-5-21-1-2-3-500".hex(), "set_owner", SID),
        (c.LDAP_SERVER_SET_OWNER_OID, b"S-1-5-21-1-2-3-500".hex(), "set_owner", SID),
        (c.LDAP_SERVER_POLICY_HINTS_OID, "3003020101", "policy_hints", 1),
        (c.LDAP_SERVER_POLICY_HINTS_DEPRECATED_OID, "3003020101", "policy_hints", 1),
        (c.LDAP_SERVER_GET_STATS_OID, "05000000", "get_stats", 5),
        (c.LDAP_SERVER_GET_STATS_OID, None, "get_stats", 1),
        (c.LDAP_SERVER_TREE_DELETE_EX_OID, "3003020105", "tree_delete_count", 5),
        (
            c.LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID,
            "3006020101020102",
            "expected_entry_count",
            c.ExpectedEntryCountValue(1, 2),
        ),
        (c.LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID, b"dc2.x".hex(), "crossdom_move_target", "dc2.x"),
        (c.LDAP_SERVER_SET_CORRELATION_ID_OID, "00" * 16, "correlation_id", bytes(16)),
        (c.LDAP_SERVER_SHOW_DELETED_OID, None, "show_deleted", True),
        (c.LDAP_SERVER_SHOW_RECYCLED_OID, None, "show_recycled", True),
        (c.LDAP_SERVER_TREE_DELETE_OID, "", "tree_delete", True),
        (c.LDAP_SERVER_PERMISSIVE_MODIFY_OID, None, "permissive_modify", True),
        (c.LDAP_SERVER_NOTIFICATION_OID, None, "notification", True),
        (c.LDAP_SERVER_RANGE_RETRIEVAL_NOERR_OID, None, "range_retrieval_noerr", True),
    ],
)
def test_what_a_control_asks_for(oid: str, value: str | None, field: str, expected: object) -> None:
    found = c.read_controls((Control(oid, True, None if value is None else bytes.fromhex(value)),))
    assert getattr(found, field) == expected
    assert found.critical == {oid}
    others = set(c.RequestControls.__slots__) - {field, "critical"}
    assert all(getattr(found, name) == getattr(c.NO_CONTROLS, name) for name in others)


def test_flags_written_as_negative_numbers() -> None:
    value = bytes.fromhex("300d02048000000002031000000 400".replace(" ", ""))
    found = c.read_controls((Control(c.LDAP_SERVER_DIRSYNC_OID, False, value),))
    assert found.dirsync == c.DirSyncValue(c.DIRSYNC_INCREMENTAL_VALUES, 0x100000, b"")
    assert not found.dirsync_ex


def test_unknown_controls() -> None:
    assert c.read_controls((Control("1.2.3"),)) == c.NO_CONTROLS
    with pytest.raises(DsError) as caught:
        c.read_controls((Control("1.2.3", True),))
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    assert caught.value.code == Win32.ERROR_INVALID_PARAMETER


def test_controls_that_an_operation_does_not_honour() -> None:
    deleted = Control(c.LDAP_SERVER_SHOW_DELETED_OID, True)
    with pytest.raises(DsError):
        c.read_controls((deleted,), frozenset({c.LDAP_PAGED_RESULT_OID_STRING}))
    assert c.read_controls((Control(c.LDAP_SERVER_SHOW_DELETED_OID),), frozenset()) == c.NO_CONTROLS


@pytest.mark.parametrize("value", [None, b"", b"\x30\x00", b"\x30\x03\x04\x01x", b"\x30\x03\x02\x01\x07x"])
def test_malformed_values(value: bytes | None) -> None:
    with pytest.raises(DsError) as caught:
        c.read_controls((Control(c.LDAP_SERVER_SD_FLAGS_OID, True, value),))
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    assert c.read_controls((Control(c.LDAP_SERVER_SD_FLAGS_OID, False, value),)).sd_flags is None


def test_there_are_two_forms_of_extended_dns() -> None:
    def read(form: int, critical: bool) -> int | None:
        value = bytes((0x30, 3, 2, 1, form))
        return c.read_controls((Control(c.LDAP_SERVER_EXTENDED_DN_OID, critical, value),)).extended_dn

    assert (read(0, True), read(1, True), read(2, False)) == (0, 1, None)
    with pytest.raises(DsError):
        read(2, True)


def test_both_dirsyncs_are_a_protocol_error() -> None:
    value = c.DirSyncValue(0, 0).pack()
    with pytest.raises(DsError) as caught:
        c.read_controls(
            (
                Control(c.LDAP_SERVER_DIRSYNC_OID, True, value),
                Control(c.LDAP_SERVER_DIRSYNC_EX_OID, True, value),
            )
        )
    assert caught.value.ldap_result == LdapResult.PROTOCOL_ERROR
    assert c.read_controls((Control(c.LDAP_SERVER_DIRSYNC_EX_OID, True, value),)).dirsync_ex


def hints(critical: bool, *hints: tuple[str, bytes]) -> Control:
    value = c.OidAndOctetsList(tuple(c.OidAndOctets(*hint) for hint in hints)).pack()
    return Control(c.LDAP_SERVER_SEARCH_HINTS_OID, critical, value)


def test_a_later_search_hint_overrides_an_earlier_one() -> None:
    """3.1.1.3.4.1.32."""
    soft, index = c.HINT_SOFT_SIZE_LIMIT, c.HINT_REQUIRE_SORT_INDEX
    found = c.read_controls(
        (
            hints(False, (soft, c.CountValue(7).pack()), (index, c.RequireSortIndexHintValue(True).pack())),
            hints(True, (soft, c.CountValue(5).pack())),
        )
    )
    assert (found.soft_size_limit, found.sort_index_only) == (5, True)


def test_an_unknown_search_hint_is_refused_where_it_is_critical() -> None:
    assert c.read_controls((hints(False, ("1.1", b"a")),)) == c.RequestControls()
    with pytest.raises(DsError) as caught:
        c.read_controls((hints(True, ("1.1", b"a")),))
    assert caught.value.ldap_result == LdapResult.UNWILLING_TO_PERFORM
    with pytest.raises(DsError) as caught:
        c.read_controls((hints(True, (c.HINT_SOFT_SIZE_LIMIT, b"garbage")),))
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


@pytest.mark.parametrize("oid", sorted(c._MARKERS))
def test_a_control_without_a_value_is_not_followed_if_it_has_one(oid: str) -> None:
    """3.1.1.3.4.1: unavailableCriticalExtension / ERROR_INVALID_PARAMETER, or else it is ignored."""
    assert c.read_controls((Control(oid, False, b"x"),)) == c.RequestControls()
    with pytest.raises(DsError) as caught:
        c.read_controls((Control(oid, True, b"x"),))
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    assert caught.value.code == Win32.ERROR_INVALID_PARAMETER
    assert getattr(c.read_controls((Control(oid, True, b""),)), c._MARKERS[oid])


def test_every_listed_control_has_its_own_number() -> None:
    numbers = [value for name, value in vars(c).items() if name.startswith("LDAP_")]
    assert len(numbers) == len(set(numbers)) == 40
