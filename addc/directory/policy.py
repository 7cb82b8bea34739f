"""Limits and switches that administrators set in the directory: lDAPAdminLimits and dSHeuristics.

Spec: [MS-ADTS] 3.1.1.3.4.6 (LDAP policies), 6.1.1.2.4.1.2 (dSHeuristics).
"""

from dataclasses import dataclass, fields
from ipaddress import IPv4Address
from typing import Final

from addc.base.errors import DsError
from addc.directory import entry, names
from addc.directory.context import Fact, ReadContext
from addc.directory.sites import own_site
from addc.schema import attr
from addc.store.objects import ObjectRow


@dataclass(frozen=True, slots=True)
class QueryPolicy:
    """The LDAP policies in force; each field is the policy's name in snake case.

    Times in seconds, buffers in bytes.
    """

    init_recv_timeout: int = 120
    max_conn_idle_time: int = 900
    max_connections: int = 5000
    max_datagram_recv: int = 4096
    max_notification_per_conn: int = 5
    max_page_size: int = 1000
    max_pool_threads: int = 4
    max_query_duration: int = 120
    max_receive_buffer: int = 10_485_760
    max_pre_auth_receive_buffer: int = 262_144
    max_result_set_size: int = 262_144
    max_temp_table_size: int = 10_000
    max_val_range: int = 1500
    max_result_sets_per_conn: int = 10
    min_result_sets: int = 3
    max_batch_return_messages: int = 1100
    max_percent_dir_sync_requests: int = 100
    max_val_range_transitive: int = 4500
    max_dir_sync_duration: int = 60


POLICY_FIELDS: Final = {
    "".join(part.capitalize() for part in field.name.split("_")): field.name for field in fields(QueryPolicy)
}
"""Field of QueryPolicy by policy name."""
POLICY_NAMES: Final = tuple(POLICY_FIELDS)
"""supportedLDAPPolicies."""

_UPPER_BOUNDS: Final = {
    "max_page_size": 20_000,
    "max_val_range": 5_000,
    "max_receive_buffer": 20_971_520,
    "max_query_duration": 1_200,
    "max_temp_table_size": 100_000,
    "max_conn_idle_time": 86_400,
}
"""Values above these count only with fLDAPBypassUpperBoundsOnLimits; the bounds are the implementation's."""


@dataclass(frozen=True, slots=True)
class Heuristics:
    """dSHeuristics, one field for each character that this DC knows an effect of.

    Spec: [MS-ADTS] 6.1.1.2.4.1.2.
    """

    sup_first_last_anr: bool = False
    sup_last_first_anr: bool = False
    do_list_object: bool = False
    ldap_use_perm_mod: bool = False
    ldap_block_anon_ops: bool = True
    user_pwd_support: bool = False
    specify_guid_on_add: bool = False
    dont_standardize_sds: bool = False
    admin_sd_ex_mask: int = 0
    kvno_emu_w2k: bool = False
    bypass_upper_bounds_on_limits: bool = False
    disable_auto_indexing: str = "0"
    do_not_verify_upn_spn_uniqueness: int = 0
    treat_token_groups_as_transitive: bool = False
    attribute_authorization_on_ldap_add: int = 0
    block_owner_implicit_rights: int = 0
    confidential_without_encryption: int = 0

    @classmethod
    def parse(cls, text: str) -> "Heuristics":
        """The string as stored; absent characters have their defaults."""

        def at(number: int) -> str:
            return text[number - 1] if len(text) >= number else "0"

        return cls(
            sup_first_last_anr=at(1) != "0",
            sup_last_first_anr=at(2) != "0",
            do_list_object=at(3) == "1",
            ldap_use_perm_mod=at(5) != "0",
            ldap_block_anon_ops=at(7) != "2",
            user_pwd_support=at(9) not in "02",
            specify_guid_on_add=at(11) != "0",
            dont_standardize_sds=at(12) != "0",
            admin_sd_ex_mask=_digit(at(16), 16),
            kvno_emu_w2k=at(17) != "0",
            bypass_upper_bounds_on_limits=at(18) != "0",
            disable_auto_indexing=at(19),
            do_not_verify_upn_spn_uniqueness=_digit(at(21), 10),
            treat_token_groups_as_transitive=at(27) != "0",
            attribute_authorization_on_ldap_add=_zero_to_three(at(28)),
            block_owner_implicit_rights=_zero_to_three(at(29)),
            confidential_without_encryption=_digit(at(31), 10),
        )


def _digit(character: str, base: int) -> int:
    try:
        return int(character, base)
    except ValueError:
        return 0


def _zero_to_three(character: str) -> int:
    return int(character) if character in "0123" else 1


