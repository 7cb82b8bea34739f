"""A new forest in the database is what was planned, on both back ends."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from addc.base.clock import from_unix
from addc.base.errors import UserError
from addc.base.ids import AttId, Dnt
from addc.codec.ids import Sid
from addc.directory import accounts, entry, groups, names, passwords, rights
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.directory.search import BASE, SearchRequest, search
from addc.provision.forest import RIGHTS_STATE, secret_attributes
from addc.schema import attr
from addc.schema.loader import load_base
from addc.schema.syntax import DnKind
from addc.security.krb_keys import Etype
from addc.security.token import SYSTEM
from addc.store.engine import Store
from addc.store.objects import ObjectRow, ObjectState
from tests.kit.corp import has_password
from tests.kit.corp_forest import ADMIN_PASSWORD, CONFIG_DN, DOMAIN_DN, STORE_KEY, corp_plan, create_corp
from tests.kit.databases import PostgresServer

PLAN = corp_plan()
NEVER_COLLECTED = int(from_unix(datetime(9999, 12, 29, tzinfo=UTC).timestamp()))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('forest') / 'directory.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture(scope="module")
def forest(database: str) -> Iterator[Directory]:
    made = create_corp(database)
    yield made
    made.close()


def see(forest: Directory, dn: str) -> tuple[ReadContext, ObjectRow]:
    """A row and a context to look at it with; the snapshot is over, rows are values."""

    def work(ctx: ReadContext) -> tuple[ReadContext, ObjectRow]:
        row = names.resolve(ctx, dn, deleted=True)
        assert row.attrs is not None and row.meta is not None
        return ctx, row

    return forest.read_now("see", SYSTEM, work)


def row_of(forest: Directory, dn: str) -> ObjectRow:
    return see(forest, dn)[1]


def test_every_planned_object_is_there_and_nothing_else_is(forest: Directory) -> None:
    def work(ctx: ReadContext) -> tuple[set[str], list[str]]:
        root = ctx.tx.get(names.ROOT)
        assert root is not None
        rows = ctx.tx.get_many([dnt for dnt in ctx.tx.subtree_dnts(root.path) if dnt != names.ROOT])
        phantoms = [names.dn_of(ctx, row.dnt) for row in rows if row.state is ObjectState.PHANTOM]
        return {names.dn_of(ctx, row.dnt) for row in rows} - set(phantoms), phantoms

    there, phantoms = forest.read_now("count", SYSTEM, work)
    assert there == {planned.dn for planned in PLAN.objects}
    assert sorted(phantoms) == ["DC=com", "DC=example,DC=com"]


def test_identities_are_the_planned_ones(forest: Directory) -> None:
    def work(ctx: ReadContext) -> None:
        for planned in PLAN.objects:
            row = names.resolve(ctx, planned.dn, deleted=True)
            assert row.guid == planned.guid.bytes_le
            assert row.sid == planned.sid
            assert ctx.tx.by_guid(row.guid) == row or ctx.tx.by_guid(row.guid) is not None

    forest.read_now("identities", SYSTEM, work)


def test_values_are_the_planned_ones(forest: Directory) -> None:
    """What LDAP form went in comes out as the syntax's own form of it."""

    def work(ctx: ReadContext) -> None:
        for planned in PLAN.objects:
            row = names.resolve(ctx, planned.dn, deleted=True)
            for name, values in planned.attributes.items():
                attribute = ctx.schema.attribute(name)
                assert attribute is not None
                if attribute.is_linked or attribute.att_id == attr.INSTANCE_TYPE:
                    continue
                found = row.attrs[attribute.att_id]
                if attribute.syntax.dn_kind is DnKind.NONE:
                    expected = {attribute.syntax.key(attribute.syntax.check(value)) for value in values}
                    assert {attribute.syntax.key(value) for value in found} == expected, (planned.dn, name)
                else:
                    targets = {names.dn_of(ctx, names.reference_dnt(value)).lower() for value in found}
                    assert targets == {value.decode().split(":")[-1].lower() for value in values}

    forest.read_now("values", SYSTEM, work)


