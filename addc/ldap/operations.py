"""What each request asks of the directory, and the bytes of its answer.

A work function runs inside one transaction and gives finished messages back, so that the loop only sends.
Spec: RFC 4511 4.5 - 4.12, [MS-ADTS] 3.1.1.3.1, 3.1.1.3.4
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from addc.base.errors import DsError, StoreError
from addc.base.ids import MessageId
from addc.codec.filter import Present
from addc.codes.faces import ldap_face
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import accounts
from addc.directory.api import Change, Directory
from addc.directory.context import Forest, ReadContext
from addc.directory.controls import (
    PLAIN,
    TREE_DELETE_MAX,
    DirSync,
    ListView,
    RequestOptions,
    SortKey,
    UsnNote,
)
from addc.directory.rootdse_operations import Outcome
from addc.directory.search import (
    BASE,
    ONE_LEVEL,
    SUBTREE,
    ControlRefused,
    SearchRequest,
    SearchResult,
    compare,
    search,
)
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.ldap.controls import NO_CONTROLS, RequestControls, read_controls
from addc.ldap.statistics import SO_ONLY_OPTIMIZE, search_statistics, update_statistics
from addc.schema.loader import load_base
from addc.security.token import Token

COMMON_CONTROLS: Final = frozenset(
    {
        wire.LDAP_SERVER_EXTENDED_DN_OID,
        wire.LDAP_SERVER_DOMAIN_SCOPE_OID,
        wire.LDAP_SERVER_SET_CORRELATION_ID_OID,
        wire.LDAP_SERVER_THREAD_TRACE_OVERRIDE_OID,
        wire.LDAP_SERVER_UPDATE_STATS_OID,
        wire.LDAP_SERVER_LAZY_COMMIT_OID,
    }
)
_SEEING_DELETED: Final = frozenset(
    {
        wire.LDAP_SERVER_SHOW_DELETED_OID,
        wire.LDAP_SERVER_SHOW_RECYCLED_OID,
        wire.LDAP_SERVER_SHOW_DEACTIVATED_LINK_OID,
    }
)
_LAZY: Final = frozenset({wire.LDAP_SERVER_LAZY_COMMIT_OID, wire.LDAP_SERVER_SD_FLAGS_OID})

SEARCH_CONTROLS: Final = COMMON_CONTROLS | _SEEING_DELETED | {
    wire.LDAP_PAGED_RESULT_OID_STRING,
    wire.LDAP_SERVER_SORT_OID,
    wire.LDAP_SERVER_DIRSYNC_OID,
    wire.LDAP_SERVER_DIRSYNC_EX_OID,
    wire.LDAP_CONTROL_VLVREQUEST,
    wire.LDAP_SERVER_ASQ_OID,
    wire.LDAP_SERVER_DN_INPUT_OID,
    wire.LDAP_SERVER_QUOTA_CONTROL_OID,
    wire.LDAP_SERVER_SD_FLAGS_OID,
    wire.LDAP_SERVER_SEARCH_OPTIONS_OID,
    wire.LDAP_SERVER_RANGE_OPTION_OID,
    wire.LDAP_SERVER_RANGE_RETRIEVAL_NOERR_OID,
    wire.LDAP_SERVER_VERIFY_NAME_OID,
    wire.LDAP_SERVER_SEARCH_HINTS_OID,
    wire.LDAP_SERVER_LINK_TTL_OID,
    wire.LDAP_SERVER_NOTIFICATION_OID,
    wire.LDAP_SERVER_GET_STATS_OID,
    wire.LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID,
    wire.LDAP_SERVER_SHUTDOWN_NOTIFY_OID,
    wire.LDAP_SERVER_QUOTA_CONTROL_OID,
}  # fmt: skip
ADD_CONTROLS: Final = COMMON_CONTROLS | _LAZY | {
    wire.LDAP_SERVER_SET_OWNER_OID,
    wire.LDAP_SERVER_BYPASS_QUOTA_OID,
    wire.LDAP_SERVER_RODC_DCPROMO_OID,
    wire.LDAP_SERVER_VERIFY_NAME_OID,
}  # fmt: skip
MODIFY_CONTROLS: Final = COMMON_CONTROLS | _SEEING_DELETED | _LAZY | {
    wire.LDAP_SERVER_PERMISSIVE_MODIFY_OID,
    wire.LDAP_SERVER_VERIFY_NAME_OID,
    wire.LDAP_SERVER_POLICY_HINTS_OID,
    wire.LDAP_SERVER_POLICY_HINTS_DEPRECATED_OID,
    wire.LDAP_SERVER_FORCE_UPDATE_OID,
}  # fmt: skip
RENAME_CONTROLS: Final = COMMON_CONTROLS | _SEEING_DELETED | {
    wire.LDAP_SERVER_LAZY_COMMIT_OID,
    wire.LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID,
    wire.LDAP_SERVER_VERIFY_NAME_OID,
}  # fmt: skip
DELETE_CONTROLS: Final = COMMON_CONTROLS | _SEEING_DELETED | {
    wire.LDAP_SERVER_TREE_DELETE_OID,
    wire.LDAP_SERVER_TREE_DELETE_EX_OID,
    wire.LDAP_SERVER_LAZY_COMMIT_OID,
}  # fmt: skip

COMPARE_CONTROLS: Final = COMMON_CONTROLS | _SEEING_DELETED

SUPPORTED_CONTROLS: Final = (
    SEARCH_CONTROLS | ADD_CONTROLS | MODIFY_CONTROLS | RENAME_CONTROLS | DELETE_CONTROLS
)
"""All that rootDSE may list as supportedControl."""

BIND_FIRST: Final = (
    "In order to perform this operation a successful bind must be completed on the connection."
)
_NETLOGON: Final = "netlogon"
_SCOPES: Final = (BASE, ONE_LEVEL, SUBTREE)


@dataclass(slots=True)
class Session:
    """What requests of one connection leave behind for its later ones.

    schema_upgrade: fSchemaUpgradeInProgress of the connection ([MS-ADTS] 3.1.1.3.3.14).
    renew_certificate: reads the server's TLS certificate anew.
    """

    schema_upgrade: bool = False
    renew_certificate: Callable[[], None] | None = None

    def follow(self, outcome: Outcome) -> None:
        """Do what a modify of the rootDSE wants of this process and connection."""
        if outcome.schema_upgrade is not None:
            self.schema_upgrade = outcome.schema_upgrade
        if outcome.renew_certificate and self.renew_certificate is not None:
            self.renew_certificate()


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose request it is and how it came. session: of its connection."""

    requester: Token
    confidential: bool
    gc_port: bool
    source: str
    session: Session = field(default_factory=Session)


