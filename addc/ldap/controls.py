"""Controls on the wire: their values declared once, and what a request's controls ask for, taken together.

Spec: [MS-ADTS] 3.1.1.3.4.1, RFC 2696 (paged results), RFC 2891 (sorting), RFC 4511 4.1.11 (criticality).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from addc.base.errors import DecodeError, DsError
from addc.codec import ber
from addc.codec.ber_wire import read_element
from addc.codec.ids import Sid
from addc.codec.text import utf8_from_wire, utf16_from_wire
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.ldap.messages import MAX_INT, Control, LdapMessage, Oid, Text

LDAP_PAGED_RESULT_OID_STRING: Final = "1.2.840.113556.1.4.319"
LDAP_SERVER_RESP_SORT_OID: Final = "1.2.840.113556.1.4.474"
LDAP_SERVER_SORT_OID: Final = "1.2.840.113556.1.4.473"
LDAP_SERVER_SHOW_DELETED_OID: Final = "1.2.840.113556.1.4.417"
LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID: Final = "1.2.840.113556.1.4.521"
LDAP_SERVER_NOTIFICATION_OID: Final = "1.2.840.113556.1.4.528"
LDAP_SERVER_EXTENDED_DN_OID: Final = "1.2.840.113556.1.4.529"
LDAP_SERVER_LAZY_COMMIT_OID: Final = "1.2.840.113556.1.4.619"
LDAP_SERVER_SD_FLAGS_OID: Final = "1.2.840.113556.1.4.801"
LDAP_SERVER_RANGE_OPTION_OID: Final = "1.2.840.113556.1.4.802"
LDAP_SERVER_TREE_DELETE_OID: Final = "1.2.840.113556.1.4.805"
LDAP_SERVER_DIRSYNC_OID: Final = "1.2.840.113556.1.4.841"
LDAP_SERVER_GET_STATS_OID: Final = "1.2.840.113556.1.4.970"
LDAP_SERVER_VERIFY_NAME_OID: Final = "1.2.840.113556.1.4.1338"
LDAP_SERVER_DOMAIN_SCOPE_OID: Final = "1.2.840.113556.1.4.1339"
LDAP_SERVER_SEARCH_OPTIONS_OID: Final = "1.2.840.113556.1.4.1340"
LDAP_SERVER_RODC_DCPROMO_OID: Final = "1.2.840.113556.1.4.1341"
LDAP_SERVER_PERMISSIVE_MODIFY_OID: Final = "1.2.840.113556.1.4.1413"
LDAP_SERVER_ASQ_OID: Final = "1.2.840.113556.1.4.1504"
LDAP_SERVER_QUOTA_CONTROL_OID: Final = "1.2.840.113556.1.4.1852"
LDAP_SERVER_SHUTDOWN_NOTIFY_OID: Final = "1.2.840.113556.1.4.1907"
LDAP_SERVER_RANGE_RETRIEVAL_NOERR_OID: Final = "1.2.840.113556.1.4.1948"
LDAP_SERVER_FORCE_UPDATE_OID: Final = "1.2.840.113556.1.4.1974"
LDAP_SERVER_DN_INPUT_OID: Final = "1.2.840.113556.1.4.2026"
LDAP_SERVER_SHOW_RECYCLED_OID: Final = "1.2.840.113556.1.4.2064"
LDAP_SERVER_SHOW_DEACTIVATED_LINK_OID: Final = "1.2.840.113556.1.4.2065"
LDAP_SERVER_POLICY_HINTS_DEPRECATED_OID: Final = "1.2.840.113556.1.4.2066"
LDAP_SERVER_DIRSYNC_EX_OID: Final = "1.2.840.113556.1.4.2090"
LDAP_SERVER_TREE_DELETE_EX_OID: Final = "1.2.840.113556.1.4.2204"
LDAP_SERVER_UPDATE_STATS_OID: Final = "1.2.840.113556.1.4.2205"
LDAP_SERVER_SEARCH_HINTS_OID: Final = "1.2.840.113556.1.4.2206"
LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID: Final = "1.2.840.113556.1.4.2211"
LDAP_SERVER_POLICY_HINTS_OID: Final = "1.2.840.113556.1.4.2239"
LDAP_SERVER_SET_OWNER_OID: Final = "1.2.840.113556.1.4.2255"
LDAP_SERVER_BYPASS_QUOTA_OID: Final = "1.2.840.113556.1.4.2256"
LDAP_SERVER_LINK_TTL_OID: Final = "1.2.840.113556.1.4.2309"
LDAP_SERVER_SET_CORRELATION_ID_OID: Final = "1.2.840.113556.1.4.2330"
LDAP_SERVER_THREAD_TRACE_OVERRIDE_OID: Final = "1.2.840.113556.1.4.2354"
LDAP_CONTROL_VLVREQUEST: Final = "2.16.840.1.113730.3.4.9"
LDAP_CONTROL_VLVRESPONSE: Final = "2.16.840.1.113730.3.4.10"

HINT_REQUIRE_SORT_INDEX: Final = "1.2.840.113556.1.4.2207"
HINT_SOFT_SIZE_LIMIT: Final = "1.2.840.113556.1.4.2210"
SERVER_SEARCH_FLAG_DOMAIN_SCOPE: Final = 0x1
SERVER_SEARCH_FLAG_PHANTOM_ROOT: Final = 0x2
DIRSYNC_OBJECT_SECURITY: Final = 0x1
DIRSYNC_ANCESTORS_FIRST_ORDER: Final = 0x800
DIRSYNC_PUBLIC_DATA_ONLY: Final = 0x2000
DIRSYNC_INCREMENTAL_VALUES: Final = 0x8000_0000
POLICY_HINTS_ENFORCE_HISTORY: Final = 0x1

_STATS_MAX: Final = 0x7
_COUNT: Final = ber.Integer(0, MAX_INT)


@ber.sequence()
class PagedResults(ber.Value):
    """realSearchControlValue: page size wanted, or an estimate of the total; cookie. Spec: RFC 2696 2."""

    size: Annotated[int, ber.INT32]
    cookie: bytes = b""


@ber.sequence(extensible=True)
class FlagsValue(ber.Value):
    """SDFlagsRequestValue, SearchOptionsRequestValue, ExtendedDNRequestValue, PolicyHintsRequestValue.

    Spec: [MS-ADTS] 3.1.1.3.4.1.5, .11, .12, .27.
    """

    flags: Annotated[int, ber.DWORD]


@ber.sequence(extensible=True)
class SortKeyValue(ber.Value):
    """One element of SortKeyList. Spec: RFC 2891 1.1."""

    attribute_type: Text
    ordering_rule: Annotated[Oid | None, ber.Implicit(0)] = None
    reverse_order: Annotated[bool, ber.Implicit(1), ber.DEFAULT] = False


@ber.single()
class SortKeyList(ber.Value):
    """SortKeyList. Spec: RFC 2891 1.1."""

    keys: Annotated[tuple[SortKeyValue, ...], ber.SequenceOf(ber.Nested(SortKeyValue), low=1, limit=64)]


@ber.sequence(extensible=True)
class SortResult(ber.Value):
    """SortResult. Spec: RFC 2891 1.2, [MS-ADTS] 3.1.1.3.4.1.13."""

    sort_result: Annotated[int, ber.ENUMERATED]
    attribute_type: Annotated[Text | None, ber.Implicit(0)] = None


@ber.sequence(extensible=True)
class DirSyncValue(ber.Value):
    """DirSyncRequestValue, and DirSyncResponseValue with MoreResults in place of the flags.

    Spec: [MS-ADTS] 3.1.1.3.4.1.3.
    """

    flags: Annotated[int, ber.DWORD]
    max_bytes: Annotated[int, ber.INT32]
    cookie: bytes = b""


@ber.sequence(extensible=True)
class VerifyNameValue(ber.Value):
    """VerifyNameRequestValue; server_name is UTF-16. Spec: [MS-ADTS] 3.1.1.3.4.1.16."""

    flags: Annotated[int, ber.DWORD]
    server_name: bytes


@ber.sequence(context=0, extensible=True)
class VlvByOffset(ber.Value):
    """byoffset. Spec: [MS-ADTS] 3.1.1.3.4.1.17."""

    offset: Annotated[int, _COUNT]
    content_count: Annotated[int, _COUNT]


@ber.single(context=1)
class VlvGreaterThanOrEqual(ber.Value):
    """greaterThanOrEqual. Spec: [MS-ADTS] 3.1.1.3.4.1.17."""

    value: bytes


@ber.sequence(extensible=True)
class VlvRequestValue(ber.Value):
    """VLVRequestValue. Spec: [MS-ADTS] 3.1.1.3.4.1.17."""

    before_count: Annotated[int, _COUNT]
    after_count: Annotated[int, _COUNT]
    target: Annotated[VlvByOffset | VlvGreaterThanOrEqual, ber.Choice(VlvByOffset, VlvGreaterThanOrEqual)]
    context_id: bytes | None = None


@ber.sequence(extensible=True)
class VlvResponseValue(ber.Value):
    """VLVResponseValue. Spec: [MS-ADTS] 3.1.1.3.4.1.17."""

    target_position: Annotated[int, _COUNT]
    content_count: Annotated[int, _COUNT]
    virtual_list_view_result: Annotated[int, ber.ENUMERATED]
    context_id: bytes | None = None


@ber.sequence(extensible=True)
class OctetsValue(ber.Value):
    """ASQRequestValue (a name), DNInputRequestValue (a DN), QuotaRequestValue (a SID).

    Spec: [MS-ADTS] 3.1.1.3.4.1.18, .19, .24.
    """

    octets: bytes


@ber.sequence(extensible=True)
class AsqResponseValue(ber.Value):
    """ASQResponseValue. Spec: [MS-ADTS] 3.1.1.3.4.1.18."""

    search_results: Annotated[int, ber.ENUMERATED]


@ber.sequence(extensible=True)
class CountValue(ber.Value):
    """TreeDeleteExRequestValue, SoftSizeLimitHintValue. Spec: [MS-ADTS] 3.1.1.3.4.1.31, .32.2."""

    count: Annotated[int, ber.INTEGER]


@ber.sequence(extensible=True)
class RequireSortIndexHintValue(ber.Value):
    """RequireSortIndexHintValue. Spec: [MS-ADTS] 3.1.1.3.4.1.32.1."""

    index_only: bool


@ber.sequence(extensible=True)
class ExpectedEntryCountValue(ber.Value):
    """ExpectedEntryCountRequestValue. Spec: [MS-ADTS] 3.1.1.3.4.1.33."""

    search_entries_min: Annotated[int, ber.INTEGER]
    search_entries_max: Annotated[int, ber.INTEGER]


@ber.sequence(extensible=True)
class OidAndOctets(ber.Value):
    """One search hint, or one update statistic. Spec: [MS-ADTS] 3.1.1.3.4.1.30, .32."""

    oid: Oid
    value: bytes


@ber.single()
class OidAndOctetsList(ber.Value):
    """SearchHintsRequestValue, UpdateStatsResponseValue. Spec: [MS-ADTS] 3.1.1.3.4.1.30, .32."""

    items: Annotated[tuple[OidAndOctets, ...], ber.SequenceOf(ber.Nested(OidAndOctets), limit=256)]


@ber.single()
class BatchRequestValue(ber.Value):
    """BatchRequestRequestValue: packed LDAPMessages. Spec: [MS-ADTS] 3.1.1.3.4.2.5."""

    messages: Annotated[tuple[bytes, ...], ber.SequenceOf(ber.OCTET_STRING, limit=4096)]


@ber.single()
class BatchResponseValue(ber.Value):
    """BatchRequestResponseValue. Spec: [MS-ADTS] 3.1.1.3.4.2.5."""

    messages: tuple[LdapMessage, ...]


@dataclass(frozen=True, slots=True)
class RequestControls:
    """What the controls of one request ask for; a control that is absent leaves its default.

    critical: the OIDs whose control was critical. dirsync_ex: LDAP_SERVER_DIRSYNC_EX_OID in place of DIRSYNC.
    tree_delete_count: limit of LDAP_SERVER_TREE_DELETE_EX_OID.
    sort_index_only, soft_size_limit: search hints.
    """

    critical: frozenset[str] = frozenset()
    paged: PagedResults | None = None
    sort: SortKeyList | None = None
    vlv: VlvRequestValue | None = None
    dirsync: DirSyncValue | None = None
    dirsync_ex: bool = False
    asq_attribute: str | None = None
    sd_flags: int | None = None
    search_options: int = 0
    extended_dn: int | None = None
    get_stats: int | None = None
    verify_name: str | None = None
    dn_input: str | None = None
    quota_sid: Sid | None = None
    set_owner: Sid | None = None
    policy_hints: int = 0
    crossdom_move_target: str | None = None
    tree_delete_count: int | None = None
    expected_entry_count: ExpectedEntryCountValue | None = None
    sort_index_only: bool = False
    soft_size_limit: int | None = None
    correlation_id: bytes | None = None
    show_deleted: bool = False
    show_recycled: bool = False
    show_deactivated_link: bool = False
    domain_scope: bool = False
    notification: bool = False
    lazy_commit: bool = False
    permissive_modify: bool = False
    tree_delete: bool = False
    range_retrieval_noerr: bool = False
    rodc_dcpromo: bool = False
    force_update: bool = False
    bypass_quota: bool = False
    link_ttl: bool = False
    update_stats: bool = False
    shutdown_notify: bool = False
    thread_trace: bool = False


NO_CONTROLS: Final = RequestControls()

_MARKERS: Final[dict[str, str]] = {
    LDAP_SERVER_SHOW_DELETED_OID: "show_deleted",
    LDAP_SERVER_SHOW_RECYCLED_OID: "show_recycled",
    LDAP_SERVER_SHOW_DEACTIVATED_LINK_OID: "show_deactivated_link",
    LDAP_SERVER_DOMAIN_SCOPE_OID: "domain_scope",
    LDAP_SERVER_NOTIFICATION_OID: "notification",
    LDAP_SERVER_LAZY_COMMIT_OID: "lazy_commit",
    LDAP_SERVER_PERMISSIVE_MODIFY_OID: "permissive_modify",
    LDAP_SERVER_TREE_DELETE_OID: "tree_delete",
    LDAP_SERVER_RANGE_RETRIEVAL_NOERR_OID: "range_retrieval_noerr",
    LDAP_SERVER_RODC_DCPROMO_OID: "rodc_dcpromo",
    LDAP_SERVER_FORCE_UPDATE_OID: "force_update",
    LDAP_SERVER_BYPASS_QUOTA_OID: "bypass_quota",
    LDAP_SERVER_LINK_TTL_OID: "link_ttl",
    LDAP_SERVER_UPDATE_STATS_OID: "update_stats",
    LDAP_SERVER_SHUTDOWN_NOTIFY_OID: "shutdown_notify",
    LDAP_SERVER_THREAD_TRACE_OVERRIDE_OID: "thread_trace",
}
"""Controls whose presence is all they say; one that says more is not what it seems and is not followed.

