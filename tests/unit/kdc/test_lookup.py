"""Facts from the directory: whom names mean, keys, groups, restrictions."""

import pytest

from addc.base.clock import NEVER_FT, TICKS_PER_S
from addc.base.ids import Dnt
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import NameType
from addc.directory import passwords
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.stamp import save
from addc.kdc import lookup, lookup_accounts
from addc.kdc.facts import Membership, Principal
from addc.schema import attr
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.kdc_realm import client_name

PASSWORD = "Tr0ub4dor&3"
ENTERPRISE = NameType.KRB_NT_ENTERPRISE
SRV = NameType.KRB_NT_SRV_INST


@pytest.fixture
def corp(corp_sqlite: Corp) -> Corp:
    """joe with a UPN of his own, and the member machine WS1."""
    corp_sqlite.user("joe", PASSWORD, userPrincipalName="joe.d@mail.example")
    corp_sqlite.add(
        "CN=WS1,CN=Computers",
        "computer",
        values={
            "sAMAccountName": "WS1$",
            "userAccountControl": "4096",
            "dNSHostName": "ws1.corp.example.com",
            "servicePrincipalName": ["HOST/ws1.corp.example.com", "HOST/WS1", "http/intranet:8080/app"],
        },
    )
    return corp_sqlite


def client(corp: Corp, *parts: str, kind: int = NameType.KRB_NT_PRINCIPAL) -> str | None:
    name = PrincipalName(int(kind), parts)
    found = corp.read(lambda ctx: lookup_accounts.client_account(ctx, name))
    return None if found is None else found.sam_account_name


def server(corp: Corp, text: str, kind: int = SRV, *, user2user: bool = False) -> str | None:
    name = PrincipalName(int(kind), tuple(text.split("/")))
    found = corp.read(lambda ctx: lookup_accounts.server_account(ctx, name, user2user))
    return None if found is None else found.sam_account_name


def principal(corp: Corp, name: str) -> Principal:
    def work(ctx: ReadContext) -> Principal:
        found = lookup_accounts.client_account(ctx, client_name(name))
        assert found is not None
        return lookup_accounts.principal(ctx, found)

    return corp.read(work)


def membership(corp: Corp, name: str) -> Membership:
    def work(ctx: ReadContext) -> Membership:
        found = lookup_accounts.client_account(ctx, client_name(name))
        assert found is not None
        return lookup_accounts.membership(ctx, found)

    return corp.read(work)


def test_client_names(corp: Corp) -> None:
    wanted: dict[str, str | None] = {
        "joe": "joe",
        "JOE": "joe",
        "ws1$": "WS1$",
        "ws1": "WS1$",
        "joe.d@mail.example": "joe",
        "joe@corp.example.com": "joe",
        "Administrator": "Administrator",
        "Domain Users": None,
        "nobody": None,
        "": None,
    }
    assert {name: client(corp, name) for name in wanted} == wanted


def test_enterprise_names(corp: Corp) -> None:
    wanted: dict[str, str | None] = {
        "joe.d@mail.example": "joe",
        "joe@corp.example.com": "joe",
        "JOE@CORP": "joe",
        "ws1@corp.example.com": "WS1$",
        "joe": "joe",
        "joe@mail.example": None,
    }
    assert {name: client(corp, name, kind=ENTERPRISE) for name in wanted} == wanted


def test_down_level_names(corp: Corp) -> None:
    assert client(corp, "CORP\\joe", kind=NameType.KRB_NT_MS_PRINCIPAL) == "joe"
    assert client(corp, "OTHER\\joe", kind=NameType.KRB_NT_MS_PRINCIPAL) is None
    assert client(corp, "OTHER\\", kind=NameType.KRB_NT_MS_PRINCIPAL) is None
    kind = NameType.KRB_NT_MS_PRINCIPAL
    assert server(corp, "corp.example.com\\joe", kind) == "joe", "as impacket names services"
    assert server(corp, "OTHER\\joe", kind) is None


def test_service_names(corp: Corp) -> None:
    wanted: dict[str, str | None] = {
        "krbtgt/CORP.EXAMPLE.COM": "krbtgt",
        "krbtgt/corp": "krbtgt",
        "krbtgt/OTHER.COM": None,
        "kadmin/changepw": "krbtgt",
        "HOST/ws1.corp.example.com": "WS1$",
        "host/WS1": "WS1$",
        "cifs/ws1.corp.example.com": "WS1$",
        "http/intranet:8080/app": "WS1$",
        "http/other": None,
        "ldap/dc1.corp.example.com": "DC1$",
        "ldap/dc1.corp.example.com/corp.example.com": "DC1$",
        "RestrictedKrbHost/dc1.corp.example.com": "DC1$",
        "HOST/ws1.corp.example.com/corp.example.com": None,
        "HOST/ws1.corp.example.com/CORP": None,
        "http/intranet:8080/app/corp": None,
        "ldap/ws1.corp.example.com": None,
        "joe": "joe",
        "ws1": "WS1$",
        "nobody": None,
    }
    assert {name: server(corp, name) for name in wanted} == wanted


def test_enterprise_service_names_need_an_spn(corp: Corp) -> None:
    assert server(corp, "joe@corp.example.com", ENTERPRISE) is None
    assert server(corp, "joe@corp.example.com", ENTERPRISE, user2user=True) == "joe"
    assert server(corp, "ws1$@corp.example.com", ENTERPRISE) == "WS1$"


def test_keys_and_salt(corp: Corp) -> None:
    joe = principal(corp, "joe")
    assert joe.keys.kvno == 1
    assert joe.keys.salt == b"CORP.EXAMPLE.COMjoe.d"
    assert sorted(joe.keys.current) == [17, 18, 23]
    assert joe.keys.find(18, None) is joe.keys.current[18]


