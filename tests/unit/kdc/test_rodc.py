"""Tickets that read-only DCs made: for whom they are believed, what of them is; keys that RODCs ask for."""

import struct
from dataclasses import replace

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DsError
from addc.codec.krb5 import (
    ApReq,
    EncryptedData,
    EncTicketPart,
    KerbKeyListRep,
    KrbError,
    KrbPriv,
    PrincipalName,
    TgsRep,
)
from addc.codec.krb5_numbers import KdcOptions, PaType
from addc.codec.pac import Pac, PacType, unpack_device_info, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.win32 import Win32
from addc.directory import accounts, passwords
from addc.directory.modify import Change
from addc.kdc import tickets
from addc.kdc.kpasswd import open_kpasswd
from addc.kdc.policy import KdcPolicy
from addc.kdc.ticket_pac import find_pac
from addc.security.krb_keys import KeyUsage, decrypt
from addc.security.token import SYSTEM
from tests.kit.corp import add_values, delete_values, quoted, replace_values
from tests.kit.fast_client import Armor, ArmoredTicket
from tests.kit.kdc_corp import TGS, code_of, service_name
from tests.kit.kdc_realm import client_name, make_key
from tests.kit.rodc_branch import DOMAIN_ADMINS, JOE, KRBTGT, PASSWORD, PROMOTING, RODC, Branch
from tests.kit.s4u import S4U2PROXY, pa_for_user

DOMAIN_USERS = 513
FILES, LDAP = "cifs/files.corp.example.com", "ldap/dc1.corp.example.com"
DAY = 86_400 * TICKS_PER_S
SITE = "CN=Default-First-Site-Name,CN=Sites,CN=Configuration,DC=corp,DC=example,DC=com"


def test_the_promotion_names_and_numbers_the_krbtgt(branch: Branch) -> None:
    """[MS-ADTS] 3.1.1.3.4.1.23."""
    corp = branch.kdc.corp
    assert corp.text(KRBTGT, "sAMAccountName") == f"krbtgt_{branch.number}"
    assert int(corp.text(KRBTGT, "userAccountControl")) == 0x10202
    found = corp.read(lambda ctx: accounts.row_by_sam(ctx, f"krbtgt_{branch.number}"))
    assert found is not None and 0 < branch.number < 65_536


def test_who_may_not_install_replicas_may_not_promote(branch: Branch) -> None:
    corp = branch.kdc.corp
    with pytest.raises(DsError) as refused:
        corp.add("CN=other,CN=Users", "user", requester=corp.token("joe"), options=PROMOTING)
    assert refused.value.code == Win32.ERROR_ACCESS_DENIED


def test_groups_that_an_rodc_claims_are_not_believed(branch: Branch) -> None:
    kdc, tgt = branch.kdc, branch.ticket()
    assert code_of(kdc.get(tgt, LDAP)) == Code.KDC_ERR_NONE
    _, part, pac = branch.granted(tgt, kdc.get(tgt, TGS))
    logon = pac.get(PacType.LOGON_INFO)
    assert logon is not None and str(part.cname) == "joe"
    assert DOMAIN_ADMINS not in {one.relative_id for one in unpack_logon_info(logon).group_ids or ()}


def test_who_may_not_be_revealed_gets_nothing(branch: Branch) -> None:
    corp = branch.kdc.corp
    corp.modify(RODC, add_values("msDS-NeverRevealGroup", corp.dn("CN=branch,CN=Users")))
    assert code_of(branch.kdc.get(branch.ticket(), TGS)) == Code.KDC_ERR_TGT_REVOKED


def test_a_disabled_account_gets_nothing(branch: Branch) -> None:
    tgt = branch.ticket()
    branch.kdc.corp.modify(JOE, replace_values("userAccountControl", "514"))
    assert code_of(branch.kdc.get(tgt, TGS)) == Code.KDC_ERR_CLIENT_REVOKED


