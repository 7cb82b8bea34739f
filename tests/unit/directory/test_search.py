"""Searching: scopes, three-valued filters, limits, pages, ranges, what deleted and foreign parts show."""

from uuid import UUID

import pytest

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import search as search_module
from addc.directory.controls import RequestOptions, SortKey
from addc.directory.search import BASE, ONE_LEVEL, SUBTREE, SearchResult, compare
from addc.security.token import ANONYMOUS, SYSTEM
from addc.store.objects import ObjectState
from tests.kit.forest import (
    CONFIG_DN,
    DOMAIN_DN,
    DOMAIN_LOCAL,
    DOMAIN_SID,
    SCHEMA_DN,
    USERS_DN,
    ForestBuilder,
    KitForest,
)
from tests.kit.searching import ask

ALICE = f"CN=alice,{USERS_DN}"
BOB = f"CN=bob,{USERS_DN}"


def names_of(result: SearchResult) -> list[str]:
    """RDN values of the entries, sorted."""
    return sorted(entry.dn.decode().partition(",")[0].partition("=")[2] for entry in result.entries)


def values_of(result: SearchResult) -> dict[str, list[bytes]]:
    assert len(result.entries) == 1
    return {name.decode(): values for name, values in result.entries[0].attributes}


# --- scope and base ---


def test_scopes(forest: KitForest) -> None:
    forest.build(lambda b: b.add(f"CN=below,{ALICE}", "container"))
    assert names_of(ask(forest, ALICE, BASE)) == ["alice"]
    assert names_of(ask(forest, ALICE, ONE_LEVEL)) == ["below"]
    assert names_of(ask(forest, ALICE, SUBTREE)) == ["alice", "below"]


def test_a_search_stays_in_its_naming_context(forest: KitForest) -> None:
    found = ask(forest, DOMAIN_DN, SUBTREE, "(objectClass=configuration)")
    assert found.entries == []
    assert names_of(ask(forest, CONFIG_DN, BASE)) == ["Configuration"]
    assert "Configuration" not in names_of(ask(forest, DOMAIN_DN, ONE_LEVEL))


def test_continuations_name_the_contexts_below(sqlite_forest: KitForest) -> None:
    urls = ask(sqlite_forest, DOMAIN_DN).referrals
    assert f"ldap://example.com/{CONFIG_DN}" in urls
    assert "ldap://DomainDnsZones.example.com/DC=DomainDnsZones," + DOMAIN_DN in urls
    assert "ldap://child.example.com/DC=child," + DOMAIN_DN in urls
    assert not any(SCHEMA_DN in url for url in urls), "the schema is below the configuration"
    one_level = ask(sqlite_forest, DOMAIN_DN, ONE_LEVEL).referrals
    assert f"ldap://example.com/{CONFIG_DN}??base" in one_level
    assert ask(sqlite_forest, USERS_DN).referrals == []
    assert ask(sqlite_forest, DOMAIN_DN, options=RequestOptions(domain_scope=True)).referrals == []


@pytest.mark.parametrize(
    ("base", "urls"),
    [
        ("CN=x,DC=child," + DOMAIN_DN, ("ldap://child.example.com/CN=x,DC=child," + DOMAIN_DN,)),
        ("CN=a b,DC=else,DC=where", ("ldap://else.where/CN=a%20b,DC=else,DC=where",)),
    ],
)
def test_other_contexts_are_referred_to(sqlite_forest: KitForest, base: str, urls: tuple[str, ...]) -> None:
    with pytest.raises(DsError) as caught:
        ask(sqlite_forest, base)
    assert caught.value.code == Win32.ERROR_DS_REFERRAL
    assert caught.value.referrals == urls


def test_a_missing_base_tells_the_nearest_ancestor(sqlite_forest: KitForest) -> None:
    with pytest.raises(DsError) as caught:
        ask(sqlite_forest, f"CN=x,{USERS_DN}", BASE)
    assert caught.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND
    assert caught.value.matched_dn == USERS_DN


def test_the_empty_base_is_the_root_dse_and_nothing_else(sqlite_forest: KitForest) -> None:
    assert ask(sqlite_forest, "", BASE, attributes=()).entries[0].dn == b""
    with pytest.raises(DsError) as caught:
        ask(sqlite_forest, "", SUBTREE)
    assert caught.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND


def test_anonymous_reads_the_root_dse_only(sqlite_forest: KitForest) -> None:
    assert ask(sqlite_forest, "", BASE, attributes=(), who=ANONYMOUS).entries
    for base in (DOMAIN_DN, ALICE, "", "CN=nowhere"):
        with pytest.raises(DsError) as caught:
            ask(sqlite_forest, base, SUBTREE, who=ANONYMOUS)
        assert (caught.value.code, caught.value.ldap_result) == (
            Win32.ERROR_NOT_AUTHENTICATED,
            LdapResult.OPERATIONS_ERROR,
        )


def test_anonymous_searches_once_an_administrator_says_so(sqlite_forest: KitForest) -> None:
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"

    def allow(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(service))
        assert row is not None
        attribute = b.schema.attribute("dSHeuristics")
        assert attribute is not None
        b.tx.update(row, attrs={**row.attrs, attribute.att_id: (b"0000002",)})

    sqlite_forest.build(allow)
    assert ask(sqlite_forest, DOMAIN_DN, BASE, who=ANONYMOUS).entries[0].attributes == []


# --- filters ---


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("(cn=ALICE)", ["alice"]),
        ("(mail=alice@example.com)", ["alice"]),
        ("(sAMAccountName=al*)", ["alice"]),
        ("(displayName=*a*dam*)", ["alice"]),
        ("(displayName=*Adams)", ["alice"]),
        ("(displayName=a*e*s)", ["alice"]),
        ("(displayName=a*zz*s)", []),
        ("(&(objectClass=user)(sn=b*))", ["bob"]),
        ("(|(cn=alice)(cn=bob))", ["alice", "bob"]),
        ("(&(objectCategory=person)(|(sn=Adams)(givenName=bob)))", ["alice", "bob"]),
        (f"(objectCategory=CN=Person,{SCHEMA_DN})", ["Administrator", "alice", "bob"]),
        ("(objectCategory=user)", ["Administrator", "alice", "bob"]),
        ("(&(objectClass=user)(!(mail=*)))", ["Administrator", "bob"]),
        ("(&(objectClass=user)(!(sn=Adams)))", ["Administrator", "bob"]),
        ("(primaryGroupID>=513)", ["Administrator", "alice", "bob"]),
        ("(primaryGroupID<=512)", []),
        ("(userAccountControl:1.2.840.113556.1.4.803:=512)", ["Administrator", "alice", "bob"]),
        ("(userAccountControl:1.2.840.113556.1.4.803:=514)", []),
        ("(userAccountControl:1.2.840.113556.1.4.804:=514)", ["Administrator", "alice", "bob"]),
        (f"(distinguishedName={ALICE})", ["alice"]),
        (f"(objectSid={DOMAIN_SID.child(1102)})", ["bob"]),
        (f"(member={USERS_DN})", []),
        (f"(member=CN=Administrator,{USERS_DN})", ["Domain Admins"]),
        (f"(memberOf=CN=Domain Admins,{USERS_DN})", ["Administrator"]),
        (
            f"(memberOf:1.2.840.113556.1.4.1941:=CN=Administrators,{USERS_DN})",
            ["Administrator", "Domain Admins"],
        ),
        (
            f"(member:1.2.840.113556.1.4.1941:=CN=Administrator,{USERS_DN})",
            ["Administrators", "Domain Admins"],
        ),
        ("(&(memberOf=*)(objectClass=user))", ["Administrator"]),
        ("(anr=Adams)", ["alice"]),
        ("(anr=Alice A)", ["alice"]),
        ("(anr=Bob Brown)", ["bob"]),
        ("(anr=Brown Bob)", ["bob"]),
        ("(anr==Alice)", ["alice"]),
        ("(anr==Ali)", []),
        ("(whenCreated>=20200101000000.0Z)", None),
        ("(whenCreated>=20990101000000.0Z)", []),
        ("(&(uSNChanged>=1)(cn=alice))", ["alice"]),
        ("(uSNChanged>=100000)", []),
        ("(sn~=adams)", ["alice"]),
        ("(cn:=alice)", ["alice"]),
        ("(&)", None),
        ("(|)", []),
    ],
)
def test_filters(shared_forest: KitForest, wanted: str, found: list[str] | None) -> None:
    answer = names_of(ask(shared_forest, DOMAIN_DN, SUBTREE, wanted))
    if found is None:
        assert {"alice", "bob"} <= set(answer)
    else:
        assert answer == found


