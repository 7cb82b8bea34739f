"""Searches of a kit forest in one line."""

from collections.abc import Sequence

from addc.codec.filter import parse_text
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.search import SUBTREE, SearchRequest, SearchResult, search
from addc.schema import attr
from addc.security.token import SYSTEM, Token
from tests.kit.forest import CONFIG_DN, ForestBuilder, KitForest

POLICY_DN = (
    f"CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"
)


def ask(
    forest: KitForest,
    base: str,
    scope: int = SUBTREE,
    wanted: str = "(objectClass=*)",
    attributes: Sequence[str] = ("cn",),
    *,
    options: RequestOptions = PLAIN,
    who: Token = SYSTEM,
    types_only: bool = False,
    size_limit: int = 0,
    time_limit_s: int = 0,
) -> SearchResult:
    """What a search returns."""
    request = SearchRequest(
        base, scope, parse_text(wanted), tuple(attributes), types_only, size_limit, time_limit_s, options
    )
    return forest.read(lambda ctx: search(ctx, request), who)


def order_of(result: SearchResult) -> list[str]:
    """RDN values of the entries as they came."""
    return [entry.dn.decode().partition(",")[0].partition("=")[2] for entry in result.entries]


def values_of(result: SearchResult) -> dict[str, list[bytes]]:
    """The attributes of the only entry."""
    assert len(result.entries) == 1
    return {name.decode(): values for name, values in result.entries[0].attributes}


def set_limits(forest: KitForest, *limits: str) -> None:
    """Let the default query policy say this and nothing else."""

    def change(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(POLICY_DN))
        assert row is not None
        b.tx.update(row, attrs={**row.attrs, attr.LDAP_ADMIN_LIMITS: tuple(one.encode() for one in limits)})

    forest.build(change)