def test_another_key_or_number_makes_no_ticket(branch: Branch) -> None:
    wrong_key = branch.ticket(make_key(18, "stranger"))
    assert code_of(branch.kdc.get(wrong_key, TGS)) == Code.KRB_AP_ERR_MODIFIED
    unknown = branch.ticket(number=branch.number ^ 1)
    assert code_of(branch.kdc.get(unknown, TGS)) == Code.KRB_AP_ERR_BADKEYVER


def test_the_nt_hash_of_an_rodcs_krbtgt_makes_no_ticket(branch: Branch) -> None:
    row = branch.kdc.corp.row(KRBTGT)
    keys = branch.kdc.corp.read(lambda ctx: passwords.keys_of(ctx, row))
    weak = next(one for one in keys.current.keys if one.etype == 23)
    assert code_of(branch.kdc.get(branch.ticket(weak), TGS)) == Code.KRB_AP_ERR_BADKEYVER


def test_devices_of_an_rodcs_tickets_are_only_in_the_groups_that_they_are_in(branch: Branch) -> None:
    """Its armor keeps secrets as any other does; what it says of the device's groups is not believed."""
    kdc = branch.kdc
    kdc.corp.user("box", PASSWORD)
    kdc.corp.user(
        "files",
        PASSWORD,
        servicePrincipalName=FILES,
        **{"msDS-SupportedEncryptionTypes": str(0x20018)},
    )
    own = kdc.log_on("box", kdc.key("box", PASSWORD))

    def armored() -> bytes:
        by = ArmoredTicket(own, Armor(branch.ticket()))
        request = by.tgs_req(realm=own.crealm, sname=service_name(FILES), till=own.part.endtime)
        reply = kdc.service.answer_now(request.raw, "test").reply
        assert reply is not None
        return reply

    reply = armored()
    assert code_of(reply) == Code.KDC_ERR_NONE
    files = kdc.key("files", PASSWORD)
    plain = decrypt(files, int(KeyUsage.TICKET), TgsRep.unpack(reply).ticket.enc_part.cipher)
    data = find_pac(EncTicketPart.unpack(plain).authorization_data)
    assert data is not None
    device = Pac.unpack(data).get(PacType.DEVICE_INFO)
    assert device is not None
    groups = {one.relative_id for one in unpack_device_info(device).account_group_ids or ()}
    assert DOMAIN_ADMINS not in groups and DOMAIN_USERS in groups
    branch.kdc.corp.modify(RODC, delete_values("msDS-RevealOnDemandGroup"))
    assert code_of(armored()) == Code.KDC_ERR_TGT_REVOKED


def test_the_keys_that_an_rodc_asks_for(branch: Branch) -> None:
    """KERB-KEY-LIST-REQ: those of the types asked for, and only with a ticket that the RODC made."""
    kdc, tgt = branch.kdc, branch.ticket()
    told, _, _ = branch.granted(tgt, branch.with_key_list(tgt, 23, 18))
    [value] = [
        one.padata_value
        for one in told.encrypted_pa_data or ()
        if one.padata_type == PaType.KERB_KEY_LIST_REP
    ]
    keys = {one.keytype: one.keyvalue for one in KerbKeyListRep.unpack(value).keys}
    assert keys[18] == kdc.key("joe", PASSWORD).value and set(keys) == {23, 18}


def test_a_plain_ticket_lists_no_keys(branch: Branch) -> None:
    kdc = branch.kdc
    tgt = kdc.log_on("joe", kdc.key("joe", PASSWORD))
    told, _, _ = branch.granted(tgt, branch.with_key_list(tgt, 23))
    assert PaType.KERB_KEY_LIST_REP not in {one.padata_type for one in told.encrypted_pa_data or ()}


# --- for whom ---