@pytest.mark.parametrize(
    "term",
    [
        "(noSuchAttribute=x)",
        "(noSuchAttribute=*)",
        "(isDeleted=perhaps)",
        "(primaryGroupID=many)",
        "(objectClass=noSuchClass)",
        "(member=not a name)",
        "(:1.2.840.113556.1.4.803:=1)",
        "(cn:1.2.3:=alice)",
        "(cn:1.2.840.113556.1.4.803:=1)",
        "(cn:1.2.840.113556.1.4.1941:=CN=x)",
    ],
)
def test_undefined_is_neither_true_nor_false(shared_forest: KitForest, term: str) -> None:
    alice = "(cn=alice)"
    assert ask(shared_forest, DOMAIN_DN, SUBTREE, term).entries == []
    assert ask(shared_forest, DOMAIN_DN, SUBTREE, f"(!{term})").entries == []
    assert ask(shared_forest, DOMAIN_DN, SUBTREE, f"(&{alice}{term})").entries == []
    assert ask(shared_forest, DOMAIN_DN, SUBTREE, f"(&{alice}(!{term}))").entries == []
    assert names_of(ask(shared_forest, DOMAIN_DN, SUBTREE, f"(|{term}{alice})")) == ["alice"]


def test_constructed_attributes_cannot_be_searched_for(sqlite_forest: KitForest) -> None:
    with pytest.raises(DsError) as caught:
        ask(sqlite_forest, DOMAIN_DN, SUBTREE, "(canonicalName=example.com/)")
    assert caught.value.code == Win32.ERROR_DS_INAPPROPRIATE_MATCHING


def test_object_guid_as_octets_and_as_text(sqlite_forest: KitForest) -> None:
    guid = sqlite_forest.row(ALICE).guid
    octets = "".join(f"\\{byte:02x}" for byte in guid)
    assert names_of(ask(sqlite_forest, DOMAIN_DN, SUBTREE, f"(objectGUID={octets})")) == ["alice"]
    text = f"(objectGUID={UUID(bytes_le=guid)})"
    assert names_of(ask(sqlite_forest, DOMAIN_DN, SUBTREE, text)) == ["alice"]


@pytest.mark.parametrize(
    "wanted", ["(objectGUID=*)", "(objectSid=*)", r"(objectSid=\01\05\00*)", "(nTSecurityDescriptor=*)"]
)
def test_what_the_row_keeps_outside_its_attributes_is_found_too(
    shared_forest: KitForest, wanted: str
) -> None:
    assert {"alice", "bob"} <= set(names_of(ask(shared_forest, DOMAIN_DN, SUBTREE, wanted)))


def test_no_endless_attribute_list_is_remembered(sqlite_forest: KitForest) -> None:
    for number in range(3):
        names = (*(f"unknown{number}x{count}" for count in range(200)), "cn")
        found = ask(sqlite_forest, ALICE, BASE, attributes=names).entries[0]
        assert found.attributes == [(b"cn", [b"alice"])]
    kept = sqlite_forest.read(lambda ctx: list(ctx.shared.selections))
    assert not any("unknown0x0" in str(one) for one in kept)


# --- what is returned ---


