"""Every way to an object or a value asks the same question first: what is hidden is as if it were not there.

Values of single attributes: test_hidden_values.py. Here: links, names, writes, descriptors, indexes.
Spec: [MS-ADTS] 5.1.3.3.6, 3.1.1.4.3, 3.1.1.4.4.
"""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest

from addc.base.errors import DsError
from addc.codec.filter import parse_text
from addc.codes.win32 import Win32
from addc.directory.add import add_object
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.directory.filter_match import Compiler
from addc.directory.modify import modify_object
from addc.directory.rename import rename_object
from addc.directory.search import BASE, SUBTREE, SearchRequest, compare, search
from addc.security import sddl
from addc.security.token import Token
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.corp_forest import DOMAIN_DN

SEALED = RequestOptions(confidential=True)
DACL = RequestOptions(confidential=True, sd_flags=4)


def set_dacl(corp: Corp, dn: str, aces: str) -> None:
    domain = corp.forest.domain_sid
    sd = sddl.parse(f"D:P(A;CI;GA;;;SY)(A;CI;GA;;;DA){aces}", domain, domain)
    corp.modify(dn, replace_values("nTSecurityDescriptor", sd.pack()), options=DACL)


def guid_of(corp: Corp, attribute: str) -> UUID:
    found = corp.schema.attribute(attribute)
    assert found is not None
    return UUID(bytes_le=found.schema_id_guid_wire)


@pytest.fixture
def alice(corp_sqlite: Corp) -> Token:
    corp_sqlite.user("alice")
    return corp_sqlite.token("alice")


def found(corp: Corp, who: Token, text: str, base: str = "", scope: int = SUBTREE) -> list[str]:
    request = SearchRequest(corp.dn(base), scope, parse_text(text), ("1.1",), options=SEALED)
    return sorted(
        one.dn.decode().partition(",")[0] for one in corp.read(lambda ctx: search(ctx, request), who).entries
    )


def shown(corp: Corp, who: Token, dn: str, *attributes: str) -> dict[str, list[bytes]]:
    request = SearchRequest(corp.dn(dn), BASE, attributes=attributes, options=SEALED)
    (entry,) = corp.read(lambda ctx: search(ctx, request), who).entries
    return {name.decode(): list(values) for name, values in entry.attributes}


def compared(corp: Corp, who: Token, dn: str) -> bool:
    value = corp.dn("CN=pirate,CN=Users").encode()
    return corp.read(lambda ctx: compare(ctx, corp.dn(dn), "member", value), who)


def refusal(work: Callable[[], object]) -> tuple[int, str, str]:
    with pytest.raises(DsError) as caught:
        work()
    return caught.value.code, caught.value.detail, caught.value.matched_dn


# --- link values ---


@pytest.fixture
def crew(corp_sqlite: Corp, alice: Token) -> Corp:
    """A user in a group in a group; alice may not read `member` of the first, nor `memberOf` of the user."""
    corp = corp_sqlite
    corp.user("pirate")
    corp.group("crew")
    corp.group("fleet")
    corp.group("empty")
    corp.modify("CN=crew,CN=Users", add_values("member", corp.dn("CN=pirate,CN=Users")))
    corp.modify("CN=fleet,CN=Users", add_values("member", corp.dn("CN=crew,CN=Users")))
    for name, attribute in (("crew", "member"), ("empty", "member"), ("pirate", "memberOf")):
        set_dacl(corp, f"CN={name},CN=Users", f"(OD;;RP;{guid_of(corp, attribute)};;AU)(A;;GR;;;AU)")
    return corp


@pytest.mark.parametrize(
    ("text", "for_admin"),
    [
        ("(member=CN=pirate,CN=Users,{0})", ["CN=crew"]),
        ("(member:1.2.840.113556.1.4.1941:=CN=pirate,CN=Users,{0})", ["CN=crew", "CN=fleet"]),
        ("(&(cn=crew)(member=*))", ["CN=crew"]),
        ("(memberOf=CN=crew,CN=Users,{0})", ["CN=pirate"]),
        ("(memberOf:1.2.840.113556.1.4.1941:=CN=crew,CN=Users,{0})", ["CN=pirate"]),
        ("(&(cn=pirate)(memberOf=*))", ["CN=pirate"]),
    ],
)
def test_no_filter_tells_a_hidden_membership(
    crew: Corp, alice: Token, text: str, for_admin: list[str]
) -> None:
    text = text.format(crew.forest.domain_dn)
    assert found(crew, crew.admin, text) == for_admin
    assert found(crew, alice, text) == []