_PLAIN: Final = {
    (confidential, gc_port): RequestOptions(confidential=confidential, gc_port=gc_port)
    for confidential in (False, True)
    for gc_port in (False, True)
}
"""The options of a request without controls."""


def options_of(found: RequestControls, asker: Asker) -> RequestOptions:
    """The request's controls and connection as the directory wants them."""
    if found is NO_CONTROLS:
        return _PLAIN[asker.confidential, asker.gc_port]
    search_flags = found.search_options
    return RequestOptions(
        confidential=asker.confidential,
        gc_port=asker.gc_port,
        sd_flags=found.sd_flags,
        show_deleted=found.show_deleted or found.show_recycled,
        show_recycled=found.show_recycled,
        show_deactivated_link=found.show_deactivated_link,
        extended_dn=found.extended_dn,
        domain_scope=found.domain_scope or bool(search_flags & wire.SERVER_SEARCH_FLAG_DOMAIN_SCOPE),
        phantom_root=bool(search_flags & wire.SERVER_SEARCH_FLAG_PHANTOM_ROOT),
        range_noerr=found.range_retrieval_noerr,
        link_ttl=found.link_ttl,
        page_size=None if found.paged is None else max(found.paged.size, 0),
        page_cookie=b"" if found.paged is None else found.paged.cookie,
        sort_keys=_sort_keys(found),
        sort_critical=wire.LDAP_SERVER_SORT_OID in found.critical,
        list_view=_list_view(found),
        asq_attribute=found.asq_attribute,
        asq_critical=wire.LDAP_SERVER_ASQ_OID in found.critical,
        dn_input=found.dn_input,
        quota_sid=found.quota_sid,
        dirsync=_dirsync(found),
        permissive_modify=found.permissive_modify,
        tree_delete=found.tree_delete or found.tree_delete_count is not None,
        tree_delete_max=_tree_delete_max(found.tree_delete_count),
        lazy_commit=found.lazy_commit,
        notification=found.notification,
        statistics=found.get_stats,
        correlation_id=found.correlation_id or bytes(16),
        expected_entries=_expected(found),
        sort_index_only=found.sort_index_only,
        soft_size_limit=found.soft_size_limit,
        usn_note=UsnNote() if found.update_stats else None,
        force_update=found.force_update,
        verify_name=found.verify_name,
        set_owner=found.set_owner,
        bypass_quota=found.bypass_quota,
        rodc_promo=found.rodc_dcpromo,
        crossdom_target=found.crossdom_move_target,
        policy_hints=bool(found.policy_hints & wire.POLICY_HINTS_ENFORCE_HISTORY),
    )