def test_key_objects_survive_as_long_as_the_row(corp: Corp) -> None:
    before = principal(corp, "joe").keys.current[18]
    corp.modify("CN=WS1,CN=Computers", replace_values("description", "x"))
    assert principal(corp, "joe").keys.current[18] is before


def test_profile_and_flags(corp: Corp) -> None:
    corp.modify(
        "CN=joe,CN=Users",
        replace_values("displayName", "Joe D."),
        replace_values("scriptPath", "logon.bat"),
        replace_values("msDS-SupportedEncryptionTypes", "28"),
    )
    joe = principal(corp, "joe")
    assert joe.profile.full_name == "Joe D."
    assert joe.profile.logon_script == "logon.bat"
    assert joe.supported_enctypes == 28
    assert joe.upn == "joe.d@mail.example"
    assert joe.flags == 512
    assert (joe.primary_group_id, joe.has_spn) == (513, False)
    assert principal(corp, "ws1").has_spn
    assert principal(corp, "dc1").is_dc


def test_standing_follows_the_policy_of_the_domain(corp: Corp) -> None:
    joe = principal(corp, "joe")
    age = joe.standing.password_must_change - joe.pwd_last_set
    assert age == 42 * 86400 * TICKS_PER_S
    corp.modify("", replace_values("maxPwdAge", "-9223372036854775808"))
    assert principal(corp, "joe").standing.password_must_change == NEVER_FT


def test_a_lockout_ends_by_itself_or_not_at_all(corp: Corp) -> None:
    half_an_hour = "-18000000000"
    corp.modify(
        "",
        replace_values("lockoutDuration", half_an_hour),
        replace_values("lockOutObservationWindow", half_an_hour),
    )
    dnt = corp.row("CN=joe,CN=Users").dnt

    def lock(ctx: WriteContext) -> None:
        row = ctx.tx.get(dnt)
        assert row is not None
        draft = draft_of(ctx, row)
        draft.put_integer(attr.LOCKOUT_TIME, corp.now)
        save(ctx, draft)

    corp.write(lock)
    assert principal(corp, "joe").standing.lockout_until == corp.now + 18_000_000_000
    corp.modify("", replace_values("lockoutDuration", "-9223372036854775808"))
    assert principal(corp, "joe").standing.lockout_until == NEVER_FT


def test_groups_are_split_as_a_pac_wants_them(corp: Corp) -> None:
    staff = corp.group("staff")
    local = corp.group("printers", -2147483644)
    everybody = corp.group("everybody", -2147483640)
    corp.modify("CN=staff,CN=Users", add_values("member", corp.dn("CN=joe,CN=Users")))
    corp.modify("CN=everybody,CN=Users", add_values("member", corp.dn("CN=staff,CN=Users")))
    corp.modify("CN=printers,CN=Users", add_values("member", corp.dn("CN=staff,CN=Users")))
    found = membership(corp, "joe")
    assert set(found.domain_rids) == {513, corp.sid(staff).rid(), corp.sid(everybody).rid()}
    assert found.domain_rids[0] == 513
    assert found.resource_rids == (corp.sid(local).rid(),)
    assert found.other_sids == ()


def test_built_in_groups_are_left_to_each_machine(corp: Corp) -> None:
    found = membership(corp, "Administrator")
    assert {512, 513, 518, 519, 520} <= set(found.domain_rids)
    assert not any(rid in found.resource_rids for rid in (544, 545))


def test_two_resets_of_krbtgt_end_every_older_ticket(corp: Corp) -> None:
    krbtgt = corp.row("CN=krbtgt,CN=Users")
    joe = corp.row(corp.user("jim", "Tr0ub4dor&3"))

    def reset(ctx: WriteContext, dnt: Dnt) -> None:
        row = ctx.tx.get(dnt)
        assert row is not None
        new = passwords.password_of_text(f"N3w.{ctx.rng.bytes(4).hex()}")
        passwords.set_password(ctx, row, passwords.prepare_row(ctx, row, new))

    for dnt in (krbtgt.dnt, krbtgt.dnt, joe.dnt, joe.dnt):
        corp.write(lambda ctx, dnt=dnt: reset(ctx, dnt))  # type: ignore[misc]
    realm = corp.read(lookup.realm_facts)
    assert realm is not None
    assert [version for version, _ in realm.krbtgt.keys.old] == [realm.krbtgt.keys.kvno - 1]
    assert [version for version, _ in principal(corp, "jim").keys.old] == [2, 1]


def test_the_realm(corp: Corp) -> None:
    realm = corp.read(lookup.realm_facts)
    assert realm is not None
    assert (realm.realm, realm.netbios, realm.server) == ("CORP.EXAMPLE.COM", "CORP", "DC1")
    assert realm.krbtgt.is_krbtgt and realm.krbtgt.has_spn
    assert realm.is_alias("corp") and realm.is_alias("Corp.Example.Com") and not realm.is_alias("com")


def test_long_names_are_looked_up_and_not_remembered(corp: Corp) -> None:
    for parts in (("x" * 60_000,), ("x" * 10,) * 60):
        assert client(corp, *parts) is None
        assert server(corp, "/".join(parts)) is None
    kept = corp.read(lambda ctx: [key for key in ctx.facts if "xxxxxxxxxx" in str(key)])
    assert kept == []
    for kind in (NameType.KRB_NT_PRINCIPAL, ENTERPRISE):
        assert client(corp, *("",) * 60_000, kind=kind) is None
    assert corp.read(lambda ctx: [key for key in ctx.facts if len(str(key)) > 10_000]) == []
    assert client(corp, "joe") == "joe"