def test_the_five_naming_contexts_hold_their_own_objects(forest: Directory) -> None:
    facts = forest.forest
    roots = [facts.domain_nc, facts.config_nc, facts.schema_nc, facts.domain_dns_nc, facts.forest_dns_nc]
    assert len(set(roots)) == 5 and all(roots)
    kinds = ["domain", "configuration", "schema", "domaindnszones", "forestdnszones"]
    expected = dict(zip(kinds, roots, strict=True))

    def work(ctx: ReadContext) -> None:
        for planned in PLAN.objects:
            row = names.resolve(ctx, planned.dn, deleted=True)
            assert row.nc == expected[planned.nc], planned.dn
            assert row.instance_type == (
                4 if not planned.is_nc_root else 5 if row.nc == facts.domain_nc else 13
            )

    forest.read_now("contexts", SYSTEM, work)


def test_the_forests_facts_lead_to_its_objects(forest: Directory) -> None:
    facts = forest.forest
    assert facts.dsa_dnt == row_of(forest, PLAN.names.dsa).dnt
    assert facts.server_dnt == row_of(forest, PLAN.names.server).dnt
    assert facts.domain_sid == PLAN.identities.domain_sid == row_of(forest, DOMAIN_DN).sid
    assert (facts.host_fqdn, facts.site) == ("dc1.corp.example.com", "Default-First-Site-Name")


@pytest.mark.parametrize(
    ("guid", "name"),
    [
        ("a9d1ca15-7688-11d1-aded-00c04fd8d5cd", "CN=Users"),
        ("aa312825-7688-11d1-aded-00c04fd8d5cd", "CN=Computers"),
        ("a361b2ff-ffd2-11d1-aa4b-00c04fd7d83a", "OU=Domain Controllers"),
        ("1eb93889-e40c-45df-9f0c-64d23bbb6237", "CN=Managed Service Accounts"),
    ],
)
def test_well_known_guids_resolve(forest: Directory, guid: str, name: str) -> None:
    form = f"<WKGUID={UUID(guid).hex},{DOMAIN_DN}>"
    assert row_of(forest, form).dnt == row_of(forest, f"{name},{DOMAIN_DN}").dnt


def _targets(forest: Directory, dn: str, attribute_name: str) -> set[str]:
    def work(ctx: ReadContext) -> set[str]:
        row = names.resolve(ctx, dn)
        attribute = ctx.schema.attribute(attribute_name)
        assert attribute is not None
        if attribute.is_back_link:
            return {names.dn_of(ctx, link.source) for link in entry.live_back_links(ctx, row, attribute)}
        return {names.dn_of(ctx, link.target) for link in entry.live_links(ctx, row, attribute)}

    return forest.read_now("links", SYSTEM, work)


def test_links_are_read_both_ways(forest: Directory) -> None:
    admin = f"CN=Administrator,CN=Users,{DOMAIN_DN}"
    groups_of_admin = {
        f"CN=Domain Admins,CN=Users,{DOMAIN_DN}",
        f"CN=Enterprise Admins,CN=Users,{DOMAIN_DN}",
        f"CN=Schema Admins,CN=Users,{DOMAIN_DN}",
        f"CN=Group Policy Creator Owners,CN=Users,{DOMAIN_DN}",
        f"CN=Administrators,CN=Builtin,{DOMAIN_DN}",
    }
    assert _targets(forest, admin, "memberOf") == groups_of_admin
    assert admin in _targets(forest, f"CN=Administrators,CN=Builtin,{DOMAIN_DN}", "member")
    assert _targets(forest, PLAN.names.server, "serverReference") == {PLAN.names.computer}
    assert _targets(forest, PLAN.names.computer, "serverReferenceBL") == {PLAN.names.server}
    assert _targets(forest, DOMAIN_DN, "msDs-masteredBy") == {PLAN.names.dsa}


def test_the_roles_are_with_the_first_domain_controller(forest: Directory) -> None:
    for dn in (
        DOMAIN_DN,
        f"CN=Schema,{CONFIG_DN}",
        f"CN=Partitions,{CONFIG_DN}",
        f"CN=RID Manager$,CN=System,{DOMAIN_DN}",
        f"CN=Infrastructure,{DOMAIN_DN}",
    ):
        assert entry.reference(row_of(forest, dn), attr.FSMO_ROLE_OWNER) == forest.forest.dsa_dnt


