"""The rootDSE: what this DC is, holds and can do.

Spec: [MS-ADTS] 3.1.1.3.2.
"""

from collections.abc import Callable
from typing import Final

from addc.codec.ids import Sid
from addc.codec.times import format_generalized
from addc.directory import constructed, entry, fsmo, levels, names, policy, rootdse_state
from addc.directory.context import Fact, ReadContext
from addc.directory.controls import RequestOptions
from addc.directory.selection import Attributes, ResultEntry, Shaper
from addc.schema import attr
from addc.security import wellknown
from addc.store.objects import ObjectRow

SUPPORTED_CONTROLS: Final = (
    "1.2.840.113556.1.4.319",  # LDAP_PAGED_RESULT_OID_STRING
    "1.2.840.113556.1.4.521",  # LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID
    "1.2.840.113556.1.4.841",  # LDAP_SERVER_DIRSYNC_OID
    "1.2.840.113556.1.4.1339",  # LDAP_SERVER_DOMAIN_SCOPE_OID
    "1.2.840.113556.1.4.529",  # LDAP_SERVER_EXTENDED_DN_OID
    "1.2.840.113556.1.4.970",  # LDAP_SERVER_GET_STATS_OID
    "1.2.840.113556.1.4.619",  # LDAP_SERVER_LAZY_COMMIT_OID
    "1.2.840.113556.1.4.1413",  # LDAP_SERVER_PERMISSIVE_MODIFY_OID
    "1.2.840.113556.1.4.528",  # LDAP_SERVER_NOTIFICATION_OID
    "1.2.840.113556.1.4.474",  # LDAP_SERVER_RESP_SORT_OID
    "1.2.840.113556.1.4.801",  # LDAP_SERVER_SD_FLAGS_OID
    "1.2.840.113556.1.4.1340",  # LDAP_SERVER_SEARCH_OPTIONS_OID
    "1.2.840.113556.1.4.473",  # LDAP_SERVER_SORT_OID
    "1.2.840.113556.1.4.417",  # LDAP_SERVER_SHOW_DELETED_OID
    "1.2.840.113556.1.4.805",  # LDAP_SERVER_TREE_DELETE_OID
    "1.2.840.113556.1.4.1338",  # LDAP_SERVER_VERIFY_NAME_OID
    "2.16.840.1.113730.3.4.9",  # LDAP_CONTROL_VLVREQUEST
    "2.16.840.1.113730.3.4.10",  # LDAP_CONTROL_VLVRESPONSE
    "1.2.840.113556.1.4.1504",  # LDAP_SERVER_ASQ_OID
    "1.2.840.113556.1.4.1341",  # LDAP_SERVER_RODC_DCPROMO_OID
    "1.2.840.113556.1.4.1852",  # LDAP_SERVER_QUOTA_CONTROL_OID
    "1.2.840.113556.1.4.802",  # LDAP_SERVER_RANGE_OPTION_OID
    "1.2.840.113556.1.4.1907",  # LDAP_SERVER_SHUTDOWN_NOTIFY_OID
    "1.2.840.113556.1.4.1974",  # LDAP_SERVER_FORCE_UPDATE_OID
    "1.2.840.113556.1.4.1948",  # LDAP_SERVER_RANGE_RETRIEVAL_NOERR_OID
    "1.2.840.113556.1.4.2026",  # LDAP_SERVER_DN_INPUT_OID
    "1.2.840.113556.1.4.2065",  # LDAP_SERVER_SHOW_DEACTIVATED_LINK_OID
    "1.2.840.113556.1.4.2064",  # LDAP_SERVER_SHOW_RECYCLED_OID
    "1.2.840.113556.1.4.2066",  # LDAP_SERVER_POLICY_HINTS_DEPRECATED_OID
    "1.2.840.113556.1.4.2090",  # LDAP_SERVER_DIRSYNC_EX_OID
    "1.2.840.113556.1.4.2205",  # LDAP_SERVER_UPDATE_STATS_OID
    "1.2.840.113556.1.4.2204",  # LDAP_SERVER_TREE_DELETE_EX_OID
    "1.2.840.113556.1.4.2206",  # LDAP_SERVER_SEARCH_HINTS_OID
    "1.2.840.113556.1.4.2211",  # LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID
    "1.2.840.113556.1.4.2239",  # LDAP_SERVER_POLICY_HINTS_OID
    "1.2.840.113556.1.4.2255",  # LDAP_SERVER_SET_OWNER_OID
    "1.2.840.113556.1.4.2256",  # LDAP_SERVER_BYPASS_QUOTA_OID
    "1.2.840.113556.1.4.2309",  # LDAP_SERVER_LINK_TTL_OID
    "1.2.840.113556.1.4.2330",  # LDAP_SERVER_SET_CORRELATION_ID_OID
    "1.2.840.113556.1.4.2354",  # LDAP_SERVER_THREAD_TRACE_OVERRIDE_OID
)
"""supportedControl: the controls that the directory and the LDAP service carry out."""