_SETTINGS: Final[Fact[dict[str, int]]] = Fact()
_DENIED: Final[Fact[tuple[tuple[int, int], ...]]] = Fact()
_LIMITS: Final[Fact[QueryPolicy]] = Fact()
_HEURISTICS: Final[Fact[Heuristics]] = Fact()

_DIRECTORY_SERVICE: Final = "CN=Directory Service,CN=Windows NT,CN=Services,"
_DEFAULT_POLICY: Final = "CN=Default Query Policy,CN=Query-Policies,"


def directory_service(ctx: ReadContext) -> ObjectRow | None:
    """The nTDSService object, where dSHeuristics and tombstoneLifetime stand."""
    return _object(ctx, _DIRECTORY_SERVICE + ctx.forest.config_dn)


def _object(ctx: ReadContext, dn: str) -> ObjectRow | None:
    try:
        return names.resolve(ctx, dn)
    except DsError:
        return None


def heuristics(ctx: ReadContext) -> Heuristics:
    """The forest's dSHeuristics."""
    return _HEURISTICS.get(ctx, ctx.tx.seq, lambda: _read_heuristics(ctx))


def _read_heuristics(ctx: ReadContext) -> Heuristics:
    service = directory_service(ctx)
    return Heuristics.parse("" if service is None else entry.text(service, attr.DS_HEURISTICS) or "")


def configurable_settings(ctx: ReadContext) -> dict[str, int]:
    """The numbers in msDS-Other-Settings, by name in lower case. Spec: [MS-ADTS] 3.1.1.3.4.7."""
    return _SETTINGS.get(ctx, ctx.tx.seq, lambda: _read_settings(ctx))


def _read_settings(ctx: ReadContext) -> dict[str, int]:
    service = directory_service(ctx)
    found: dict[str, int] = {}
    for value in () if service is None else entry.texts(service, attr.MS_DS_OTHER_SETTINGS):
        name, _, number = value.partition("=")
        if number.strip().isdecimal():
            found[name.strip().lower()] = int(number)
    return found


def denied_sources(ctx: ReadContext) -> tuple[tuple[int, int], ...]:
    """lDAPIPDenyList: IPv4 networks as address and mask whose connections are refused.

    Spec: [MS-ADTS] 3.1.1.3.4.8.
    """
    return _DENIED.get(ctx, ctx.tx.seq, lambda: _read_denied(ctx))


def _read_denied(ctx: ReadContext) -> tuple[tuple[int, int], ...]:
    holder = policy_object(ctx)
    found = []
    for value in () if holder is None else entry.texts(holder, attr.LDAPIP_DENY_LIST):
        try:
            address, mask = map(IPv4Address, value.split())
        except ValueError:
            continue  # nothing that any connection could match
        found.append((int(address), int(mask)))
    return tuple(found)


def limits(ctx: ReadContext) -> QueryPolicy:
    """The LDAP policies of this DC."""
    return _LIMITS.get(ctx, ctx.tx.seq, lambda: _read_limits(ctx))


def policy_object(ctx: ReadContext) -> ObjectRow | None:
    """The queryPolicy object of the DC, else of its site, else the forest's default."""
    site_settings = f"CN=NTDS Site Settings,CN={own_site(ctx)},CN=Sites,{ctx.forest.config_dn}"
    for holder in (ctx.tx.get(ctx.forest.dsa_dnt), _object(ctx, site_settings)):
        named = None if holder is None else entry.reference(holder, attr.QUERY_POLICY_OBJECT)
        found = None if named is None else ctx.tx.get(named)
        if found is not None:
            return found
    return _object(ctx, _DEFAULT_POLICY + _DIRECTORY_SERVICE + ctx.forest.config_dn)


def _read_limits(ctx: ReadContext) -> QueryPolicy:
    holder = policy_object(ctx)
    if holder is None:
        return QueryPolicy()
    return parse_limits(
        entry.texts(holder, attr.LDAP_ADMIN_LIMITS), heuristics(ctx).bypass_upper_bounds_on_limits
    )


def parse_limits(values: list[str], bypass_upper_bounds: bool = False) -> QueryPolicy:
    """The policies of "name=value" strings; unknown names and bad numbers keep the default."""
    known = {name.lower(): field for name, field in POLICY_FIELDS.items()}
    chosen: dict[str, int] = {}
    for value in values:
        name, _, number = value.partition("=")
        field = known.get(name.strip().lower())
        if field is None or not number.strip().isdecimal():
            continue
        amount = int(number)
        bound = _UPPER_BOUNDS.get(field)
        chosen[field] = bound if bound is not None and amount > bound and not bypass_upper_bounds else amount
    return QueryPolicy(**chosen)