def test_deleted_objects_are_never_collected(forest: Directory) -> None:
    for root in (DOMAIN_DN, CONFIG_DN, f"DC=DomainDnsZones,{DOMAIN_DN}", f"DC=ForestDnsZones,{DOMAIN_DN}"):
        row = row_of(forest, f"CN=Deleted Objects,{root}")
        assert row.meta[attr.IS_DELETED].time_ft == NEVER_COLLECTED
        assert attr.IS_RECYCLED not in row.attrs


def _owner_and_dacl(forest: Directory, dn: str) -> tuple[Sid | None, list[tuple[Sid, int]]]:
    def work(ctx: ReadContext) -> tuple[Sid | None, list[tuple[Sid, int]]]:
        sd = rights.descriptor(ctx, names.resolve(ctx, dn, deleted=True))
        assert sd.dacl is not None
        return sd.owner, [(ace.sid, ace.flags) for ace in sd.dacl.aces]

    return forest.read_now("descriptor", SYSTEM, work)


def test_owners_are_the_administrators_of_each_context(forest: Directory) -> None:
    sid = PLAN.identities.domain_sid
    assert _owner_and_dacl(forest, f"CN=Users,{DOMAIN_DN}")[0] == sid.child(512)
    assert _owner_and_dacl(forest, f"CN=Sites,{CONFIG_DN}")[0] == sid.child(519)
    assert _owner_and_dacl(forest, f"CN=Account-Expires,CN=Schema,{CONFIG_DN}")[0] == sid.child(518)
    assert _owner_and_dacl(forest, DOMAIN_DN)[0] == Sid.parse("S-1-5-32-544")


def test_entries_are_inherited_from_the_context_root(forest: Directory) -> None:
    enterprise_admins = PLAN.identities.domain_sid.child(519)
    for dn in (f"CN=Users,{DOMAIN_DN}", f"CN=Guest,CN=Users,{DOMAIN_DN}"):
        inherited = [sid for sid, flags in _owner_and_dacl(forest, dn)[1] if flags & 0x10]
        assert enterprise_admins in inherited
    protected = _owner_and_dacl(forest, f"CN=AdminSDHolder,CN=System,{DOMAIN_DN}")[1]
    assert not [sid for sid, flags in protected if flags & 0x10]


def test_account_operators_have_no_hold_on_administrators(forest: Directory) -> None:
    """Protected principals carry AdminSDHolder's descriptor; others their class's. [MS-ADTS] 3.1.1.6.1"""
    account_operators = Sid.parse("S-1-5-32-548")
    holder = row_of(forest, f"CN=AdminSDHolder,CN=System,{DOMAIN_DN}").sd_id
    for name in ("Administrator", "krbtgt", "Domain Admins", "Enterprise Admins", "Domain Controllers"):
        dn = f"CN={name},CN=Users,{DOMAIN_DN}"
        assert account_operators not in [sid for sid, _ in _owner_and_dacl(forest, dn)[1]]
        assert row_of(forest, dn).sd_id == holder
    guest = _owner_and_dacl(forest, f"CN=Guest,CN=Users,{DOMAIN_DN}")[1]
    assert account_operators in [sid for sid, _ in guest]


def test_the_administrator_can_log_on_with_the_chosen_password(forest: Directory) -> None:
    def work(ctx: ReadContext) -> tuple[bool, bool, int, set[int]]:
        row = names.resolve(ctx, f"CN=Administrator,CN=Users,{DOMAIN_DN}")
        right = has_password(row, passwords.password_of_text(ADMIN_PASSWORD))
        wrong = has_password(row, passwords.password_of_text("other"))
        keys = passwords.keys_of(ctx, row)
        return right, wrong, keys.kvno, {int(key.etype) for key in keys.keys}

    right, wrong, kvno, etypes = forest.read_now("password", SYSTEM, work)
    assert right and not wrong and kvno == 1
    assert {Etype.AES256_CTS_HMAC_SHA1_96, Etype.AES128_CTS_HMAC_SHA1_96, Etype.RC4_HMAC} <= etypes


