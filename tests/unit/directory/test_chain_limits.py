"""Chains of links in a filter take no more time than a search may. Spec: [MS-ADTS] 3.1.1.3.4.6."""

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DsError
from addc.codec.filter import Extensible, Or
from addc.codes.ldap_result import LdapResult
from addc.directory.context import Home, ReadContext, Shared
from addc.directory.matching_rules import TRANSITIVE_EVAL
from addc.directory.search import SUBTREE, SearchRequest, search
from addc.security.token import SYSTEM
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN

NAMES = ("Domain Admins", "Domain Users", "Domain Guests", "Domain Computers")
GROUPS = [f"CN={name},CN=Users,{DOMAIN_DN}".encode() for name in NAMES]


class HurriedClock:
    """A minute passes at every look."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> FileTime:
        self.looks += 1
        return FileTime(self.looks * 60 * TICKS_PER_S)


@pytest.mark.parametrize(("time_limit_s", "walks"), [(0, 3), (30, 1), (70, 2)])
def test_no_chain_is_walked_when_the_time_is_over(corp_sqlite: Corp, time_limit_s: int, walks: int) -> None:
    chains = Or(tuple(Extensible(TRANSITIVE_EVAL, "memberOf", group, False) for group in GROUPS * 2))
    request = SearchRequest(DOMAIN_DN, SUBTREE, chains, time_limit_s=time_limit_s)
    clock = HurriedClock()
    with corp_sqlite.store.read() as tx, pytest.raises(DsError) as refused:
        home = Home(corp_sqlite.forest, Shared(), clock)
        search(ReadContext(tx, corp_sqlite.schema, SYSTEM, corp_sqlite.now, home), request)
    assert refused.value.ldap_result == LdapResult.TIME_LIMIT_EXCEEDED
    assert clock.looks == walks + 1