def test_attribute_lists(sqlite_forest: KitForest) -> None:
    everything = values_of(ask(sqlite_forest, ALICE, BASE, attributes=()))
    assert {"cn", "objectClass", "name", "objectSid", "distinguishedName", "mail"} <= set(everything)
    assert not {"nTSecurityDescriptor", "canonicalName", "replPropertyMetaData"} & set(everything)
    assert values_of(ask(sqlite_forest, ALICE, BASE, attributes=("1.1",))) == {}
    both = values_of(ask(sqlite_forest, ALICE, BASE, attributes=("*", "canonicalName")))
    assert both.keys() - everything.keys() == {"canonicalName"}
    named = values_of(ask(sqlite_forest, ALICE, BASE, attributes=("MAIL", "2.5.4.3", "nonsense", "mail")))
    assert named == {"mail": [b"Alice@Example.com"], "cn": [b"alice"]}
    assert "canonicalName" in values_of(ask(sqlite_forest, ALICE, BASE, attributes=("+",)))


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [((), True), (("*",), True), (("*", "cn"), True), (("cn",), False), (("1.1",), False)],
)
def test_all_attributes_include_the_descriptor_when_parts_of_it_are_asked_for(
    shared_forest: KitForest, attributes: tuple[str, ...], shown: bool
) -> None:
    answer = values_of(
        ask(shared_forest, ALICE, BASE, attributes=attributes, options=RequestOptions(sd_flags=4))
    )
    assert ("nTSecurityDescriptor" in answer) is shown
    assert "nTSecurityDescriptor" not in values_of(ask(shared_forest, ALICE, BASE, attributes=attributes))


def test_types_only(sqlite_forest: KitForest) -> None:
    found = ask(sqlite_forest, ALICE, BASE, attributes=("mail", "telephoneNumber"), types_only=True)
    assert values_of(found) == {"mail": []}


def test_wildcard_brings_links_both_ways(sqlite_forest: KitForest) -> None:
    admin = values_of(ask(sqlite_forest, f"CN=Administrator,{USERS_DN}", BASE, attributes=("*",)))
    assert admin["memberOf"] == [f"CN=Domain Admins,{USERS_DN}".encode()]
    group = values_of(ask(sqlite_forest, f"CN=Domain Admins,{USERS_DN}", BASE, attributes=("*",)))
    assert group["member"] == [f"CN=Administrator,{USERS_DN}".encode()]


def test_extended_names(sqlite_forest: KitForest) -> None:
    row = sqlite_forest.row(f"CN=Administrator,{USERS_DN}")
    group = f"CN=Domain Admins,{USERS_DN}"
    found = ask(sqlite_forest, group, BASE, attributes=("member",), options=RequestOptions(extended_dn=1))
    sid = DOMAIN_SID.child(500)
    wanted = f"<GUID={UUID(bytes_le=row.guid)}>;<SID={sid}>;CN=Administrator,{USERS_DN}"
    assert values_of(found) == {"member": [wanted.encode()]}
    assert found.entries[0].dn.startswith(b"<GUID=")
    plain = ask(sqlite_forest, ALICE, BASE, attributes=("mail",), options=RequestOptions(extended_dn=0))
    assert plain.entries[0].dn.startswith(b"<GUID=" + sqlite_forest.row(ALICE).guid.hex().encode())


# --- ranges ---


def _big_group(b: ForestBuilder, members: int) -> str:
    dn = b.group("big", DOMAIN_SID.child(2000))
    for number in range(members):
        b.add(f"CN=m{number:05},{dn}", "container")
        b.link(dn, "member", f"CN=m{number:05},{dn}")
    return dn


def _limit_values(forest: KitForest, limit: int) -> None:
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"
    policy = f"CN=Default Query Policy,CN=Query-Policies,{service}"

    def work(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(policy))
        attribute = b.schema.attribute("lDAPAdminLimits")
        assert row is not None and attribute is not None
        limits = (b"MaxPageSize=4", b"MaxValRange=%d" % limit, b"MaxTempTableSize=50")
        b.tx.update(row, attrs={**row.attrs, attribute.att_id: limits})

    forest.build(work)


def test_range_retrieval(forest: KitForest) -> None:
    dn = forest.build(lambda b: _big_group(b, 7))
    _limit_values(forest, 3)
    first = values_of(ask(forest, dn, BASE, attributes=("member",)))
    assert first["member"] == []
    assert len(first["member;range=0-2"]) == 3
    second = values_of(ask(forest, dn, BASE, attributes=("member;range=3-*",)))
    assert list(second) == ["member;range=3-5"]
    last = values_of(ask(forest, dn, BASE, attributes=("member;range=6-*",)))
    assert list(last) == ["member;range=6-*"]
    inner = values_of(ask(forest, dn, BASE, attributes=("member;range=1-2",)))
    assert list(inner) == ["member;range=1-2"]
    everything = first["member;range=0-2"] + second["member;range=3-5"] + last["member;range=6-*"]
    assert len(set(everything)) == 7
    assert inner["member;range=1-2"] == everything[1:3]