_LIST_VIEWS: Final = ("2.16.840.1.113730.3.4.9", "2.16.840.1.113730.3.4.10")

SUPPORTED_CAPABILITIES: Final = (
    "1.2.840.113556.1.4.800",
    "1.2.840.113556.1.4.1670",
    "1.2.840.113556.1.4.1791",
    "1.2.840.113556.1.4.1935",
    "1.2.840.113556.1.4.2080",
    "1.2.840.113556.1.4.2237",
)
"""supportedCapabilities of a writable DC ([MS-ADTS] 3.1.1.3.4.3)."""

SUPPORTED_EXTENSIONS: Final = (
    "1.3.6.1.4.1.1466.20037",  # StartTLS
    "1.2.840.113556.1.4.1781",  # fast bind
    "1.3.6.1.4.1.1466.101.119.1",  # refresh
    "1.3.6.1.4.1.4203.1.11.3",  # Who am I
    "1.2.840.113556.1.4.2212",  # batch
)
"""supportedExtension."""

SUPPORTED_SASL_MECHANISMS: Final = ("GSSAPI", "GSS-SPNEGO", "EXTERNAL")
"""supportedSASLMechanisms."""

VERSION_STRING: Final = "10.0.17763.1 (addc)"
"""dsaVersionString: the build number of the Windows Server whose behaviour this DC shows."""

Reader = Callable[[ReadContext], list[bytes]]


def _texts(*values: str) -> list[bytes]:
    return [value.encode("utf-8") for value in values]


def _dn(ctx: ReadContext, row: ObjectRow | None) -> list[bytes]:
    return [] if row is None else [names.dn_of_row(ctx, row).encode("utf-8")]


def _service_name(ctx: ReadContext) -> list[bytes]:
    return _dn(ctx, ctx.tx.get(ctx.forest.dsa_dnt))


def _server_name(ctx: ReadContext) -> list[bytes]:
    return _dn(ctx, ctx.tx.get(ctx.forest.server_dnt))


def _naming_contexts(ctx: ReadContext) -> list[bytes]:
    forest = ctx.forest
    held = [forest.domain_dn, forest.config_dn, forest.schema_dn]
    if forest.domain_dns_nc:
        held.append(forest.domain_dns_dn)
    if forest.forest_dns_nc:
        held.append(forest.forest_dns_dn)
    dsa, masters = ctx.tx.get(forest.dsa_dnt), ctx.schema.attribute_by_id(attr.MS_DS_HAS_MASTER_N_CS)
    if dsa is not None and masters is not None:  # application naming contexts made since
        found = [names.dn_of(ctx, link.target) for link in entry.live_links(ctx, dsa, masters)]
        held += [dn for dn in found if dn not in held]
    return _texts(*held)


def _dc_level(ctx: ReadContext) -> list[bytes]:
    dsa = ctx.tx.get(ctx.forest.dsa_dnt)
    level = levels.DC_BEHAVIOR_VERSION
    if dsa is not None:
        level = entry.integer(dsa, attr.MS_DS_BEHAVIOR_VERSION, level)
    return [b"%d" % level]


def _is_gc(ctx: ReadContext) -> list[bytes]:
    dsa = ctx.tx.get(ctx.forest.dsa_dnt)
    return [b"TRUE" if dsa is not None and entry.integer(dsa, attr.OPTIONS) & 1 else b"FALSE"]