def test_what_has_hidden_members_is_like_what_has_none(crew: Corp, alice: Token) -> None:
    text = f"(&(|(cn=crew)(cn=empty))(!(member=CN=pirate,CN=Users,{crew.forest.domain_dn})))"
    assert found(crew, alice, text) == ["CN=crew", "CN=empty"]
    for name in ("crew", "empty"):
        dn = f"CN={name},CN=Users"
        asked = ("member", "member;range=0-*", "member;range=5-9", "msds-memberTransitive")
        assert shown(crew, alice, dn, *asked) == {}
        why = refusal(partial(compared, crew, alice, dn))
        assert why[0] == Win32.ERROR_DS_NO_ATTRIBUTE_OR_VALUE


def test_constructed_memberships_follow_what_they_are_made_of(crew: Corp, alice: Token) -> None:
    made = "msds-memberOfTransitive"
    assert shown(crew, crew.admin, "CN=pirate,CN=Users", made)[made]
    assert shown(crew, alice, "CN=pirate,CN=Users", made, "memberOf") == {}


def test_token_groups_need_their_own_right(crew: Corp, alice: Token) -> None:
    assert "tokenGroups" in shown(crew, alice, "CN=pirate,CN=Users", "tokenGroups")
    set_dacl(crew, "CN=pirate,CN=Users", f"(OD;;RP;{guid_of(crew, 'tokenGroups')};;AU)(A;;GR;;;AU)")
    assert shown(crew, alice, "CN=pirate,CN=Users", "tokenGroups") == {}


# --- names ---


@pytest.fixture
def cellar(corp_sqlite: Corp, alice: Token) -> Corp:
    """An OU whose contents alice may not list, with a user in it."""
    corp = corp_sqlite
    corp.add("OU=cellar", "organizationalUnit")
    corp.add("CN=inside,OU=cellar", "user", sAMAccountName="inside")
    set_dacl(corp, "OU=cellar", "(A;;RPRC;;;AU)")
    return corp


def test_hidden_by_every_form_of_its_name(cellar: Corp, alice: Token) -> None:
    row = cellar.row("CN=inside,OU=cellar")
    there = [f"<GUID={row.guid.hex()}>", f"<SID={cellar.sid('CN=inside,OU=cellar')}>", "CN=inside,OU=cellar"]
    missing = [f"<GUID={'11' * 16}>", f"<SID={cellar.forest.domain_sid}-99999>", "CN=none,OU=cellar"]
    for hidden, none in zip(there, missing, strict=True):
        answers = {
            refusal(partial(found, cellar, alice, "(objectClass=*)", name, BASE)) for name in (hidden, none)
        }
        assert len(answers) == 1, hidden
    assert found(cellar, alice, "(sAMAccountName=inside)") == []
    assert found(cellar, alice, f"(objectSid={cellar.sid('CN=inside,OU=cellar')})") == []


def _writes(corp: Corp, name: str) -> list[Callable[[WriteContext], object]]:
    dn = corp.dn(f"CN={name},OU=cellar")
    return [
        lambda ctx: modify_object(ctx, dn, [replace_values("description", "x")], SEALED),
        lambda ctx: delete_object(ctx, dn),
        lambda ctx: rename_object(ctx, dn, "CN=other"),
        lambda ctx: add_object(ctx, f"CN=x,{dn}", [("objectClass", [b"container"])]),
    ]


def test_writes_to_what_is_hidden(cellar: Corp, alice: Token) -> None:
    for hidden, none in zip(_writes(cellar, "inside"), _writes(cellar, "none"), strict=True):
        assert refusal(partial(cellar.write, hidden, alice)) == refusal(partial(cellar.write, none, alice))


def test_taken_names_are_told_only_to_who_may_take_them(cellar: Corp, alice: Token) -> None:
    def add(name: str) -> Callable[[], object]:
        values = [("objectClass", [b"user"]), ("sAMAccountName", [b"fresh"])]
        return lambda: cellar.write(
            lambda ctx: add_object(ctx, cellar.dn(f"CN={name},OU=cellar"), values), alice
        )

    cellar.add("OU=mine", "organizationalUnit")
    cellar.add("CN=own,OU=mine", "container")
    set_dacl(cellar, "OU=mine", "(A;CI;GA;;;AU)")

    def move(name: str) -> Callable[[], object]:
        to = cellar.dn("OU=cellar")
        return lambda: cellar.write(
            lambda ctx: rename_object(ctx, cellar.dn("CN=own,OU=mine"), f"CN={name}", True, to), alice
        )

    for attempt in (add, move):
        assert refusal(attempt("inside")) == refusal(attempt("none"))
        assert refusal(attempt("inside"))[0] == Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS


# --- descriptors and indexes ---


def test_descriptors_are_there_for_who_may_read_all_of_them(corp_sqlite: Corp, alice: Token) -> None:
    text = "(&(cn=Computers)(nTSecurityDescriptor=*))"
    assert found(corp_sqlite, corp_sqlite.admin, text) == ["CN=Computers"]
    assert found(corp_sqlite, alice, text) == []
    assert found(corp_sqlite, alice, "(&(cn=Computers)(!(nTSecurityDescriptor=*)))") == ["CN=Computers"]


def test_no_index_is_asked_about_confidential_attributes(corp_sqlite: Corp, alice: Token) -> None:
    """How long the answer takes would tell their values; who has the right everywhere gets the index."""
    secret, plain = corp_sqlite.schema.attribute("unixUserPassword"), corp_sqlite.schema.attribute("mail")
    assert secret is not None and plain is not None
    for who, shielded in ((alice, True), (corp_sqlite.admin, False)):
        answers = corp_sqlite.read(
            lambda ctx: [Compiler(ctx, SEALED).shielded(one) for one in (secret, plain)], who
        )
        assert answers == [shielded, False]


def test_the_meta_data_of_hidden_links_is_hidden(corp_sqlite: Corp, alice: Token) -> None:
    """[MS-ADTS] 3.1.1.4.4: past and present members are told to those alone who may read `member`."""
    corp_sqlite.group("club")
    members = [f"CN={name},CN=Users,{DOMAIN_DN}" for name in ("alice", "Guest")]
    corp_sqlite.modify("CN=club,CN=Users", add_values("member", *members))
    corp_sqlite.modify("CN=club,CN=Users", add_values("managedBy", members[1]))
    (told,) = shown(corp_sqlite, alice, "CN=club,CN=Users", "msDS-ReplValueMetaData").values()
    assert len(told) == 3
    deny = f"(OD;;RP;{guid_of(corp_sqlite, 'member')};;AU)(A;;LCRPRC;;;AU)"
    set_dacl(corp_sqlite, "CN=club,CN=Users", deny)
    (told,) = shown(corp_sqlite, alice, "CN=club,CN=Users", "member", "msDS-ReplValueMetaData").values()
    assert len(told) == 1 and b"managedBy" in told[0]


@pytest.mark.parametrize("form", ["GUID", "SID"])
def test_other_names_of_hidden_objects_name_nothing(corp_sqlite: Corp, alice: Token, form: str) -> None:
    """Neither as the place of a new object nor as that of a move to another domain."""
    corp_sqlite.add("OU=vault", "organizationalUnit")
    corp_sqlite.user("mine")
    dnt = corp_sqlite.add("CN=safe,OU=vault", "user", sAMAccountName="safe")
    set_dacl(corp_sqlite, "OU=vault", "")
    set_dacl(corp_sqlite, "CN=mine,CN=Users", "(A;;GA;;;AU)")
    name = f"<GUID={UUID(bytes_le=corp_sqlite.row(dnt).guid)}>"
    nobody = f"<GUID={UUID(int=7)}>"
    if form == "SID":
        name, nobody = f"<SID={corp_sqlite.sid(dnt)}>", "<SID=S-1-5-21-1-2-3-4>"
    across = RequestOptions(crossdom_target="")

    def told(where: str, work: Callable[[WriteContext, str], object]) -> tuple[int, str]:
        with pytest.raises(DsError) as refused:
            corp_sqlite.write(lambda ctx: work(ctx, where), alice)
        return int(refused.value.code), refused.value.matched_dn

    def below(ctx: WriteContext, where: str) -> object:
        return add_object(ctx, f"CN=x,{where}", [("objectClass", [b"container"])])

    def into(ctx: WriteContext, where: str) -> object:
        own = f"CN=mine,CN=Users,{DOMAIN_DN}"
        return rename_object(ctx, own, "CN=mine", new_superior=where, options=across)

    for work in (below, into):
        assert told(name, work) == told(nobody, work)