def _tree_delete_max(count: int | None) -> int:
    """How many objects a tree deletion takes. Spec: [MS-ADTS] 3.1.1.3.4.1.31."""
    return TREE_DELETE_MAX if count is None else min(max(count, 2), TREE_DELETE_MAX)


def _expected(found: RequestControls) -> tuple[int, int] | None:
    asked = found.expected_entry_count
    return None if asked is None else (asked.search_entries_min, asked.search_entries_max)


def _sort_keys(found: RequestControls) -> tuple[SortKey, ...]:
    if found.sort is None:
        return ()
    return tuple(SortKey(k.attribute_type, k.ordering_rule or "", k.reverse_order) for k in found.sort.keys)


def _list_view(found: RequestControls) -> ListView | None:
    if found.vlv is None:
        return None
    asked, target = found.vlv, found.vlv.target
    critical = wire.LDAP_CONTROL_VLVREQUEST in found.critical
    if isinstance(target, wire.VlvByOffset):
        return ListView(
            asked.before_count,
            asked.after_count,
            offset=target.offset,
            content_count=target.content_count,
            context_id=asked.context_id,
            critical=critical,
        )
    return ListView(
        asked.before_count,
        asked.after_count,
        value=target.value,
        context_id=asked.context_id,
        critical=critical,
    )


def _dirsync(found: RequestControls) -> DirSync | None:
    sync = found.dirsync
    if sync is None:
        return None
    return DirSync(sync.flags, max(sync.max_bytes, 0), sync.cookie, found.dirsync_ex)


def refuse(
    message_id: MessageId,
    response: type[m.LdapResultFields],
    error: DsError,
    controls: tuple[m.Control, ...] = (),
) -> bytes:
    """The message that says no."""
    attribute = load_base().attribute(error.attribute) if error.attribute else None
    result, text = ldap_face(error, 0 if attribute is None else attribute.att_id)
    return m.encode_result(
        message_id, response, result, error.matched_dn, text, referral=error.referrals, controls=controls
    )


def refuse_for_store(message_id: MessageId, response: type[m.LdapResultFields], error: StoreError) -> bytes:
    """The message for a database that cannot serve now: busy where another attempt may go well."""
    code = Win32.ERROR_DS_BUSY if error.retryable else Win32.ERROR_DS_UNAVAILABLE
    return refuse(message_id, response, DsError(code, "the database does not answer"))


def search_request(
    message: m.LdapMessage, op: m.SearchRequest, asker: Asker, *, time_max_s: int = 0
) -> SearchRequest:
    """The search as the directory wants it. Raises DsError for controls and scopes that are not served.

    time_max_s: a shorter time limit than the policy's, 0 for none.
    """
    if op.scope not in _SCOPES:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no such scope", ldap_result=LdapResult.PROTOCOL_ERROR)
    found = read_controls(message.controls, SEARCH_CONTROLS)
    if found.shutdown_notify:  # [MS-ADTS] 3.1.1.3.4.1.20: for programs on the DC itself
        raise DsError(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "shutdown is not told over the network")
    return SearchRequest(
        base=op.base_object,
        scope=op.scope,
        filter=op.filter,
        attributes=op.attributes,
        types_only=op.types_only,
        size_limit=op.size_limit,
        time_limit_s=min(op.time_limit or time_max_s, time_max_s) if time_max_s else op.time_limit,
        options=options_of(found, asker),
    )