def _valid_fsmos(ctx: ReadContext) -> list[bytes]:
    """The role objects whose fSMORoleOwner is this DC. Spec: [MS-ADTS] 3.1.1.3.2.34."""
    return [
        dn for role in fsmo.ROLES if fsmo.is_ours(ctx, role) for dn in _dn(ctx, fsmo.role_object(ctx, role))
    ]


def _principal_name(ctx: ReadContext) -> list[bytes]:
    user = ctx.requester.user
    if ctx.requester.is_anonymous:
        return [b"NT AUTHORITY\\ANONYMOUS LOGON"]
    for row in ctx.tx.by_sid(bytes(user)):
        name = constructed.principal_name(ctx, row)
        if name is not None:
            return [name.encode("utf-8")]
    return _texts(str(user))


def _token_groups(ctx: ReadContext) -> list[bytes]:
    """The user first, as clients that look for it expect."""
    requester = ctx.requester
    return [bytes(requester.user), *sorted(bytes(sid) for sid in requester.sids if sid != requester.user)]


def _dsa_version(ctx: ReadContext) -> list[bytes]:
    """Only for Domain and Enterprise Administrators. Spec: [MS-ADTS] 3.1.1.3.2.35."""
    domain: Sid = ctx.forest.domain_sid
    admins = (domain.child(wellknown.RID_DOMAIN_ADMINS), domain.child(wellknown.RID_ENTERPRISE_ADMINS))
    if ctx.unrestricted or not ctx.requester.sids.isdisjoint(admins):
        return _texts(VERSION_STRING)
    return []


def _policies_effective(ctx: ReadContext) -> list[bytes]:
    limits = policy.limits(ctx)
    return _texts(*(f"{name}:{getattr(limits, field)}" for name, field in policy.POLICY_FIELDS.items()))


def _supported_controls(ctx: ReadContext) -> list[bytes]:
    """Without list views where administrators do not want them. Spec: [MS-ADTS] 3.1.1.3.4.7."""
    if policy.configurable_settings(ctx).get("disablevlvsupport") == 1:
        return _texts(*(oid for oid in SUPPORTED_CONTROLS if oid not in _LIST_VIEWS))
    return _texts(*SUPPORTED_CONTROLS)


_DEFAULT: Final[dict[str, Reader]] = {
    "domainFunctionality": lambda ctx: [b"%d" % levels.domain_level(ctx)],
    "forestFunctionality": lambda ctx: [b"%d" % levels.forest_level(ctx)],
    "domainControllerFunctionality": _dc_level,
    "rootDomainNamingContext": lambda ctx: _texts(ctx.forest.root_dn),
    "ldapServiceName": lambda ctx: _texts(
        f"{ctx.forest.dns_forest}:{ctx.forest.host.lower()}$@{ctx.forest.realm}"
    ),
    "isGlobalCatalogReady": _is_gc,
    "supportedSASLMechanisms": lambda _: _texts(*SUPPORTED_SASL_MECHANISMS),
    "supportedLDAPVersion": lambda _: [b"3", b"2"],
    "supportedLDAPPolicies": lambda _: _texts(*policy.POLICY_NAMES),
    "supportedControl": _supported_controls,
    "supportedCapabilities": lambda _: _texts(*SUPPORTED_CAPABILITIES),
    "subschemaSubentry": lambda ctx: _texts(f"CN=Aggregate,{ctx.forest.schema_dn}"),
    "serverName": _server_name,
    "schemaNamingContext": lambda ctx: _texts(ctx.forest.schema_dn),
    "namingContexts": _naming_contexts,
    "isSynchronized": lambda _: [b"TRUE"],
    "highestCommittedUSN": lambda ctx: [b"%d" % ctx.tx.usn],
    "dsServiceName": _service_name,
    "dnsHostName": lambda ctx: _texts(ctx.forest.host_fqdn),
    "defaultNamingContext": lambda ctx: _texts(ctx.forest.domain_dn),
    "currentTime": lambda ctx: [format_generalized(ctx.now)],
    "configurationNamingContext": lambda ctx: _texts(ctx.forest.config_dn),
}
"""What a read without a list of names returns, in the order of Windows Server 2019."""

