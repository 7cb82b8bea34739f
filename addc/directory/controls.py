"""What the controls of a request ask of the directory, free of any protocol's bytes.

Spec: [MS-ADTS] 3.1.1.3.4.1.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sorted search (RFC 2891). rule: OID of an ordering, "" for the attribute's own."""

    attribute: str
    rule: str = ""
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """How an operation is to be carried out, as its controls and its connection say.

    confidential: the connection encrypts with 128 bits or more. gc_port: it came to a global catalog port.
    sd_flags: parts of nTSecurityDescriptor, 0 for all four, None without the control.
    extended_dn: 0 hexadecimal, 1 dashed, None off.
    page_size: None without the paged results control. page_cookie: as handed out, b"" at the start.
    sort_critical: fail rather than return unsorted entries.
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
    permissive_modify: bool = False
    tree_delete: bool = False
    lazy_commit: bool = False
    verify_name: str | None = None
    policy_hints: bool = False
    bypass_quota_sid: bytes | None = None
    rodc_promo: bool = False
    force_update: bool = False


PLAIN: Final = RequestOptions()
"""No controls, in the clear."""
INTERNAL: Final = RequestOptions(confidential=True, domain_scope=True)
"""For searches that the DC makes for itself."""
