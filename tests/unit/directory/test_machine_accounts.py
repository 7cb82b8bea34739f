"""Where ordinary users may make computers by privilege."""

from dataclasses import replace

import pytest

from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.directory import machine_accounts, rights
from addc.directory.context import WriteContext
from addc.directory.modify import Change
from addc.security import sddl
from addc.security.descriptor import INHERITED
from addc.security.token import SYSTEM, Token
from tests.kit.corp import Corp, Value, add_values, delete_values, quoted, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.delegation import let
from tests.kit.refusals import refusal

COMPUTERS = "B:32:AA312825768811D1ADED00C04FD8D5CD:"


@pytest.fixture
def joe(corp_sqlite: Corp) -> Token:
    corp_sqlite.user("joe", "Tr0ub4dor&3")
    return corp_sqlite.token("joe")


def join(corp: Corp, who: Token, place: str) -> None:
    values: dict[str, Value] = {
        "sAMAccountName": "pc1$",
        "userAccountControl": "4096",
        "dNSHostName": "pc1.corp.example.com",
        "servicePrincipalName": ["HOST/pc1", "HOST/pc1.corp.example.com"],
        "unicodePwd": quoted("Tr0ub4dor&3"),
    }
    corp.add(f"CN=pc1,{place}", "computer", who, values=values)


@pytest.mark.parametrize("place", ["OU=Domain Controllers", "CN=Users", "OU=dept", ""])
def test_the_privilege_is_for_the_place_of_computers_alone(corp_sqlite: Corp, joe: Token, place: str) -> None:
    corp_sqlite.add("OU=dept", "organizationalUnit")
    refused = refusal(lambda: join(corp_sqlite, joe, place or DOMAIN_DN))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS


def test_the_place_is_where_the_domain_says(corp_sqlite: Corp, joe: Token) -> None:
    corp_sqlite.add("OU=new", "organizationalUnit")
    corp_sqlite.modify(
        "",
        delete_values("wellKnownObjects", f"{COMPUTERS}CN=Computers,{DOMAIN_DN}"),
        add_values("wellKnownObjects", f"{COMPUTERS}OU=new,{DOMAIN_DN}"),
    )
    assert refusal(lambda: join(corp_sqlite, joe, "CN=Computers"))[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    join(corp_sqlite, joe, "OU=new")


def test_the_creator_joins_his_machine_and_the_administrators_own_it(corp_sqlite: Corp, joe: Token) -> None:
    """What the class leaves to its creator is his, [MS-SAMR] 3.1.5.4.4 (13); an owner's rights are not."""
    join(corp_sqlite, joe, "CN=Computers")
    row, admins = corp_sqlite.row("CN=pc1,CN=Computers"), corp_sqlite.forest.domain_sid.child(512)
    made = corp_sqlite.read(lambda ctx: rights.descriptor(ctx, row))
    assert (made.owner, made.group) == (admins, admins)
    assert made.dacl is not None and all(
        ace.sid != joe.user for ace in made.dacl.aces if ace.flags & INHERITED
    )
    changes = (
        replace_values("servicePrincipalName", "HOST/pc1"),
        replace_values("userAccountControl", "4098"),
        replace_values("unicodePwd", quoted("An0ther.Passw0rd")),
    )
    for change in changes:
        corp_sqlite.modify("CN=pc1,CN=Computers", change, requester=joe)
    etypes = replace_values("msDS-SupportedEncryptionTypes", "28")
    refused = refusal(lambda: corp_sqlite.modify("CN=pc1,CN=Computers", etypes, requester=joe))
    assert refused[1] in _DENIED, "that is the machine's own"


_DENIED = (Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, Win32.ERROR_ACCESS_DENIED)


@pytest.mark.parametrize(
    "change",
    [
        replace_values("servicePrincipalName", "HOST/pc1"),
        replace_values("userAccountControl", "4098"),
        replace_values("unicodePwd", quoted("An0ther.Passw0rd")),
    ],
)
def test_nobody_else_joins_a_machine_to_it(corp_sqlite: Corp, joe: Token, change: Change) -> None:
    join(corp_sqlite, joe, "CN=Computers")
    corp_sqlite.user("eve", "Tr0ub4dor&3")
    eve = corp_sqlite.token("eve")
    refused = refusal(lambda: corp_sqlite.modify("CN=pc1,CN=Computers", change, requester=eve))
    assert refused[1] in _DENIED


# --- joining again, [MS-SAMR] 3.1.5.13.8 -------------------------------------------------------------------


def may_reuse(corp: Corp, who: Token, allow_list: str = "") -> bool:
    row = corp.row("CN=pc1,CN=Computers")
    sid = corp.forest.domain_sid
    trusted = sddl.parse(allow_list, sid, sid) if allow_list else None
    return corp.read(lambda ctx: machine_accounts.may_reuse(ctx, row, trusted), who)


def give(corp: Corp, owner: Sid) -> None:
    """Make it the owner of the account, which its creator no longer is on record for."""
    corp.modify("CN=pc1,CN=Computers", replace_values("ms-DS-CreatorSID"), requester=SYSTEM)

    def work(ctx: WriteContext) -> None:
        row = ctx.tx.get(corp.row("CN=pc1,CN=Computers").dnt)
        assert row is not None
        changed = replace(rights.descriptor(ctx, row), owner=owner)
        ctx.tx.update(row, sd_id=ctx.tx.put_descriptor(changed.pack()))

    corp.write(work)


def test_an_account_is_joined_again_by_its_creator_its_owner_and_what_administrators_own(
    corp_sqlite: Corp, joe: Token
) -> None:
    join(corp_sqlite, joe, "CN=Computers")
    corp_sqlite.user("eve", "Tr0ub4dor&3")
    eve = corp_sqlite.token("eve")
    assert may_reuse(corp_sqlite, joe) and may_reuse(corp_sqlite, eve)  # the domain's administrators own it
    give(corp_sqlite, joe.user)
    assert may_reuse(corp_sqlite, joe)
    assert not may_reuse(corp_sqlite, eve)
    assert not may_reuse(corp_sqlite, corp_sqlite.admin)
    give(corp_sqlite, corp_sqlite.admin.user)
    assert may_reuse(corp_sqlite, eve)


def test_an_account_of_a_group_is_joined_again_by_its_members(corp_sqlite: Corp, joe: Token) -> None:
    join(corp_sqlite, joe, "CN=Computers")
    group = corp_sqlite.sid(corp_sqlite.group("joiners"))
    give(corp_sqlite, group)
    assert not may_reuse(corp_sqlite, joe)
    corp_sqlite.modify("CN=joiners,CN=Users", add_values("member", corp_sqlite.dn("CN=joe,CN=Users")))
    assert may_reuse(corp_sqlite, corp_sqlite.token("joe"))


def test_an_owner_on_the_allow_list_is_trusted(corp_sqlite: Corp, joe: Token) -> None:
    join(corp_sqlite, joe, "CN=Computers")
    corp_sqlite.user("svc", "Tr0ub4dor&3")
    owner = corp_sqlite.token("svc").user
    give(corp_sqlite, owner)
    assert not may_reuse(corp_sqlite, joe)
    assert not may_reuse(corp_sqlite, joe, f"O:BAG:BAD:(A;;CC;;;{joe.user})")
    assert may_reuse(corp_sqlite, joe, f"O:BAG:BAD:(A;;CC;;;{owner})")


def test_an_account_of_nobody_known_is_not_joined_again(corp_sqlite: Corp, joe: Token) -> None:
    join(corp_sqlite, joe, "CN=Computers")
    give(corp_sqlite, Sid.parse("S-1-5-21-9-9-9-9"))
    assert refusal(lambda: may_reuse(corp_sqlite, joe))[1] is Win32.ERROR_ACCESS_DENIED
    row = corp_sqlite.row("CN=joe,CN=Users")
    refused = refusal(lambda: corp_sqlite.read(lambda ctx: machine_accounts.may_reuse(ctx, row), joe))
    assert refused[1] is Win32.ERROR_INVALID_PARAMETER


# --- managed service accounts, [MS-ADTS] 3.1.1.5.3.1.1.4 ---------------------------------------------------


def test_a_managed_service_account_takes_the_names_of_its_host_alone(corp_sqlite: Corp, joe: Token) -> None:
    join(corp_sqlite, joe, "CN=Computers")
    msa = "CN=svc,CN=Managed Service Accounts"
    corp_sqlite.add(msa, "msDS-ManagedServiceAccount", sAMAccountName="svc$")
    assert corp_sqlite.text(msa, "userAccountControl") == str(0x1022)
    assert corp_sqlite.text(msa, "sAMAccountType") == str(0x3000_0001)
    let(corp_sqlite, joe, msa, "(OA;;SW;f3a64788-5306-11d1-a9c5-0000f80367c1;;{sid})")
    change = replace_values("servicePrincipalName", "MSSQLSvc/pc1.corp.example.com")
    refused = refusal(lambda: corp_sqlite.modify(msa, change, requester=joe))
    assert refused[1] is Win32.ERROR_DS_CONSTRAINT_VIOLATION
    corp_sqlite.modify("CN=pc1,CN=Computers", add_values("msDS-HostServiceAccount", corp_sqlite.dn(msa)))
    corp_sqlite.modify(msa, change, requester=joe)
    web = add_values("servicePrincipalName", "http/pc1")
    corp_sqlite.user("eve", "Tr0ub4dor&3")
    eve = corp_sqlite.token("eve")
    let(corp_sqlite, eve, msa, "(OA;;SW;f3a64788-5306-11d1-a9c5-0000f80367c1;;{sid})")
    refused = refusal(lambda: corp_sqlite.modify(msa, web, requester=eve))
    assert refused[1] is Win32.ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST  # the computer is HOST/pc1
    pc = corp_sqlite.token("pc1$")
    let(corp_sqlite, pc, msa, "(OA;;SW;f3a64788-5306-11d1-a9c5-0000f80367c1;;{sid})")
    corp_sqlite.modify(msa, web, requester=pc)
    other = replace_values("servicePrincipalName", "MSSQLSvc/dc1.corp.example.com")
    refused = refusal(lambda: corp_sqlite.modify(msa, other, requester=joe))
    assert refused[1] is Win32.ERROR_DS_CONSTRAINT_VIOLATION