def test_the_machine_and_krbtgt_have_keys_with_their_own_salts(forest: Directory) -> None:
    def salt(ctx: ReadContext, dn: str) -> bytes:
        return passwords.keys_of(ctx, names.resolve(ctx, dn)).salt

    def work(ctx: ReadContext) -> tuple[bytes, bytes]:
        return salt(ctx, PLAN.names.computer), salt(ctx, f"CN=krbtgt,CN=Users,{DOMAIN_DN}")

    assert forest.read_now("salts", SYSTEM, work) == (
        b"CORP.EXAMPLE.COMhostdc1.corp.example.com",
        b"CORP.EXAMPLE.COMkrbtgt",
    )


def test_accounts_without_a_password_have_no_keys(forest: Directory) -> None:
    for name in ("Guest", "DefaultAccount"):
        row = row_of(forest, f"CN={name},CN=Users,{DOMAIN_DN}")
        assert attr.UNICODE_PWD not in row.attrs
        assert entry.integer(row, attr.USER_ACCOUNT_CONTROL) & 2


def test_services_of_the_domain_controller_are_found_by_name(forest: Directory) -> None:
    def find(ctx: ReadContext, spn: str) -> Dnt | None:
        found = accounts.find_by_spn(ctx, spn)
        return None if found is None else found.dnt

    computer = row_of(forest, PLAN.names.computer).dnt
    for spn in (
        "ldap/dc1.corp.example.com",
        "cifs/dc1.corp.example.com",
        "host/DC1",
        "GC/dc1.corp.example.com/corp.example.com",
    ):
        assert forest.read_now("spn", SYSTEM, lambda ctx, spn=spn: find(ctx, spn)) == computer  # type: ignore[misc]


def test_the_administrators_token_holds_the_default_groups(forest: Directory) -> None:
    admin = row_of(forest, f"CN=Administrator,CN=Users,{DOMAIN_DN}").dnt
    token = forest.read_now("token", SYSTEM, lambda ctx: groups.token_for(ctx, admin))
    sid = PLAN.identities.domain_sid
    expected = {sid.child(rid) for rid in (500, 512, 513, 518, 519, 520, 572)}
    assert expected | {Sid.parse("S-1-5-32-544"), Sid.parse("S-1-5-32-545")} <= token.sids


def test_the_next_account_gets_the_next_rid(forest: Directory) -> None:
    def work_dn() -> str:
        return f"CN=first,CN=Users,{DOMAIN_DN}"

    from addc.directory.add import add_object  # noqa: PLC0415 - only this test writes

    attributes = [("objectClass", [b"group"]), ("sAMAccountName", [b"first"])]
    dnt = forest.write_now("add", SYSTEM, lambda ctx: add_object(ctx, work_dn(), attributes))
    row = forest.read_now("see", SYSTEM, lambda ctx: ctx.tx.get(dnt))
    assert row is not None and row.sid == PLAN.identities.domain_sid.child(1103)


def test_the_schema_head_tells_its_version(forest: Directory) -> None:
    request = SearchRequest(f"CN=Schema,{CONFIG_DN}", BASE, attributes=("objectVersion", "objectClass"))
    (found,) = forest.read_now("schema", SYSTEM, lambda ctx: search(ctx, request).entries)
    assert dict(found.attributes) == {b"objectClass": [b"top", b"dMD"], b"objectVersion": [b"88"]}


def test_rights_of_this_domain_controller_are_kept(forest: Directory) -> None:
    state = forest.read_now("rights", SYSTEM, lambda ctx: ctx.tx.state(RIGHTS_STATE))
    assert state is not None
    assert "SeMachineAccountPrivilege" in json.loads(state)["S-1-5-11"]


def test_secrets_are_not_in_the_database_in_clear(forest: Directory, database: str) -> None:
    if database.startswith("sqlite"):
        nt_hash = row_of(forest, f"CN=krbtgt,CN=Users,{DOMAIN_DN}").attrs[attr.UNICODE_PWD][0]
        path = database.removeprefix("sqlite:///")
        for suffix in ("", "-wal"):
            with open(path + suffix, "rb") as file:
                assert nt_hash not in file.read()
    assert AttId(0x9005A) in secret_attributes(load_base())


def test_a_forest_is_never_overwritten(forest: Directory, database: str) -> None:
    usn = forest.usn()
    with pytest.raises(UserError):
        Store.create(database, STORE_KEY, secret_attributes(load_base()))
    assert forest.usn() == usn