def search_answer(ctx: ReadContext, message_id: MessageId, request: SearchRequest) -> bytes:
    """The whole answer of a search as one run of messages."""
    began = ctx.clock.now() if request.options.statistics else None
    try:
        found = search(ctx, request)
    except ControlRefused as error:
        back = (*_search_controls(error.result), *_update_stats(ctx.forest, request.options))
        return refuse(message_id, m.SearchResultDone, error, back)
    except DsError as error:
        return refuse(message_id, m.SearchResultDone, error, _update_stats(ctx.forest, request.options))
    back = tuple(_search_controls(found))
    if request.options is not PLAIN:
        back += _update_stats(ctx.forest, request.options)
    if began is not None:
        back += (search_statistics(ctx, request, found, began),)
        if (request.options.statistics or 0) & SO_ONLY_OPTIMIZE:
            found.entries, found.referrals = [], []
    return _encode_search(message_id, found, request.options.expected_entries, back)


def _encode_search(
    message_id: MessageId,
    found: SearchResult,
    expected: tuple[int, int] | None,
    back: tuple[m.Control, ...],
) -> bytes:
    parts = [m.encode_search_entry(message_id, entry.dn, entry.attributes) for entry in found.entries]
    for url in found.referrals:
        parts.append(m.encode_search_reference(message_id, url))
    result, text = LdapResult.SUCCESS, ""
    if found.limit is not None:
        result, text = ldap_face(_limit_error(found.limit))
    elif expected is not None and not expected[0] <= len(found.entries) <= expected[1]:
        # [MS-ADTS] 3.1.1.3.4.1.33: the result alone says so, the entries stay as they are.
        result, text = ldap_face(DsError(Win32.ERROR_DS_CONSTRAINT_VIOLATION, "not the expected entries"))
    parts.append(m.encode_result(message_id, m.SearchResultDone, result, "", text, controls=back))
    return b"".join(parts)


def _update_stats(forest: Forest, options: RequestOptions) -> tuple[m.Control, ...]:
    if options.usn_note is None:
        return ()
    return (update_statistics(forest.invocation_id, options.usn_note.usn),)


def _limit_error(limit: Win32) -> DsError:
    """What a search that stopped early says. Spec: [MS-ADTS] 3.1.1.3.4.6 (MaxQueryDuration)."""
    if limit == Win32.ERROR_DS_TIMELIMIT_EXCEEDED:
        return DsError(Win32.ERROR_INVALID_PARAMETER, ldap_result=LdapResult.TIME_LIMIT_EXCEEDED)
    return DsError(limit)


def _search_controls(found: SearchResult) -> list[m.Control]:
    """The response controls of a search."""
    back: list[m.Control] = []
    if found.sort_result is not None:
        value = wire.SortResult(found.sort_result, found.sort_attribute or None).pack()
        back.append(m.Control(wire.LDAP_SERVER_RESP_SORT_OID, False, value))
    if found.view is not None:
        view = found.view
        value = wire.VlvResponseValue(
            view.target_position, view.content_count, view.result, view.context_id
        ).pack()
        back.append(m.Control(wire.LDAP_CONTROL_VLVRESPONSE, False, value))
    if found.asq_result is not None:
        value = wire.AsqResponseValue(found.asq_result).pack()
        back.append(m.Control(wire.LDAP_SERVER_ASQ_OID, False, value))
    if found.cookie is not None:
        value = wire.PagedResults(0, found.cookie).pack()
        back.append(m.Control(wire.LDAP_PAGED_RESULT_OID_STRING, False, value))
    if found.changes is not None:
        value = wire.DirSyncValue(int(found.changes.more), 0, found.changes.cookie).pack()
        back.append(m.Control(wire.LDAP_SERVER_DIRSYNC_OID, False, value))
    return back


def is_ping(op: m.SearchRequest) -> bool:
    """Whether a read of the root DSE asks for the locator's answer."""
    return any(name.lower() == _NETLOGON for name in op.attributes)


def beside_ping(ctx: ReadContext, op: m.SearchRequest, asker: Asker) -> list[tuple[bytes, list[bytes]]]:
    """What else of the root DSE a ping asks for."""
    names = tuple(name for name in op.attributes if name.lower() != _NETLOGON)
    if not names:
        return []
    options = options_of(NO_CONTROLS, asker)
    found = search(ctx, SearchRequest("", BASE, Present("objectClass"), names, options=options))
    return [(name, list(values)) for entry in found.entries for name, values in entry.attributes]