def test_a_range_behind_the_end(sqlite_forest: KitForest) -> None:
    dn = f"CN=Domain Admins,{USERS_DN}"
    with pytest.raises(DsError) as caught:
        ask(sqlite_forest, dn, BASE, attributes=("member;range=1-*",))
    assert caught.value.ldap_result == LdapResult.OPERATIONS_ERROR
    quiet = RequestOptions(range_noerr=True)
    assert values_of(ask(sqlite_forest, dn, BASE, attributes=("member;range=1-*",), options=quiet)) == {}


def test_a_range_behind_the_end_of_ordinary_values_is_empty(sqlite_forest: KitForest) -> None:
    answer = values_of(ask(sqlite_forest, ALICE, BASE, attributes=("objectClass;range=9-*",)))
    assert answer == {"objectClass;range=9-*": []}


# --- limits, pages, order ---


def test_size_limits(sqlite_forest: KitForest) -> None:
    limited = ask(sqlite_forest, USERS_DN, ONE_LEVEL, size_limit=2)
    assert len(limited.entries) == 2
    assert limited.limit == Win32.ERROR_DS_SIZELIMIT_EXCEEDED
    exact = ask(sqlite_forest, USERS_DN, ONE_LEVEL, "(cn=alice)", size_limit=1)
    assert (len(exact.entries), exact.limit) == (1, None)
    _limit_values(sqlite_forest, 1500)
    by_policy = ask(sqlite_forest, USERS_DN, ONE_LEVEL)
    assert (len(by_policy.entries), by_policy.limit) == (4, Win32.ERROR_DS_SIZELIMIT_EXCEEDED)


def test_the_time_limit(sqlite_forest: KitForest) -> None:
    sqlite_forest.clock.step = 7 * TICKS_PER_S
    assert ask(sqlite_forest, DOMAIN_DN, time_limit_s=5).limit == Win32.ERROR_DS_TIMELIMIT_EXCEEDED
    assert ask(sqlite_forest, DOMAIN_DN, time_limit_s=100).limit is None


@pytest.mark.parametrize("scope", [ONE_LEVEL, SUBTREE])
@pytest.mark.parametrize(
    "wanted", ["(objectClass=*)", "(objectClass=user)", "(|(cn=a*)(cn=d*)(cn=b*))", "(cn=*)"]
)
def test_pages_add_up(forest: KitForest, wanted: str, scope: int) -> None:
    whole = ask(forest, USERS_DN, scope, wanted)
    pages: list[bytes] = []
    cookie = b""
    for _ in range(50):
        page = ask(forest, USERS_DN, scope, wanted, options=RequestOptions(page_size=2, page_cookie=cookie))
        assert len(page.entries) <= 2
        pages += [entry.dn for entry in page.entries]
        assert page.cookie is not None
        cookie = page.cookie
        if not cookie:
            break
    assert sorted(pages) == sorted(entry.dn for entry in whole.entries)
    assert len(set(pages)) == len(pages)


def test_pages_go_on_after_writes_between_them(forest: KitForest) -> None:
    options = RequestOptions(page_size=3)
    first = ask(forest, USERS_DN, ONE_LEVEL, options=options)
    forest.build(lambda b: b.add(f"CN=zzz,{USERS_DN}", "container"))
    seen = names_of(first)
    cookie = first.cookie
    while cookie:
        page = ask(forest, USERS_DN, ONE_LEVEL, options=RequestOptions(page_size=3, page_cookie=cookie))
        seen += names_of(page)
        cookie = page.cookie
    assert len(set(seen)) == len(seen)
    assert {"alice", "bob", "zzz"} <= set(seen)


def test_a_cookie_is_good_for_its_own_search_and_requester_only(sqlite_forest: KitForest) -> None:
    cookie = ask(sqlite_forest, USERS_DN, ONE_LEVEL, options=RequestOptions(page_size=1)).cookie
    assert cookie
    again = RequestOptions(page_size=1, page_cookie=cookie)
    assert ask(sqlite_forest, USERS_DN, ONE_LEVEL, options=again).entries
    other = sqlite_forest.token(ALICE)
    for base, wanted, who in (
        (USERS_DN, "(cn=*)", SYSTEM),
        (DOMAIN_DN, "(objectClass=*)", SYSTEM),
        (USERS_DN, "(objectClass=*)", other),
    ):
        with pytest.raises(DsError) as caught:
            ask(sqlite_forest, base, ONE_LEVEL, wanted, options=again, who=who)
        assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    with pytest.raises(DsError):
        ask(sqlite_forest, USERS_DN, ONE_LEVEL, options=RequestOptions(page_size=1, page_cookie=b"junk"))