def test_whose_secrets_the_rodc_never_got_has_no_ticket_of_it(branch: Branch) -> None:
    """An RODC makes tickets for whom it knows; it may ask for the keys of whom it may know."""
    kdc, tgt = branch.kdc, branch.ticket()
    kdc.corp.modify(RODC, delete_values("msDS-RevealedUsers"), requester=SYSTEM)
    assert code_of(kdc.get(tgt, LDAP)) == Code.KDC_ERR_TGT_REVOKED
    assert code_of(kdc.get(tgt, TGS)) == Code.KDC_ERR_TGT_REVOKED
    assert code_of(branch.with_key_list(tgt, 18)) == Code.KDC_ERR_NONE
    kdc.corp.modify(RODC, delete_values("msDS-RevealOnDemandGroup"))
    assert code_of(branch.with_key_list(tgt, 18)) == Code.KDC_ERR_TGT_REVOKED


def test_an_rodc_is_known_to_itself(branch: Branch) -> None:
    branch.kdc.corp.modify(RODC, replace_values("unicodePwd", quoted(PASSWORD)))
    assert branch.code(LDAP, of="RODC1$") == Code.KDC_ERR_NONE


@pytest.mark.parametrize(
    "change", [replace_values("userAccountControl", str(0x1000)), delete_values("msDS-KrbTgtLink")]
)
def test_a_krbtgt_without_its_rodc_makes_no_ticket(branch: Branch, change: Change) -> None:
    tgt = branch.ticket()
    branch.kdc.corp.modify(RODC, change, requester=SYSTEM)
    assert code_of(branch.kdc.get(tgt, LDAP)) == Code.KDC_ERR_POLICY


def test_two_resets_of_an_rodcs_krbtgt_make_its_tickets_worthless(branch: Branch) -> None:
    tgt = branch.ticket()
    for expected in (Code.KDC_ERR_NONE, Code.KRB_AP_ERR_BADKEYVER):
        branch.kdc.corp.modify(KRBTGT, replace_values("unicodePwd", quoted(PASSWORD)))
        assert code_of(branch.kdc.get(tgt, LDAP)) == expected


# --- what of a ticket ---


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (PacType.REQUESTOR_SID, Code.KDC_ERR_TGT_REVOKED),
        (PacType.CLIENT_INFO, Code.KDC_ERR_TGT_REVOKED),
        (PacType.ATTRIBUTES_INFO, Code.KDC_ERR_NONE),
    ],
)
def test_what_the_pac_of_an_rodc_must_have(branch: Branch, kind: PacType, code: Code) -> None:
    assert branch.code(LDAP, without=int(kind)) == code


@pytest.mark.parametrize(("other", "code"), [(0, Code.KDC_ERR_NONE), (1, Code.KRB_AP_ERR_MODIFIED)])
def test_the_signature_names_the_rodc(branch: Branch, other: int, code: Code) -> None:
    """[MS-PAC] 2.8: RODCIdentifier."""
    assert branch.code(LDAP, identifier=branch.number ^ other) == code


@pytest.mark.parametrize(
    ("more", "option"),
    [
        (0, KdcOptions.RENEWABLE),
        (tickets.RENEWABLE, KdcOptions.RENEW),
        (tickets.INVALID, KdcOptions.VALIDATE),
    ],
)
def test_no_ticket_lasts_longer_than_after_a_logon_here(
    branch: Branch, more: int, option: KdcOptions
) -> None:
    """The PAC of what was renewed and validated is the directory's too, and tells of no PAC-REQUEST."""
    kdc = branch.kdc
    far = FileTime(kdc.now + 3650 * DAY)
    flags = tickets.RENEWABLE | tickets.FORWARDABLE | more
    tgt = branch.ticket(flags=flags, starttime=kdc.now, endtime=far, renew_till=far)
    reply = kdc.get(tgt, TGS, kdc_options=int(option), till=far, rtime=far)
    _, part, pac = branch.granted(tgt, reply)
    assert part.endtime <= kdc.now + DAY // 2 and not part.flags & tickets.INVALID
    assert part.renew_till is not None and part.renew_till <= kdc.now + 7 * DAY
    assert pac.get(PacType.REQUESTOR_SID) is not None and pac.get(PacType.ATTRIBUTES_INFO) is None
    logon = pac.get(PacType.LOGON_INFO)
    assert logon is not None
    assert DOMAIN_ADMINS not in {one.relative_id for one in unpack_logon_info(logon).group_ids or ()}