def encode_ping(
    message_id: MessageId, value: bytes | None, beside: list[tuple[bytes, list[bytes]]] | None = None
) -> bytes:
    """Entry and result of a locator ping in one run; the result alone for what is not here.

    That is how the entry of which name and attributes are NULL looks on the wire: clients take an empty
    entry for a broken answer.
    Spec: [MS-ADTS] 6.3.3.3
    """
    done = m.encode_result(message_id, m.SearchResultDone)
    if value is None:
        return done
    return m.encode_search_entry(message_id, b"", [(b"Netlogon", [value]), *(beside or [])]) + done


def compare_work(
    message: m.LdapMessage, op: m.CompareRequest, asker: Asker
) -> Callable[[ReadContext], bytes]:
    def work(ctx: ReadContext) -> bytes:
        options = PLAIN
        try:
            options = options_of(read_controls(message.controls, COMPARE_CONTROLS), asker)
            equal = compare(ctx, op.entry, op.ava.attribute_desc, op.ava.assertion_value, options)
        except DsError as error:
            return refuse(message.message_id, m.CompareResponse, error, _update_stats(ctx.forest, options))
        result = LdapResult.COMPARE_TRUE if equal else LdapResult.COMPARE_FALSE
        controls = _update_stats(ctx.forest, options)
        return m.encode_result(message.message_id, m.CompareResponse, result, controls=controls)

    return work


async def write(directory: Directory, message: m.LdapMessage, asker: Asker) -> bytes:
    """Carry out an add, modify, modifyDN or delete; the answer once the change is durable."""
    op = message.protocol_op
    requester = asker.requester
    response: type[m.LdapResultFields] = m.AddResponse
    options = PLAIN
    try:
        match op:
            case m.AddRequest():
                options = write_options(message, asker, ADD_CONTROLS)
                if not op.entry:
                    raise DsError(
                        Win32.ERROR_DS_ROOT_MUST_BE_NC,
                        "the root is there",
                        ldap_result=LdapResult.NAMING_VIOLATION,
                    )
                await directory.add(requester, op.entry, [(a.type, a.vals) for a in op.attributes], options)
            case m.ModifyRequest():
                response = m.ModifyResponse
                options = write_options(message, asker, MODIFY_CONTROLS)
                changes = [Change(c.operation, c.modification.type, c.modification.vals) for c in op.changes]
                if op.object or not changes:
                    await directory.modify(requester, op.object, changes, options)
                else:
                    asker.session.follow(await directory.operate(requester, changes))
            case m.ModifyDnRequest():
                response = m.ModifyDnResponse
                options = write_options(message, asker, RENAME_CONTROLS)
                await directory.rename(
                    requester,
                    op.entry,
                    op.newrdn,
                    delete_old=op.deleteoldrdn,
                    new_superior=op.new_superior,
                    options=options,
                )
            case m.DelRequest():
                response = m.DelResponse
                options = write_options(message, asker, DELETE_CONTROLS)
                await directory.delete(requester, op.entry, options)
    except DsError as error:
        return refuse(message.message_id, response, error, _update_stats(directory.forest, options))
    return m.encode_result(message.message_id, response, controls=_update_stats(directory.forest, options))


def write_options(message: m.LdapMessage, asker: Asker, supported: frozenset[str]) -> RequestOptions:
    """The options of a write. Raises DsError for a control that it does not take, or on a read-only port."""
    if asker.gc_port:
        raise DsError(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "the global catalog is read-only")
    options = options_of(read_controls(message.controls, supported), asker)
    return replace(options, schema_upgrade=True) if asker.session.schema_upgrade else options


def who_am_i(ctx: ReadContext, requester: Token) -> bytes:
    """authzId of RFC 4532: u:DOMAIN\\name, the SID where there is no name, nothing for the anonymous."""
    if requester.is_anonymous:
        return b""
    account = accounts.find_by_sid(ctx, requester.user)
    if account is None:
        return f"u:{requester.user}".encode()
    return f"u:{ctx.forest.netbios}\\{account.sam_account_name}".encode()
