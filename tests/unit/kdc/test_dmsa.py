"""Delegated managed accounts over Kerberos: who acts as one, with which keys and groups, and who does not."""

import pytest

from addc.base.clock import FileTime
from addc.codec.krb5 import (
    EncTgsRepPart,
    EncTicketPart,
    KerbDmsaKeyPackage,
    KerbSupersededByUser,
    KrbError,
    MethodData,
    TgsRep,
)
from addc.codec.krb5_numbers import PaType
from addc.codec.pac import Pac, PacType, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.directory import managed_passwords, passwords
from addc.kdc.ticket_pac import find_pac
from addc.security.gkdi import MAX_CLOCK_SKEW_FT
from addc.security.krb_keys import KeyUsage, decrypt
from tests.kit.corp import replace_values
from tests.kit.delegated import HEIR, PASSWORD, SERVICE, SPN, Migration
from tests.kit.kdc_corp import REALM, TGS, KdcCorp, code_of
from tests.kit.kdc_realm import Ticketed, client_name
from tests.kit.s4u import pa_x509_user

MACHINE_PASSWORD = "Mach1ne.Password"
UNCONDITIONAL = 0x2800_0000
"""As impacket asks: unconditional delegation, the reply signed."""


def log_on(kdc: KdcCorp, name: str) -> Ticketed:
    return kdc.log_on(name, kdc.key(name, MACHINE_PASSWORD, is_computer=True))


def ask(kdc: KdcCorp, ticket: Ticketed, name: str = "heir$", options: int = UNCONDITIONAL) -> bytes:
    """What the machine of a ticket is answered when it asks for a TGT in that name."""
    nonce = 7 if options else 42  # as impacket does it; the request's own is 42
    padata = pa_x509_user(ticket.session, client_name(name), REALM, nonce=nonce, options=options)
    till = FileTime(kdc.now + 36_000_000_000)
    request = ticket.tgs_req(padata, realm=REALM, sname=TGS, till=till)
    reply = kdc.service.answer_now(request.raw, "test").reply
    assert reply is not None
    return reply


def opened(kdc: KdcCorp, ticket: Ticketed, data: bytes) -> tuple[TgsRep, EncTgsRepPart, EncTicketPart]:
    assert code_of(data) == Code.KDC_ERR_NONE, code_of(data).name
    reply = TgsRep.unpack(data)
    part = EncTgsRepPart.unpack(
        decrypt(ticket.session, KeyUsage.TGS_REP_ENC_PART_SESSION, reply.enc_part.cipher)
    )
    sealed = reply.ticket.enc_part
    row = kdc.corp.row("CN=krbtgt,CN=Users")
    krbtgt = kdc.corp.read(lambda ctx: passwords.keys_of(ctx, row)).key(sealed.etype)
    assert krbtgt is not None
    return reply, part, EncTicketPart.unpack(decrypt(krbtgt, KeyUsage.TICKET, sealed.cipher))


def package(part: EncTgsRepPart) -> KerbDmsaKeyPackage:
    (found,) = [
        one.padata_value
        for one in part.encrypted_pa_data or ()
        if one.padata_type == PaType.KERB_DMSA_KEY_PACKAGE
    ]
    return KerbDmsaKeyPackage.unpack(found)


def test_a_machine_acts_as_the_account_and_has_its_keys(migration: Migration) -> None:
    """[MS-KILE] 2.2.14: a TGT in its name, its keys, and those of the account that it replaced."""
    corp = migration.corp
    old = {key.value for key in corp.read(lambda ctx: passwords.keys_of(ctx, corp.row(SERVICE))).keys}
    migration.finish()
    kdc = KdcCorp(corp)
    host = log_on(kdc, "HOST1$")
    reply, part, ticket = opened(kdc, host, ask(kdc, host))
    assert str(reply.cname) == str(ticket.cname) == "heir$"
    assert str(reply.ticket.sname) == f"krbtgt/{REALM}"
    found = package(part)
    row = corp.row(HEIR)
    keys = corp.read(lambda ctx: managed_passwords.managed_keys(ctx, row).keys).keys
    assert {(one.keytype, one.keyvalue) for one in found.current_keys} == {
        (int(key.etype), key.value) for key in keys
    }
    assert {one.keyvalue for one in found.previous_keys or ()} == old
    assert found.expiration_interval - found.fetch_interval == MAX_CLOCK_SKEW_FT
    got = Ticketed(host.client, reply.ticket, part, reply.cname, reply.crealm)
    assert code_of(kdc.get(got, "ldap/dc1.corp.example.com")) == Code.KDC_ERR_NONE
    assert code_of(kdc.get(host, SPN)) == Code.KDC_ERR_NONE


def test_the_ticket_has_the_groups_of_the_account_that_was_replaced(migration: Migration) -> None:
    corp = migration.corp
    group = corp.group("svc-readers")
    corp.modify("CN=svc-readers,CN=Users", replace_values("member", corp.dn(SERVICE)))
    migration.finish()
    kdc = KdcCorp(corp)
    host = log_on(kdc, "HOST1$")
    _, _, ticket = opened(kdc, host, ask(kdc, host))
    data = find_pac(ticket.authorization_data)
    assert data is not None
    pac = Pac.unpack(data)
    logon = pac.get(PacType.LOGON_INFO)
    assert logon is not None
    info = unpack_logon_info(logon)
    rids = {one.relative_id for one in info.group_ids or ()}
    assert {int(corp.sid(group).rid()), int(corp.sid(SERVICE).rid())} <= rids
    assert info.user_id == corp.sid(HEIR).rid()
    assert pac.get(PacType.REQUESTOR_SID) == bytes(corp.sid(HEIR))