def test_page_size_zero_ends_the_search(sqlite_forest: KitForest) -> None:
    cookie = ask(sqlite_forest, USERS_DN, ONE_LEVEL, options=RequestOptions(page_size=1)).cookie
    assert cookie
    done = ask(sqlite_forest, USERS_DN, ONE_LEVEL, options=RequestOptions(page_size=0, page_cookie=cookie))
    assert (done.entries, done.cookie) == ([], b"")


def test_sorting(sqlite_forest: KitForest) -> None:
    by_sn = RequestOptions(sort_keys=(SortKey("sn"),))
    found = ask(sqlite_forest, USERS_DN, ONE_LEVEL, "(objectClass=user)", options=by_sn)
    order = [entry.dn.decode().partition(",")[0] for entry in found.entries]
    assert order == ["CN=alice", "CN=bob", "CN=Administrator"], "those without a value come last"
    assert found.sort_result == LdapResult.SUCCESS
    backwards = RequestOptions(sort_keys=(SortKey("cn", reverse=True),))
    found = ask(sqlite_forest, USERS_DN, ONE_LEVEL, "(objectClass=user)", options=backwards)
    assert [entry.dn.decode()[3:6] for entry in found.entries] == ["bob", "ali", "Adm"]


def test_sorted_pages(sqlite_forest: KitForest) -> None:
    seen: list[bytes] = []
    cookie = b""
    while True:
        options = RequestOptions(sort_keys=(SortKey("cn"),), page_size=2, page_cookie=cookie)
        page = ask(sqlite_forest, USERS_DN, ONE_LEVEL, options=options)
        seen += [entry.dn.lower() for entry in page.entries]
        if not page.cookie:
            break
        cookie = page.cookie
    assert seen == sorted(seen)
    assert len(seen) == len(ask(sqlite_forest, USERS_DN, ONE_LEVEL).entries)


def test_what_cannot_be_sorted_by(sqlite_forest: KitForest) -> None:
    lax = ask(sqlite_forest, USERS_DN, ONE_LEVEL, options=RequestOptions(sort_keys=(SortKey("nonsense"),)))
    assert lax.sort_result == LdapResult.NO_SUCH_ATTRIBUTE
    assert lax.entries
    strict = RequestOptions(sort_keys=(SortKey("nonsense"),), sort_critical=True)
    with pytest.raises(DsError) as caught:
        ask(sqlite_forest, USERS_DN, ONE_LEVEL, options=strict)
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


# --- deleted objects, the global catalog ---


def test_deleted_objects_need_their_control(forest: KitForest) -> None:
    dn = f"CN=gone,CN=Deleted Objects,{DOMAIN_DN}"
    forest.build(lambda b: b.add(dn, "user", {"isDeleted": "TRUE"}, state=ObjectState.DELETED))
    recycled = f"CN=old,CN=Deleted Objects,{DOMAIN_DN}"
    forest.build(lambda b: b.add(recycled, "user", {"isDeleted": "TRUE"}, state=ObjectState.RECYCLED))
    wanted = "(|(cn=gone)(cn=old))"
    assert ask(forest, DOMAIN_DN, SUBTREE, wanted).entries == []
    with pytest.raises(DsError):
        ask(forest, dn, BASE)
    shown = RequestOptions(show_deleted=True)
    assert names_of(ask(forest, DOMAIN_DN, SUBTREE, wanted, options=shown)) == ["gone"]
    assert names_of(ask(forest, dn, BASE, options=shown)) == ["gone"]
    all_shown = RequestOptions(show_recycled=True)
    assert names_of(ask(forest, DOMAIN_DN, SUBTREE, wanted, options=all_shown)) == ["gone", "old"]


