"""Cookies of pages come from clients: one that was rewritten tells no more than the search itself.

Spec: [MS-ADTS] 3.1.1.3.4.1.1, 3.1.1.4.3, 5.1.3.3.6.
"""

import hashlib
from dataclasses import replace
from functools import partial

import pytest

from addc.base.errors import DsError
from addc.codec.filter import Equal, Filter, Present, pack, parse_text
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names, owners
from addc.directory.controls import PLAIN, RequestOptions, SortKey
from addc.directory.plan_search import EqualRows
from addc.directory.search import ONE_LEVEL, SUBTREE, SearchRequest, SearchResult, search
from addc.schema import attr
from addc.security.token import Token
from tests.kit.corp import Corp
from tests.kit.corp_forest import CONFIG_DN
from tests.unit.directory.test_hidden_paths import set_dacl

HASH_SIZE = 12
EVERYONE = Present("cn")


def page(
    corp: Corp,
    who: Token,
    cookie: bytes = b"",
    base: str = "",
    wanted: Filter = EVERYONE,
    scope: int = SUBTREE,
) -> SearchResult:
    options = RequestOptions(confidential=True, page_size=2, page_cookie=cookie)
    request = SearchRequest(corp.dn(base), scope, wanted, ("1.1",), options=options)
    return corp.read(lambda ctx: search(ctx, request), who)


def forged(cookie: bytes, att: int, key: bytes) -> bytes:
    """The cookie, as if the pages walked an index by this key."""
    state = att.to_bytes(4, "big") + key
    return cookie[:HASH_SIZE] + EqualRows.kind + len(state).to_bytes(2, "big") + state + bytes(8)


@pytest.fixture
def alice(corp_sqlite: Corp) -> Token:
    corp_sqlite.user("alice")
    return corp_sqlite.token("alice")


def test_no_cookie_has_the_pages_walk_an_index_of_hidden_values(corp_sqlite: Corp, alice: Token) -> None:
    corp_sqlite.user("bob", sn="Secret")
    set_dacl(corp_sqlite, "CN=bob,CN=Users", "(A;;LC;;;AU)")
    cookie = page(corp_sqlite, alice).cookie
    assert cookie
    for att, key in ((attr.SN, b"secret"), (owners.OWNER_INDEX & 0xFFFF_FFFF, b"")):
        with pytest.raises(DsError) as refused:
            page(corp_sqlite, alice, forged(cookie, att, key))
        assert refused.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


def test_pages_along_an_index_of_the_filter_go_on(corp_sqlite: Corp, alice: Token) -> None:
    wanted = parse_text("(&(objectCategory=group)(cn=*))")
    cookie = page(corp_sqlite, alice, wanted=wanted).cookie
    assert cookie
    group = names.reference(corp_sqlite.row(f"CN=Group,CN=Schema,{CONFIG_DN}").dnt)
    along = forged(cookie, attr.OBJECT_CATEGORY, group)
    assert len(page(corp_sqlite, alice, along, wanted=wanted).entries) == 2


def cookie_for(corp: Corp, who: Token, base: str) -> bytes:
    """What the first page below a base would have brought, made by somebody who guesses its row."""
    row = corp.row(base)
    options = PLAIN
    text = f"{row.dnt} {SUBTREE} {who.user} ('1.1',) {options.sort_keys} False None False False False False "
    return hashlib.sha256(text.encode() + pack(Present("cn"))).digest()[:HASH_SIZE] + b"S" + bytes(2)


@pytest.fixture
def hidden(corp_sqlite: Corp, alice: Token) -> str:
    """A container that alice cannot see, nor anything in it."""
    corp_sqlite.add("OU=vault", "organizationalUnit")
    corp_sqlite.add("CN=safe,OU=vault", "container")
    set_dacl(corp_sqlite, "OU=vault", "")
    set_dacl(corp_sqlite, "CN=safe,OU=vault", "")
    return "CN=safe,OU=vault"


@pytest.mark.parametrize(
    "asked",
    [
        SearchRequest("", SUBTREE, options=RequestOptions(page_size=2, page_cookie=b"x" * 40)),
        SearchRequest("", SUBTREE, options=RequestOptions(page_size=2, page_cookie=b"")),
        SearchRequest("", SUBTREE, Equal("canonicalName", b"x")),
        SearchRequest("", ONE_LEVEL, attributes=("tokenGroups",)),
        SearchRequest(
            "", SUBTREE, options=RequestOptions(sort_keys=(SortKey("member"),), sort_critical=True)
        ),
        SearchRequest("", SUBTREE, options=RequestOptions(asq_attribute="member", asq_critical=True)),
    ],
)
def test_a_hidden_base_answers_like_one_that_is_not_there(
    corp_sqlite: Corp, alice: Token, hidden: str, asked: SearchRequest
) -> None:
    told = []
    for name in (hidden, hidden.replace("safe", "none")):
        request = replace(asked, base=corp_sqlite.dn(name))
        with pytest.raises(DsError) as refused:
            corp_sqlite.read(partial(search, request=request), alice)
        told.append((refused.value.code, refused.value.matched_dn))
    assert told[0] == told[1]


def test_a_guessed_cookie_does_not_tell_of_a_hidden_base(
    corp_sqlite: Corp, alice: Token, hidden: str
) -> None:
    with pytest.raises(DsError) as refused:
        page(corp_sqlite, alice, cookie_for(corp_sqlite, alice, hidden), base=hidden)
    assert refused.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND
