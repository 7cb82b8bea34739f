"""Files of schema changes: over LDAP as ldifde sends them, and carried out on the data folder.

[MS-ADTS] 3.1.1.2.5, 3.1.1.3.3.13; the published updates Sch89 to Sch91.
"""

from collections.abc import Callable

import pytest

from addc.base.errors import UserError
from addc.codec.ldif import parse
from addc.codes.ldap_result import LdapResult
from addc.directory import schema_report
from addc.directory.api import Directory, Services
from addc.directory.context import WriteContext
from addc.directory.schema_import import Summary, import_records
from addc.ldap import messages as m
from addc.schema.loader import level_file, load_base
from addc.security.token import SYSTEM
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN, CountingRng, StandingClock
from tests.kit.extension import extension, plain
from tests.kit.ldap_desk import Desk
from tests.kit.schema_desk import SCHEMA_DN, SchemaDesk, succeeded

SUDO = f"""\
dn: CN=sudoUser,{SCHEMA_DN}
changetype: add
objectClass: top
objectClass: attributeSchema
attributeID: 1.3.6.1.4.1.15953.9.1.1
attributeSyntax: 2.5.5.5
isSingleValued: FALSE
lDAPDisplayName: sudoUser
oMSyntax: 22
searchFlags: 1

dn: CN=sudoCommand,{SCHEMA_DN}
changetype: add
objectClass: attributeSchema
attributeID: 1.3.6.1.4.1.15953.9.1.3
attributeSyntax: 2.5.5.5
isSingleValued: FALSE
lDAPDisplayName: sudoCommand
oMSyntax: 22

dn:
changetype: modify
add: schemaUpdateNow
schemaUpdateNow: 1
-

dn: CN=sudoRole,{SCHEMA_DN}
changetype: add
objectClass: classSchema
governsID: 1.3.6.1.4.1.15953.9.2.1
lDAPDisplayName: sudoRole
objectClassCategory: 1
subClassOf: top
rDNAttID: cn
possSuperiors: container
possSuperiors: organizationalUnit
mayContain: sudoUser
mayContain: sudoCommand
defaultObjectCategory: CN=sudoRole,{SCHEMA_DN}

dn:
changetype: modify
replace: schemaUpdateNow
schemaUpdateNow: 1
-
"""
OPENSSH = f"""\
dn: CN=sshPublicKey,{SCHEMA_DN}
changetype: add
objectClass: attributeSchema
attributeID: 1.3.6.1.4.1.24552.500.1.1.1.13
attributeSyntax: 2.5.5.10
isSingleValued: FALSE
lDAPDisplayName: sshPublicKey
oMSyntax: 4

dn: CN=ldapPublicKey,{SCHEMA_DN}
changetype: add
objectClass: classSchema
governsID: 1.3.6.1.4.1.24552.500.1.1.2.0
lDAPDisplayName: ldapPublicKey
objectClassCategory: 3
subClassOf: top
mayContain: 1.3.6.1.4.1.24552.500.1.1.1.13

dn: CN=User,{SCHEMA_DN}
changetype: modify
add: auxiliaryClass
auxiliaryClass: 1.3.6.1.4.1.24552.500.1.1.2.0
-

dn:
changetype: modify
add: schemaUpdateNow
schemaUpdateNow: 1
-
"""


@pytest.fixture
def directory(corp_sqlite: Corp) -> Directory:
    return Directory(
        corp_sqlite.store, load_base(), Services(StandingClock(corp_sqlite.now), CountingRng(b"import"))
    )


def over_ldap(schema: SchemaDesk, text: str) -> int:
    """Send a file as a client does; how many requests that were."""
    count = 0
    for record in plain(list(parse(text)), DOMAIN_DN):
        if record.kind == "add":
            parts = tuple(m.PartialAttribute(name, values) for name, values in record.attributes)
            succeeded(schema.client.ask(m.AddRequest(record.dn, parts)))
        else:
            changes = tuple(
                m.Change(part.op, m.PartialAttribute(part.attribute, part.values))
                for part in record.modifications
            )
            succeeded(schema.client.ask(m.ModifyRequest(record.dn, changes)))
        count += 1
    return count


def carry_out(directory: Directory, text: str, *, upgrade: bool = False, dry_run: bool = False) -> Summary:
    def write(work: Callable[[WriteContext], Summary]) -> Summary:
        return directory.write_now("test", SYSTEM, work)

    return import_records(write, list(parse(text)), upgrade=upgrade, dry_run=dry_run)


def test_the_schema_of_sudo(desk: Desk) -> None:
    schema = SchemaDesk.open(desk)
    over_ldap(schema, SUDO)
    role = f"CN=admins,CN=Users,{DOMAIN_DN}"
    succeeded(schema.add(role, "sudoRole", sudoUser=["alice", "%wheel"], sudoCommand="ALL"))
    (found,) = schema.search(DOMAIN_DN, "(&(objectClass=sudoRole)(sudoUser=%wheel))")
    assert found["sudoUser"] == [b"alice", b"%wheel"]


def test_keys_of_openssh_on_users(desk: Desk) -> None:
    """An auxiliary class of the user class: statically linked, so that objectClass does not show it."""
    desk.corp.user("alice")
    schema = SchemaDesk.open(desk)
    over_ldap(schema, OPENSSH)
    alice = f"CN=alice,CN=Users,{DOMAIN_DN}"
    succeeded(schema.modify(alice, (0, "sshPublicKey", "ssh-ed25519 AAAA alice")))
    found = schema.read(alice, "sshPublicKey", "objectClass", "allowedAttributes")
    assert found["sshPublicKey"] == [b"ssh-ed25519 AAAA alice"]
    assert b"ldapPublicKey" not in found["objectClass"]
    assert b"sshPublicKey" in found["allowedAttributes"]


def test_an_extension_in_the_style_of_large_products(desk: Desk) -> None:
    """Names of what came before, updates in between, links in pairs, additions to the base schema."""
    schema = SchemaDesk.open(desk)
    assert over_ldap(schema, extension(60, 12, block=20)) == 60 + 12 + 9
    user = f"CN=bob,CN=Users,{DOMAIN_DN}"
    succeeded(schema.add(user, "user", sAMAccountName="bob", extAttr0="zero"))
    thing = f"CN=thing,CN=Users,{DOMAIN_DN}"
    succeeded(schema.add(thing, "extClass5", extAttr25="7", extAttr24="text"))
    assert schema.read(thing, "objectCategory")["objectCategory"] == [schema.dn("ext-Class5").encode()]
    info = schema.read(SCHEMA_DN, "schemaInfo")["schemaInfo"][0]
    assert int.from_bytes(info[1:5], "big") == 60 + 12 + 2


def test_the_same_file_on_the_data_folder(directory: Directory) -> None:
    summary = carry_out(directory, extension(60, 12, block=20))
    assert summary == Summary(added=72, modified=2)
    assert carry_out(directory, extension(60, 12, block=20)) == Summary(modified=2, present=72)
    report = directory.read_now("test", SYSTEM, schema_report.report)
    assert (report.changes, report.pending_s, len(report.attributes_changed)) == (76, None, 60)


def test_a_dry_run_keeps_nothing(directory: Directory) -> None:
    assert carry_out(directory, SUDO, dry_run=True).added == 3
    directory.read_now("test", SYSTEM, lambda ctx: None)
    assert directory.schema.attribute("sudoUser") is None
    assert directory.read_now("test", SYSTEM, schema_report.report).changes == 0


def test_a_file_is_carried_out_as_a_whole_or_not_at_all(directory: Directory) -> None:
    broken = SUDO.replace("mayContain: sudoCommand", "mayContain: sudoNothing")
    with pytest.raises(UserError, match=r"line 27: add of CN=sudoRole,.*ERROR_INVALID_PARAMETER"):
        carry_out(directory, broken)
    assert directory.read_now("test", SYSTEM, schema_report.report).changes == 0


def test_a_file_that_is_no_upgrade_leaves_the_base_schema(directory: Directory) -> None:
    """[MS-ADTS] 3.1.1.2.5.1.2"""
    text = (
        f"dn: CN=Surname,{SCHEMA_DN}\nchangetype: modify\nreplace: lDAPDisplayName\nlDAPDisplayName: x\n-\n"
    )
    with pytest.raises(UserError, match="ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD"):
        carry_out(directory, text)


def test_version_91(directory: Directory) -> None:
    """Windows Server 2025: delegated managed service accounts, and what came along."""
    path = level_file(91)
    assert path is not None
    text = path.read_text(encoding="utf-8")
    assert carry_out(directory, text, upgrade=True) == Summary(added=11, modified=15)
    report = directory.read_now("test", SYSTEM, schema_report.report)
    assert (report.version, report.attributes, report.classes) == (91, 1506, 270)
    schema = directory.schema
    account = schema.class_("msDS-DelegatedManagedServiceAccount")
    state = schema.attribute("msDS-SupersededServiceAccountState")
    user, computer = schema.class_("user"), schema.class_("computer")
    assert account is not None and state is not None and user is not None and computer is not None
    assert account.is_a(computer.class_id) and state.att_id in user.may
    assert state.oid == "1.2.840.113556.1.4.2371" and state.is_base_schema
    assert state.att_id == schema.prefixes.att_id(state.oid)
    assert carry_out(directory, text, upgrade=True) == Summary(modified=15, present=11)


def test_deletions_are_refused(directory: Directory) -> None:
    """[MS-ADTS] 3.1.1.2.5"""
    with pytest.raises(UserError, match="ERROR_DS_CANT_DELETE"):
        carry_out(directory, f"dn: CN=Surname,{SCHEMA_DN}\nchangetype: delete\n")


def test_lookups_of_names_stand_ins(directory: Directory) -> None:
    text = SUDO.replace(SCHEMA_DN, "#schemaNamingContext")
    assert carry_out(directory, text).added == 3


def test_results_are_those_of_ldap(desk: Desk) -> None:
    """What a file may not do, a client may not either."""
    schema = SchemaDesk.open(desk)
    answer = schema.modify(schema.dn("Surname"), (2, "lDAPDisplayName", "x"))
    assert answer.result_code == LdapResult.UNWILLING_TO_PERFORM