def test_links_to_and_from_deleted_objects_are_hidden(sqlite_forest: KitForest) -> None:
    gone = f"CN=gone,CN=Deleted Objects,{DOMAIN_DN}"

    def work(b: ForestBuilder) -> str:
        b.add(gone, "group", {"isDeleted": "TRUE"}, state=ObjectState.DELETED)
        b.link(gone, "member", ALICE)
        group = b.group("g", DOMAIN_SID.child(3000), DOMAIN_LOCAL, [gone, ALICE])
        return group

    group = sqlite_forest.build(work)
    assert values_of(ask(sqlite_forest, group, BASE, attributes=("member",))) == {"member": [ALICE.encode()]}
    memberships = values_of(ask(sqlite_forest, ALICE, BASE, attributes=("memberOf",)))
    assert memberships == {"memberOf": [group.encode()]}
    shown = RequestOptions(show_deactivated_link=True)
    assert (
        len(values_of(ask(sqlite_forest, group, BASE, attributes=("member",), options=shown))["member"]) == 2
    )
    half = RequestOptions(show_deleted=True)
    assert values_of(ask(sqlite_forest, gone, BASE, attributes=("member",), options=half)) == {}
    full = RequestOptions(show_deleted=True, show_deactivated_link=True)
    assert values_of(ask(sqlite_forest, gone, BASE, attributes=("member",), options=full)) == {
        "member": [ALICE.encode()]
    }


def test_the_global_catalog_shows_the_partial_set_of_the_whole_forest(sqlite_forest: KitForest) -> None:
    gc = RequestOptions(gc_port=True)
    found = ask(sqlite_forest, "", SUBTREE, "(|(objectClass=configuration)(cn=alice))", options=gc)
    assert names_of(found) == ["Configuration", "alice"]
    assert found.referrals == []
    alice = values_of(ask(sqlite_forest, ALICE, BASE, attributes=("mail", "badPwdCount", "cn"), options=gc))
    assert set(alice) == {"mail", "cn"}
    assert ask(sqlite_forest, "", SUBTREE, "(dc=DomainDnsZones)", options=gc).entries == []
    assert ask(sqlite_forest, "DC=com", SUBTREE, "(cn=alice)", options=gc).entries


def test_phantom_root_spans_contexts_on_the_ldap_port(sqlite_forest: KitForest) -> None:
    options = RequestOptions(phantom_root=True)
    found = ask(sqlite_forest, DOMAIN_DN, SUBTREE, "(objectClass=configuration)", options=options)
    assert names_of(found) == ["Configuration"]
    application = ask(sqlite_forest, "", SUBTREE, "(dc=DomainDnsZones)", options=options)
    assert names_of(application) == ["DomainDnsZones"]


@pytest.mark.parametrize("attribute", ["tokenGroups", "msds-memberOfTransitive"])
def test_some_attributes_are_for_single_objects(sqlite_forest: KitForest, attribute: str) -> None:
    assert (
        ask(sqlite_forest, f"CN=Administrator,{USERS_DN}", BASE, attributes=(attribute,))
        .entries[0]
        .attributes
    )
    with pytest.raises(DsError) as caught:
        ask(sqlite_forest, USERS_DN, ONE_LEVEL, attributes=(attribute,))
    assert caught.value.code == Win32.ERROR_DS_NON_BASE_SEARCH


def test_compare(sqlite_forest: KitForest) -> None:
    def check(dn: str, attribute: str, value: bytes) -> bool:
        return sqlite_forest.read(lambda ctx: compare(ctx, dn, attribute, value))

    assert check(ALICE, "sn", b"ADAMS")
    assert not check(ALICE, "sn", b"Brown")
    assert check("", "defaultNamingContext", DOMAIN_DN.encode())
    assert not check("", "defaultNamingContext", b"x")
    with pytest.raises(DsError) as caught:
        check(ALICE, "telephoneNumber", b"1")
    assert caught.value.ldap_result == LdapResult.NO_SUCH_ATTRIBUTE
    with pytest.raises(DsError):
        check(f"CN=nobody,{USERS_DN}", "sn", b"x")


def test_scopes_are_the_numbers_of_the_protocol() -> None:
    assert (search_module.BASE, search_module.ONE_LEVEL, search_module.SUBTREE) == (0, 1, 2)