def test_a_standalone_account_needs_no_pair(migration: Migration) -> None:
    corp = migration.corp
    corp.modify(HEIR, replace_values("msDS-DelegatedMSAState", "3"))
    kdc = KdcCorp(corp)
    host = log_on(kdc, "HOST1$")
    _, part, _ = opened(kdc, host, ask(kdc, host))
    assert package(part).previous_keys is None


@pytest.mark.parametrize("who", ["HOST2$", "HOST1$"])
def test_who_may_not_act_is_refused(migration: Migration, who: str) -> None:
    """Not named by msDS-GroupMSAMembership; or named, with the migration under way."""
    if who == "HOST2$":
        migration.finish()
    else:
        migration.migrate(1)
    kdc = KdcCorp(migration.corp)
    host = log_on(kdc, who)
    assert code_of(ask(kdc, host)) == Code.KDC_ERR_POLICY


@pytest.mark.parametrize("name", ["svc", "Administrator", "HOST2$"])
def test_only_delegated_accounts_are_acted_for(migration: Migration, name: str) -> None:
    """krbtgt's tickets in anybody else's name are not to be had."""
    kdc = KdcCorp(migration.corp)
    host = log_on(kdc, "HOST1$")
    assert code_of(ask(kdc, host, name)) == Code.KDC_ERR_POLICY


def test_without_the_option_it_is_no_such_request(migration: Migration) -> None:
    migration.finish()
    kdc = KdcCorp(migration.corp)
    host = log_on(kdc, "HOST1$")
    assert code_of(ask(kdc, host, options=0)) == Code.KRB_AP_ERR_BADMATCH


@pytest.mark.parametrize(
    ("dn", "attribute", "value"),
    [
        (SERVICE, "msDS-SupersededManagedAccountLink", ()),
        (SERVICE, "msDS-SupersededServiceAccountState", ("1",)),
        (HEIR, "msDS-ManagedAccountPrecededByLink", ()),
    ],
)
def test_half_a_pair_gives_neither_ticket_nor_keys(
    migration: Migration, dn: str, attribute: str, value: tuple[str, ...]
) -> None:
    """CVE-2025-53779: what the account says of itself is not enough."""
    migration.finish()
    migration.corp.modify(dn, replace_values(attribute, *value))
    kdc = KdcCorp(migration.corp)
    host = log_on(kdc, "HOST1$")
    assert code_of(ask(kdc, host)) == Code.KDC_ERR_POLICY


def test_the_heir_of_an_administrator_that_knows_nothing_of_it(migration: Migration) -> None:
    """CVE-2025-53779: links and state of the one side, however they came about, bring no group and no key."""
    corp = migration.corp
    corp.modify(
        HEIR,
        replace_values("msDS-ManagedAccountPrecededByLink", corp.dn("CN=Administrator,CN=Users")),
        replace_values("msDS-DelegatedMSAState", "2"),
    )
    kdc = KdcCorp(corp)
    host = log_on(kdc, "HOST1$")
    assert code_of(ask(kdc, host)) == Code.KDC_ERR_POLICY
    corp.modify(HEIR, replace_values("msDS-DelegatedMSAState", "3"))
    _, part, ticket = opened(kdc, host, ask(kdc, host))
    assert package(part).previous_keys is None
    data = find_pac(ticket.authorization_data)
    assert data is not None
    logon = Pac.unpack(data).get(PacType.LOGON_INFO)
    assert logon is not None
    assert not {500, 512, 519} & {one.relative_id for one in unpack_logon_info(logon).group_ids or ()}


def test_a_replaced_account_is_told_who_replaced_it(migration: Migration) -> None:
    """[MS-KILE] 2.2.13: KERB-SUPERSEDED-BY-USER in a PA-DATA of the error, and no ticket."""
    corp = migration.corp
    kdc = KdcCorp(corp)
    key = kdc.key("svc", PASSWORD)
    before = kdc.log_on("svc", key)
    migration.migrate(1)
    assert code_of(kdc.ask("svc", key)) == Code.KDC_ERR_NONE
    migration.migrate(2)
    for answer in (kdc.ask("svc", key), kdc.ask("svc"), kdc.get(before, "ldap/dc1.corp.example.com")):
        error = KrbError.unpack(answer)
        assert error.error_code == Code.KDC_ERR_CLIENT_REVOKED
        assert error.e_data is not None
        (told,) = MethodData.unpack(error.e_data).padata
        assert told.padata_type == PaType.KERB_SUPERSEDED_BY_USER
        value = KerbSupersededByUser.unpack(told.padata_value)
        assert (str(value.name), value.realm) == ("heir$", REALM)
    migration.migrate(3)
    assert code_of(kdc.ask("svc", key)) == Code.KDC_ERR_NONE