def test_a_logon_that_is_to_come_is_none(branch: Branch) -> None:
    """Its authtime would put off for ever that the account is looked at again."""
    later = FileTime(branch.kdc.now + DAY)
    assert branch.code(LDAP, authtime=later, starttime=branch.kdc.now) == Code.KRB_AP_ERR_TKT_NYV


def test_tickets_for_changes_of_passwords_are_no_tgts(branch: Branch) -> None:
    """An RODC makes kadmin/changepw's with the same key; they last two minutes."""
    soon = FileTime(branch.kdc.now + 120 * TICKS_PER_S)
    assert branch.code(LDAP, endtime=soon) == Code.KRB_AP_ERR_TKT_EXPIRED


def test_who_is_sensitive_cannot_be_delegated_by_an_rodc(branch: Branch) -> None:
    kdc = branch.kdc
    for uac, expected in (("512", tickets.FORWARDABLE), (str(512 | 0x10_0000), 0)):
        kdc.corp.modify(JOE, replace_values("userAccountControl", uac))
        tgt = branch.ticket(flags=tickets.FORWARDABLE | tickets.PRE_AUTHENT)
        reply = kdc.get(tgt, TGS, kdc_options=int(KdcOptions.FORWARDABLE))
        assert branch.granted(tgt, reply)[1].flags & tickets.FORWARDABLE == expected


# --- what for ---


def test_services_do_not_ask_for_users_with_an_rodcs_ticket(branch: Branch) -> None:
    """S4U2Self: the error is that of Windows."""
    branch.kdc.corp.modify(JOE, add_values("servicePrincipalName", "host/joe"))
    tgt = branch.ticket()
    user = pa_for_user(tgt.session, client_name("joe"), tgt.crealm)
    request = tgt.tgs_req(user, realm=tgt.crealm, sname=service_name("joe"), till=tgt.part.endtime)
    reply = branch.kdc.service.answer_now(request.raw, "test").reply
    assert reply is not None and code_of(reply) == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN


def test_user_to_user_with_a_ticket_of_an_rodc(branch: Branch) -> None:
    kdc, theirs = branch.kdc, branch.ticket()
    kdc.corp.user("ann", PASSWORD)
    own = kdc.log_on("ann", kdc.key("ann", PASSWORD))

    def asked() -> Code:
        options = int(KdcOptions.ENC_TKT_IN_SKEY)
        return code_of(kdc.get(own, "joe", kdc_options=options, additional_tickets=(theirs.ticket,)))

    assert asked() == Code.KDC_ERR_NONE
    kdc.corp.modify(RODC, delete_values("msDS-RevealOnDemandGroup"))
    assert asked() == Code.KDC_ERR_TGT_REVOKED


def test_a_service_goes_on_for_a_user_with_an_rodcs_ticket(branch: Branch) -> None:
    """S4U2Proxy: the evidence is this KDC's; the service is who the RODC says, in its own groups alone."""
    kdc = branch.kdc
    kdc.corp.modify(
        JOE, add_values("servicePrincipalName", "host/joe"), add_values("msDS-AllowedToDelegateTo", LDAP)
    )
    kdc.corp.user("ann", PASSWORD)
    theirs = kdc.log_on("ann", kdc.key("ann", PASSWORD), kdc_options=int(KdcOptions.FORWARDABLE))
    evidence = TgsRep.unpack(kdc.get(theirs, "host/joe", kdc_options=int(KdcOptions.FORWARDABLE))).ticket

    def asked() -> bytes:
        return kdc.get(branch.ticket(), LDAP, kdc_options=S4U2PROXY, additional_tickets=(evidence,))

    reply = asked()
    assert code_of(reply) == Code.KDC_ERR_NONE and str(TgsRep.unpack(reply).cname) == "ann"
    kdc.corp.modify(RODC, delete_values("msDS-RevealOnDemandGroup"))
    assert code_of(asked()) == Code.KDC_ERR_TGT_REVOKED


