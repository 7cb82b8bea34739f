"""crossRefs and application naming contexts made over LDAP."""

from collections.abc import Sequence

import pytest

from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names, quotas, rootdse
from addc.directory.delete import delete_object
from addc.directory.nc_add import add_naming_context, is_asked
from addc.security.token import SYSTEM, Token
from addc.store.objects import ObjectState
from tests.kit.corp import Corp
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.refusals import refusal

APP = f"DC=app,{DOMAIN_DN}"
PARTITIONS = f"CN=Partitions,{CONFIG_DN}"
DSA = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,{CONFIG_DN}"
UNWILLING = LdapResult.UNWILLING_TO_PERFORM


def nc_add(corp: Corp, dn: str, requester: Token | None = None, kind: bytes = b"domainDNS") -> Dnt:
    values: Sequence[tuple[str, Sequence[bytes]]] = [("objectClass", [kind]), ("instanceType", [b"5"])]
    assert is_asked(values)
    return corp.write(lambda ctx: add_naming_context(ctx, dn, values), requester or corp.admin)


def cross_ref(corp: Corp, nc: str, flags: int = 5, enabled: str = "FALSE", root: str = "") -> Dnt:
    more = {"Enabled": enabled} if enabled else {}
    root = root or "dc1.corp.example.com"
    return corp.add(
        f"CN=app,{PARTITIONS}",
        "crossRef",
        values={"nCName": nc, "dnsRoot": root, "systemFlags": str(flags), **more},
    )


def test_an_application_naming_context_is_made_whole(corp: Corp) -> None:
    """3.1.1.5.2.8: root, containers, crossRef, and what says who holds it."""
    root = nc_add(corp, APP)
    row = corp.row(APP)
    assert row.dnt == root and row.nc == root and row.instance_type == 13
    known = corp.values(APP, "wellKnownObjects")
    assert len(known) == 4
    for cn in ("Infrastructure", "LostAndFound", "NTDS Quotas"):
        assert corp.row(f"CN={cn},{APP}").nc == root
    assert corp.row(f"CN=Deleted Objects,{APP}").state is ObjectState.DELETED
    assert corp.read(lambda ctx: quotas.container(ctx, root)) is not None
    assert APP.encode() in corp.values("", "subRefs")
    assert APP.encode() in corp.values(DSA, "msDS-hasMasterNCs")
    assert f"B:8:0000000D:{APP}".encode() in corp.values(DSA, "msDS-HasInstantiatedNCs")
    refs = corp.read(
        lambda ctx: [
            names.dn_of_row(ctx, one) for one in names.children(ctx, names.resolve(ctx, PARTITIONS).dnt)
        ]
    )
    made = next(dn for dn in refs if corp.values(dn, "nCName") == [APP.encode()])
    assert corp.text(made, "dnsRoot") == "app.corp.example.com" and corp.text(made, "systemFlags") == "5"
    assert corp.values(made, "msDS-NC-Replica-Locations") == [DSA.encode()]
    shown = corp.read(rootdse._naming_contexts)
    assert APP.encode() in shown and len(shown) == len(set(shown))
    corp.add(f"CN=box,{APP}", "container")
    corp.write(lambda ctx: delete_object(ctx, f"CN=box,{APP}"), SYSTEM)
    assert refusal(lambda: corp.write(lambda ctx: delete_object(ctx, made), corp.admin)) == (
        UNWILLING,
        Win32.ERROR_DS_NC_STILL_HAS_DSAS,
    )


def test_a_naming_context_may_stand_by_itself(corp_sqlite: Corp) -> None:
    """3.1.1.5.2.6: the naming contexts are a set of trees."""
    root = nc_add(corp_sqlite, "DC=other,DC=test")
    assert corp_sqlite.row(root).instance_type == 5
    nc_add(corp_sqlite, "DC=below,DC=other,DC=test")


def test_a_crossref_may_wait_for_its_naming_context(corp_sqlite: Corp) -> None:
    """3.1.1.5.2.8: Enabled goes, dnsRoot becomes the DNS name."""
    dnt = cross_ref(corp_sqlite, APP)
    nc_add(corp_sqlite, APP)
    assert corp_sqlite.values(dnt, "Enabled") == []
    assert corp_sqlite.text(dnt, "dnsRoot") == "app.corp.example.com"
    assert corp_sqlite.text(dnt, "nCName") == APP
    assert refusal(lambda: nc_add(corp_sqlite, APP)) == (UNWILLING, Win32.ERROR_DS_CROSS_REF_EXISTS)


def test_a_crossref_waits_for_the_dc_that_it_names(corp_sqlite: Corp) -> None:
    cross_ref(corp_sqlite, APP, root="dc9.corp.example.com")
    assert refusal(lambda: nc_add(corp_sqlite, APP)) == (UNWILLING, Win32.ERROR_DS_MASTERDSA_REQUIRED)


@pytest.mark.parametrize(
    ("dn", "result", "code"),
    [
        (f"CN=app,{DOMAIN_DN}", LdapResult.NAMING_VIOLATION, Win32.ERROR_DS_RDN_DOESNT_MATCH_SCHEMA),
        (f"DC=a.b,{DOMAIN_DN}", LdapResult.NAMING_VIOLATION, Win32.ERROR_DS_BAD_NAME_SYNTAX),
        (f"DC=app,OU=Domain Controllers,{DOMAIN_DN}", LdapResult.NAMING_VIOLATION, None),
        (f"DC=a,DC=b,{DOMAIN_DN}", UNWILLING, Win32.ERROR_DS_NC_MUST_HAVE_NC_PARENT),
        (DOMAIN_DN, UNWILLING, Win32.ERROR_DS_CROSS_REF_EXISTS),
    ],
)
def test_a_naming_context_is_named_as_a_domain(
    corp_sqlite: Corp, dn: str, result: LdapResult, code: Win32 | None
) -> None:
    """3.1.1.5.2.6: DC labels that DNS takes, no object of that name, no holes in the tree."""
    found = refusal(lambda: nc_add(corp_sqlite, dn))
    assert found[0] is result and code in (None, found[1])


def test_only_a_domain_dns_object_is_its_root(corp_sqlite: Corp) -> None:
    assert refusal(lambda: nc_add(corp_sqlite, f"DC=app,{DOMAIN_DN}", kind=b"dnsZone"))[0] is (
        LdapResult.OBJECT_CLASS_VIOLATION
    )


def test_who_may_not_make_a_crossref_makes_no_naming_context(corp_sqlite: Corp) -> None:
    """3.1.1.5.2.8 (Security Considerations)."""
    corp_sqlite.user("ann")
    refused = refusal(lambda: nc_add(corp_sqlite, APP, corp_sqlite.token("ann")))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    cross_ref(corp_sqlite, APP)
    refused = refusal(lambda: nc_add(corp_sqlite, APP, corp_sqlite.token("ann")))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("objectSid", bytes.fromhex("010500000000000515000000") + bytes(16)),
        ("1.2.840.113556.1.4.2", bytes(16)),
        ("isDeleted", b"TRUE"),
        ("whenCreated", b"20000101000000.0Z"),
        ("replPropertyMetaData", b"\1"),
    ],
)
def test_the_root_takes_from_its_maker_what_any_object_takes(
    corp_sqlite: Corp, name: str, value: bytes
) -> None:
    """3.1.1.5.2.2: that the system adds the root gives its maker no more to choose."""
    values = [("objectClass", [b"domainDNS"]), ("instanceType", [b"5"]), (name, [value])]
    result, code = refusal(
        lambda: corp_sqlite.write(lambda ctx: add_naming_context(ctx, APP, values), corp_sqlite.admin)
    )
    assert result in (UNWILLING, LdapResult.CONSTRAINT_VIOLATION)
    assert code in (Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)


@pytest.mark.parametrize(
    ("flags", "enabled", "code"),
    [
        (3, "FALSE", Win32.ERROR_DS_UNWILLING_TO_PERFORM),
        (1, "FALSE", Win32.ERROR_DS_UNWILLING_TO_PERFORM),
        (5, "TRUE", Win32.ERROR_DS_UNWILLING_TO_PERFORM),
        (5, "", Win32.ERROR_DS_UNWILLING_TO_PERFORM),
    ],
)
def test_a_crossref_of_the_forest_only_announces(
    corp_sqlite: Corp, flags: int, enabled: str, code: Win32
) -> None:
    """3.1.1.5.2.7."""
    assert refusal(lambda: cross_ref(corp_sqlite, APP, flags, enabled)) == (UNWILLING, code)


def test_a_crossref_to_another_forest_sends_clients_there(corp_sqlite: Corp) -> None:
    """3.1.1.5.2.7, 3.1.1.4.6: an external crossRef; its name is taken then."""
    corp = corp_sqlite
    cross_ref(corp, "DC=partner,DC=test", 0, "", "dc.partner.test")
    refused = refusal(lambda: corp.add("CN=x,DC=sub,DC=partner,DC=test", "container"))
    assert refused[1] in (Win32.ERROR_DS_OBJ_NOT_FOUND, Win32.ERROR_DS_REFERRAL)
    again = refusal(
        lambda: corp.add(
            f"CN=again,{PARTITIONS}",
            "crossRef",
            values={"nCName": "DC=partner,DC=test", "dnsRoot": "x.partner.test"},
        )
    )
    assert again == (UNWILLING, Win32.ERROR_DS_CROSS_REF_EXISTS)
    own = refusal(
        lambda: corp.add(
            f"CN=own,{PARTITIONS}",
            "crossRef",
            values={"nCName": f"CN=Users,{DOMAIN_DN}", "dnsRoot": "x.partner.test"},
        )
    )
    assert own == (UNWILLING, Win32.ERROR_DS_NCNAME_MUST_BE_NC)


@pytest.mark.parametrize("kind", ["user", "computer", "inetOrgPerson", "group", "builtinDomain"])
def test_principals_live_in_the_domain(corp_sqlite: Corp, kind: str) -> None:
    """3.1.1.4.5.5, 5.1.1.5: who rules over another naming context makes no accounts of the domain there."""
    nc_add(corp_sqlite, APP)
    for place in (APP, f"CN=Services,{CONFIG_DN}"):
        refused = refusal(lambda place=place: corp_sqlite.add(f"CN=x,{place}", kind))  # type: ignore[misc]
        assert refused == (UNWILLING, Win32.ERROR_DS_CANT_CREATE_IN_NONDOMAIN_NC) or (
            refused[1] is Win32.ERROR_DS_ILLEGAL_SUPERIOR
        )
    corp_sqlite.add(f"CN=y,{APP}", "container")
    refused = refusal(lambda: corp_sqlite.add(f"CN=x,CN=y,{APP}", "group"))
    assert refused == (UNWILLING, Win32.ERROR_DS_CANT_CREATE_IN_NONDOMAIN_NC)
