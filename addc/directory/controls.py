"""What the controls of a request ask of the directory, free of any protocol's bytes.

Spec: [MS-ADTS] 3.1.1.3.4.1.
"""

from dataclasses import dataclass, field
from typing import Final

from addc.codec.ids import Sid

TREE_DELETE_MAX: Final = 16_384
"""Objects that one tree deletion takes at most. Spec: [MS-ADTS] 3.1.1.3.4.1.15."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sorted search (RFC 2891). rule: OID of an ordering, "" for the attribute's own."""

    attribute: str
    rule: str = ""
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class ListView:
    """A window of a sorted search, around a target (virtual list view).

    offset, content_count: the target by position. value: the target by assertion, None for a position.
    context_id: as handed out with an earlier window of the list, None at the start.
    critical: fail rather than return the list without a window.
    Spec: [MS-ADTS] 3.1.1.3.4.1.17.
    """

    before: int
    after: int
    offset: int = 0
    content_count: int = 0
    value: bytes | None = None
    context_id: bytes | None = None
    critical: bool = False


@dataclass(frozen=True, slots=True)
class DirSync:
    """What changed since a cookie, b"" for everything.

    flags: LDAP_DIRSYNC_ bits. max_bytes: of the answer. extended: LDAP_SERVER_DIRSYNC_EX_OID.
    Spec: [MS-ADTS] 3.1.1.3.4.1.3, 3.1.1.3.4.1.29.
    """

    flags: int = 0
    max_bytes: int = 0
    cookie: bytes = b""
    extended: bool = False


@dataclass(slots=True)
class UsnNote:
    """The highest USN that one operation drew; 0 while it drew none."""

    usn: int = 0


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """How an operation is to be carried out, as its controls and its connection say.

    confidential: the connection encrypts with 128 bits or more. gc_port: it came to a global catalog port.
    sd_flags: parts of nTSecurityDescriptor, 0 for all four, None without the control.
    extended_dn: 0 hexadecimal, 1 dashed, None off.
    notification: the search stays and reports changes.
    statistics: flags of what the client wants to know of the search, None for nothing.
    expected_entries: how many entries make a search succeed, at least and at most.
    sort_index_only: sort by an index or not at all. soft_size_limit: as many sorted entries, and those equal
    to the last one. usn_note: takes down the highest USN that a write draws.
    page_size: None without the paged results control. page_cookie: as handed out, b"" at the start.
    sort_critical: fail rather than return unsorted entries.
    asq_attribute: search what this attribute of the base object names; asq_critical: or fail.
    dn_input: the security principal that msDS-IsUserCachableAtRodc is asked for.
    quota_sid: whose quota is asked for, the requester's without it.
    schema_upgrade: fSchemaUpgradeInProgress of the connection ([MS-ADTS] 3.1.1.3.3.14).
    set_owner: who is to own a new object. bypass_quota: quotas do not hold for who may do that.
    crossdom_target: host name of the DC of another domain to move an object to, "" to ask if it could be.
    over_sam: the values of a new account were chosen by SAM.
    """

    confidential: bool = False
    gc_port: bool = False
    sd_flags: int | None = None
    show_deleted: bool = False
    show_recycled: bool = False
    show_deactivated_link: bool = False
    extended_dn: int | None = None
    domain_scope: bool = False
    phantom_root: bool = False
    range_noerr: bool = False
    link_ttl: bool = False
    page_size: int | None = None
    page_cookie: bytes = b""
    sort_keys: tuple[SortKey, ...] = ()
    sort_critical: bool = False
    list_view: ListView | None = None
    asq_attribute: str | None = None
    asq_critical: bool = False
    dn_input: str | None = None
    quota_sid: Sid | None = None
    dirsync: DirSync | None = None
    permissive_modify: bool = False
    tree_delete: bool = False
    tree_delete_max: int = TREE_DELETE_MAX
    lazy_commit: bool = False
    verify_name: str | None = None
    policy_hints: bool = False
    set_owner: Sid | None = None
    bypass_quota: bool = False
    crossdom_target: str | None = None
    rodc_promo: bool = False
    force_update: bool = False
    schema_upgrade: bool = False
    notification: bool = False
    statistics: int | None = None
    correlation_id: bytes = bytes(16)
    expected_entries: tuple[int, int] | None = None
    sort_index_only: bool = False
    soft_size_limit: int | None = None
    over_sam: bool = False
    usn_note: UsnNote | None = field(default=None, compare=False)


PLAIN: Final = RequestOptions()
"""No controls, in the clear."""
INTERNAL: Final = RequestOptions(confidential=True, domain_scope=True)
"""For searches that the DC makes for itself."""