def test_the_krbtgt_of_an_rodc_is_neither_client_nor_service(branch: Branch) -> None:
    kdc, name = branch.kdc, f"krbtgt_{branch.number}"
    assert code_of(kdc.ask(name, branch.key)) == Code.KDC_ERR_CLIENT_REVOKED
    own = kdc.log_on("joe", kdc.key("joe", PASSWORD))
    assert code_of(kdc.get(own, name)) == Code.KDC_ERR_SERVICE_REVOKED


def test_an_rodc_is_among_the_enterprises_read_only_dcs(branch: Branch) -> None:
    """[MS-PAC] 4.1.2.2: S-1-5-21-<root>-498 beside its primary group."""
    kdc = branch.kdc
    kdc.corp.modify(RODC, replace_values("unicodePwd", quoted(PASSWORD)))
    tgt = branch.ticket(of="RODC1$")
    logon = branch.granted(tgt, kdc.get(tgt, TGS))[2].get(PacType.LOGON_INFO)
    assert logon is not None
    info = unpack_logon_info(logon)
    told = {one.relative_id for one in info.group_ids or ()} | {
        one.sid.rid() for one in info.extra_sids or () if one.sid is not None
    }
    assert {498, 521} <= told and info.primary_group_id == 521


def test_no_keys_of_a_password_that_is_to_be_changed(branch: Branch) -> None:
    tgt = branch.ticket()
    branch.kdc.corp.modify(JOE, replace_values("pwdLastSet", "0"))
    assert code_of(branch.with_key_list(tgt, 18)) == Code.KDC_ERR_KEY_EXPIRED


def test_passwords_are_not_changed_with_an_rodcs_ticket(branch: Branch) -> None:
    """A ticket for kadmin/changepw under the key of an RODC's krbtgt."""
    ticket = replace(branch.ticket().ticket, sname=PrincipalName(2, ("kadmin", "changepw")))
    sealed = EncryptedData(etype=18, cipher=bytes(40))
    ap_req = ApReq(ap_options=0, ticket=ticket, authenticator=sealed).pack()
    priv = KrbPriv(enc_part=sealed).pack()
    head = struct.pack(">HHH", 6 + len(ap_req) + len(priv), 1, len(ap_req))
    reply = open_kpasswd(head + ap_req + priv, branch.realm(), KdcPolicy(), branch.kdc.now)
    assert isinstance(reply, bytes)
    assert KrbError.unpack(reply[6:]).error_code == Code.KRB_AP_ERR_BADKEYVER


# --- the promotion ---


def test_the_promotion_may_add_the_settings_of_the_new_dc(branch: Branch) -> None:
    """[MS-ADTS] 3.1.1.3.4.1.23: nTDSDSA, a class that is the system's without the control."""
    corp, server = branch.kdc.corp, f"CN=RODC1,CN=Servers,{SITE}"
    corp.add(server, "server")
    with pytest.raises(DsError) as refused:
        corp.add(f"CN=NTDS Settings,{server}", "nTDSDSA")
    assert refused.value.code == Win32.ERROR_DS_CANT_ADD_SYSTEM_ONLY
    corp.add(f"CN=NTDS Settings,{server}", "nTDSDSA", options=PROMOTING, values={"options": "37"})
    assert corp.text(f"CN=NTDS Settings,{server}", "options") == "37"