_NAMED_ONLY: Final[dict[str, Reader]] = {
    "dsaVersionString": _dsa_version,
    "dsSchemaAttrCount": lambda ctx: [b"%d" % len(ctx.schema.attributes)],
    "dsSchemaClassCount": lambda ctx: [b"%d" % len(ctx.schema.classes)],
    "LDAPPoliciesEffective": _policies_effective,
    "msDS-PortLDAP": lambda _: [b"389"],
    "msDS-PortSSL": lambda _: [b"636"],
    "msDS-PrincipalName": _principal_name,
    "msDS-SupportedRootDSEAttributes": lambda _: _texts(*_DEFAULT, *_NAMED_ONLY, *rootdse_state.READERS),
    "pendingPropagations": lambda _: [],  # those of the asking connection alone, which waits for nothing
    "schemaIndexUpdateState": lambda _: [b"3"],
    "serviceAccountInfo": lambda ctx: _texts(
        "replAuthenticationMode=1",
        "accountType=domain",
        "systemAccount=TRUE",
        "domainType=domainWithKerb",
        f"machineDomainName={ctx.forest.netbios}",
    ),
    "spnRegistrationResult": lambda _: [b"0"],
    "supportedExtension": lambda _: _texts(*SUPPORTED_EXTENSIONS),
    "tokenGroups": _token_groups,
    "validFSMOs": _valid_fsmos,
}
"""Operational attributes: returned only when named."""

_BY_NAME: Final = {
    name.lower(): (name.encode(), reader) for name, reader in (*_DEFAULT.items(), *_NAMED_ONLY.items())
}

_STATE_BY_NAME: Final = {
    name.lower(): (name.encode(), reader) for name, reader in rootdse_state.READERS.items()
}
_DNS: Final = frozenset(
    (
        "rootdomainnamingcontext", "subschemasubentry", "servername", "schemanamingcontext", "namingcontexts",
        "dsservicename", "defaultnamingcontext", "configurationnamingcontext", "validfsmos",
    )
)  # fmt: skip
"""Attributes whose values are DNs."""

_FIXED: Final[Fact[dict[str, list[bytes]]]] = Fact()
_VOLATILE: Final = frozenset(
    ("currenttime", "highestcommittedusn", "tokengroups", "msds-principalname", "dsaversionstring")
)


def read(ctx: ReadContext, attributes: tuple[str, ...], options: RequestOptions) -> ResultEntry:
    """The rootDSE as a result entry with an empty DN; anybody may read it.

    attributes: names, () or "*" for the default ones, "+" for the operational ones. OIDs name nothing here.
    Of the controls only the one for extended DNs changes it.
    """
    wanted: dict[str, None] = {}
    for name in attributes or ("*",):
        if name == "*":
            wanted.update(dict.fromkeys(one.lower() for one in _DEFAULT))
        elif name == "+":
            wanted.update(dict.fromkeys(one.lower() for one in (*_NAMED_ONLY, *rootdse_state.READERS)))
        else:
            wanted[name.lower()] = None
    kept = _FIXED.get(ctx, ctx.tx.seq, dict)
    shown: Attributes = []
    for text in wanted:
        name, _, option = text.partition(";")
        state = _STATE_BY_NAME.get(name)
        if state is not None:
            label, values = state[0], state[1](ctx, option)
            if option == "binary" and name in rootdse_state.BINARY:
                label += b";binary"
        else:
            known = _BY_NAME.get(name)
            if known is None:
                continue
            label, values = known[0], _values(ctx, name, known[1], kept)
        if values and options.extended_dn is not None and name in _DNS:
            values = _extended(ctx, values, options)
        if values:
            shown.append((label, list(values)))
    return ResultEntry(b"", shown)


def _values(ctx: ReadContext, name: str, reader: Reader, kept: dict[str, list[bytes]]) -> list[bytes]:
    values = None if name in _VOLATILE else kept.get(name)
    if values is None:
        values = reader(ctx)
        if name not in _VOLATILE:
            kept[name] = values
    return values


def _extended(ctx: ReadContext, values: list[bytes], options: RequestOptions) -> list[bytes]:
    """DNs in the extended form. Spec: [MS-ADTS] 3.1.1.3.4.1.5."""
    shaper = Shaper(ctx, options)
    return [shaper.dn(names.resolve(ctx, value.decode())) for value in values]