Spec: [MS-ADTS] 3.1.1.3.4.1.
"""


def _flags(value: bytes) -> int:
    return FlagsValue.unpack(value).flags


def _extended_dn(value: bytes) -> int:
    """0 or 1; the specification names no other form. Spec: [MS-ADTS] 3.1.1.3.4.1.5."""
    form = _flags(value)
    if form not in (0, 1):
        raise DecodeError("no such form of DN", 0, "ExtendedDNRequestValue")
    return form


def _octets(value: bytes) -> bytes:
    return OctetsValue.unpack(value).octets


def _stats(value: bytes) -> int:
    """A bare number, not BER. Spec: [MS-ADTS] 3.1.1.3.4.1.6."""
    flags = int.from_bytes(value, "little")
    if len(value) > 4 or flags > _STATS_MAX:
        raise DecodeError("not flags of 32 bits", 0, "GetStats")
    return flags


def _owner(value: bytes) -> Sid:
    """A SID in text form inside an OCTET STRING. Spec: [MS-ADTS] 3.1.1.3.4.1.34."""
    if value[:1] == b"\x04":
        _, start, end = read_element(value, 0, len(value), "SID")
        value = value[start:end]
    return Sid.parse(utf8_from_wire(value))


def _correlation_id(value: bytes) -> bytes:
    if len(value) != 16:
        raise DecodeError("not 16 bytes", 0, "correlation id")
    return value


_VALUES: Final[dict[str, tuple[str, Callable[[bytes], object]]]] = {
    LDAP_PAGED_RESULT_OID_STRING: ("paged", PagedResults.unpack),
    LDAP_SERVER_SORT_OID: ("sort", SortKeyList.unpack),
    LDAP_CONTROL_VLVREQUEST: ("vlv", VlvRequestValue.unpack),
    LDAP_SERVER_DIRSYNC_OID: ("dirsync", DirSyncValue.unpack),
    LDAP_SERVER_DIRSYNC_EX_OID: ("dirsync", DirSyncValue.unpack),
    LDAP_SERVER_ASQ_OID: ("asq_attribute", lambda value: utf8_from_wire(_octets(value))),
    LDAP_SERVER_SD_FLAGS_OID: ("sd_flags", _flags),
    LDAP_SERVER_SEARCH_OPTIONS_OID: ("search_options", _flags),
    LDAP_SERVER_EXTENDED_DN_OID: ("extended_dn", _extended_dn),
    LDAP_SERVER_GET_STATS_OID: ("get_stats", _stats),
    LDAP_SERVER_VERIFY_NAME_OID: (
        "verify_name",
        lambda value: utf16_from_wire(VerifyNameValue.unpack(value).server_name),
    ),
    LDAP_SERVER_DN_INPUT_OID: ("dn_input", lambda value: utf8_from_wire(_octets(value))),
    LDAP_SERVER_QUOTA_CONTROL_OID: ("quota_sid", lambda value: Sid.of(_octets(value))),
    LDAP_SERVER_SET_OWNER_OID: ("set_owner", _owner),
    LDAP_SERVER_POLICY_HINTS_OID: ("policy_hints", _flags),
    LDAP_SERVER_POLICY_HINTS_DEPRECATED_OID: ("policy_hints", _flags),
    LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID: ("crossdom_move_target", utf8_from_wire),
    LDAP_SERVER_TREE_DELETE_EX_OID: ("tree_delete_count", lambda value: CountValue.unpack(value).count),
    LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID: ("expected_entry_count", ExpectedEntryCountValue.unpack),
    LDAP_SERVER_SEARCH_HINTS_OID: ("search_hints", lambda value: OidAndOctetsList.unpack(value).items),
    LDAP_SERVER_SET_CORRELATION_ID_OID: ("correlation_id", _correlation_id),
}
"""Controls with a value: the field it fills, and how it is read."""

_ABSENT: Final[dict[str, object]] = {LDAP_SERVER_EXTENDED_DN_OID: 0, LDAP_SERVER_GET_STATS_OID: 1}
"""What some values count as when they are left out."""

_IGNORED: Final = frozenset({LDAP_SERVER_RANGE_OPTION_OID})

UNDERSTOOD: Final = frozenset(_MARKERS) | frozenset(_VALUES) | _IGNORED
"""OIDs that `read_controls` accepts; which of them a service also honours is for the service."""


def read_controls(controls: Sequence[Control], supported: frozenset[str] = UNDERSTOOD) -> RequestControls:
    """Take the controls of a request together.

    supported: OIDs that the operation honours; any other critical control refuses the request, any other
    control is ignored. Of a control that comes twice the last counts, except that search hints add up.
    Raises DsError(ERROR_INVALID_PARAMETER) with unavailableCriticalExtension or protocolError.
    """
    if not controls:
        return NO_CONTROLS
    found: dict[str, object] = {}
    critical = set()
    for control in controls:
        oid = control.control_type
        if oid not in supported or oid not in UNDERSTOOD:
            if control.criticality:
                raise _unavailable(oid)
            continue
        if control.criticality:
            critical.add(oid)
        if oid in _MARKERS:
            if not control.control_value:
                found[_MARKERS[oid]] = True
            elif control.criticality:
                raise _unavailable(oid)
        elif oid in _VALUES and (value := _read_value(control)) is not None:
            if oid == LDAP_SERVER_SEARCH_HINTS_OID:
                assert isinstance(value, tuple)
                _read_hints(control, value, found)
            else:
                found[_VALUES[oid][0]] = value
    types = {control.control_type for control in controls}
    if {LDAP_SERVER_DIRSYNC_OID, LDAP_SERVER_DIRSYNC_EX_OID} <= types:
        raise DsError(
            Win32.ERROR_INVALID_PARAMETER,
            "Error processing control",
            ldap_result=LdapResult.PROTOCOL_ERROR,
        )
    return RequestControls(
        critical=frozenset(critical),
        dirsync_ex=LDAP_SERVER_DIRSYNC_EX_OID in types and "dirsync" in found,
        **found,  # type: ignore[arg-type]
    )


def _read_hints(control: Control, hints: Sequence[OidAndOctets], found: dict[str, object]) -> None:
    """Take the hints of one control, each over an earlier one of its kind.

    Raises DsError(unwillingToPerform) for a hint that nobody knows in a control that insists.
    Spec: [MS-ADTS] 3.1.1.3.4.1.32.
    """
    for hint in hints:
        try:
            if hint.oid == HINT_REQUIRE_SORT_INDEX:
                found["sort_index_only"] = RequireSortIndexHintValue.unpack(hint.value).index_only
            elif hint.oid == HINT_SOFT_SIZE_LIMIT:
                found["soft_size_limit"] = CountValue.unpack(hint.value).count
            elif control.criticality:
                raise DsError(
                    Win32.ERROR_INVALID_PARAMETER,
                    f"no search hint {hint.oid}",
                    ldap_result=LdapResult.UNWILLING_TO_PERFORM,
                )
        except DecodeError:
            if control.criticality:
                raise _unavailable(control.control_type) from None


def _read_value(control: Control) -> object | None:
    """The value of a control; None for one that cannot be read and need not be."""
    oid = control.control_type
    if not control.control_value and oid in _ABSENT:
        return _ABSENT[oid]
    try:
        return _VALUES[oid][1](control.control_value or b"")
    except DecodeError:
        if control.criticality:
            raise _unavailable(oid) from None
        return None


def _unavailable(oid: str) -> DsError:
    return DsError(
        Win32.ERROR_INVALID_PARAMETER,
        "Error processing control",
        ldap_result=LdapResult.UNAVAILABLE_CRITICAL_EXTENSION,
    )
