"""Tickets that read-only DCs made: for whom they are believed, what of them is; keys that RODCs ask for."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from addc.base.errors import DsError
from addc.codec.krb5 import (
    EncTgsRepPart,
    EncTicketPart,
    KerbKeyListRep,
    KerbKeyListReq,
    PaData,
    TgsRep,
    Ticket,
)
from addc.codec.krb5_numbers import PaType
from addc.codec.pac import (
    GroupMembership,
    Pac,
    PacType,
    pack_ndr_buffer,
    unpack_device_info,
    unpack_logon_info,
)
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.win32 import Win32
from addc.directory import accounts, passwords
from addc.kdc import lookup, tickets
from addc.kdc.pac_build import tgt_buffers
from addc.kdc.ticket_pac import PacSigners, find_pac, pac_entry, sign_pac
from addc.security.krb_keys import Key, KeyUsage, decrypt
from addc.security.token import SYSTEM
from tests.kit.corp import SEALED, Corp, add_values, delete_values, replace_values
from tests.kit.fast_client import Armor, ArmoredTicket
from tests.kit.kdc_corp import TGS, KdcCorp, code_of, service_name
from tests.kit.kdc_realm import SeededRng, Ticketed, make_key
from tests.kit.revealed import reveal

PASSWORD = "Sun.Flow3r"
JOE, RODC = "CN=joe,CN=Users", "CN=RODC1,CN=Computers"
KRBTGT = "CN=krbtgt_rodc,CN=Users"
PROMOTING = replace(SEALED, rodc_promo=True)
DOMAIN_ADMINS, DOMAIN_USERS = 512, 513
FILES = "cifs/files.corp.example.com"


@dataclass
class Branch:
    """A forest with one RODC, and a ticket of joe's that the RODC's krbtgt made."""

    kdc: KdcCorp
    number: int
    key: Key
    kvno: int

    def ticket(
        self,
        key: Key | None = None,
        number: int | None = None,
        *,
        without: int | None = None,
        **parts: Any,
    ) -> Ticketed:
        """It makes joe a domain administrator. without: a kind of PAC buffer. parts: of the ticket."""
        own = self.kdc.log_on("joe", self.kdc.key("joe", PASSWORD))
        realm = self.kdc.directory.read_now("test", SYSTEM, lookup.realm_facts)
        assert realm is not None
        krbtgt = realm.krbtgt.keys.current[18]
        plain = decrypt(krbtgt, int(KeyUsage.TICKET), own.ticket.enc_part.cipher)
        part = EncTicketPart.unpack(plain)
        data = find_pac(part.authorization_data)
        assert data is not None
        key = key or self.key
        buffers = [
            (kind, _promoted(kind, value)) for kind, value in tgt_buffers(Pac.unpack(data)) if kind != without
        ]
        entry = pac_entry(sign_pac(buffers, PacSigners(key, key), None))
        forged = replace(part, authorization_data=(entry,), **parts)
        kvno = (number or self.number) << 16 | self.kvno
        enc = tickets.sealed(key, int(KeyUsage.TICKET), forged.pack(), SeededRng("rodc"), kvno)
        return replace(own, ticket=Ticket(realm=own.ticket.realm, sname=own.ticket.sname, enc_part=enc))


def _promoted(kind: int, value: bytes) -> bytes:
    if kind != PacType.LOGON_INFO:
        return value
    info = unpack_logon_info(value)
    groups = (*(info.group_ids or ()), GroupMembership(DOMAIN_ADMINS, 7))
    return pack_ndr_buffer(replace(info, group_ids=groups))


@pytest.fixture
def branch(corp_sqlite: Corp) -> Branch:
    corp = corp_sqlite
    corp.user("joe", PASSWORD)
    corp.add(RODC, "computer", sAMAccountName="RODC1$", userAccountControl=str(0x0400_1000))
    corp.add(KRBTGT, "user", options=PROMOTING)
    corp.modify(RODC, add_values("msDS-KrbTgtLink", corp.dn(KRBTGT)), requester=SYSTEM)
    corp.group("branch")
    corp.modify(RODC, add_values("msDS-RevealOnDemandGroup", corp.dn("CN=branch,CN=Users")))
    corp.modify("CN=branch,CN=Users", add_values("member", corp.dn(JOE)))
    corp.write(lambda ctx: reveal(ctx, corp.dn(RODC), corp.dn(JOE)), SYSTEM)
    number = int(corp.text(KRBTGT, "msDS-SecondaryKrbTgtNumber"))
    row = corp.row(KRBTGT)
    keys = corp.read(lambda ctx: passwords.keys_of(ctx, row))
    key = next(one for one in keys.current.keys if one.etype == 18)
    return Branch(KdcCorp(corp), number, key, keys.kvno)


def granted(branch: Branch, tgt: Ticketed, reply: bytes) -> tuple[EncTgsRepPart, EncTicketPart, Pac]:
    """What the reply of krbtgt tells the client, and what the new TGT says."""
    assert code_of(reply) == Code.KDC_ERR_NONE
    rep = TgsRep.unpack(reply)
    told = EncTgsRepPart.unpack(decrypt(tgt.session, KeyUsage.TGS_REP_ENC_PART_SESSION, rep.enc_part.cipher))
    realm = branch.kdc.directory.read_now("test", SYSTEM, lookup.realm_facts)
    assert realm is not None
    part = EncTicketPart.unpack(
        decrypt(realm.krbtgt.keys.current[18], int(KeyUsage.TICKET), rep.ticket.enc_part.cipher)
    )
    data = find_pac(part.authorization_data)
    assert data is not None
    return told, part, Pac.unpack(data)


def key_list_request(*etypes: int) -> PaData:
    return PaData(int(PaType.KERB_KEY_LIST_REQ), KerbKeyListReq(etypes).pack())


def test_the_promotion_names_and_numbers_the_krbtgt(branch: Branch) -> None:
    """[MS-ADTS] 3.1.1.3.4.1.23."""
    corp = branch.kdc.corp
    assert corp.text(KRBTGT, "sAMAccountName") == f"krbtgt{branch.number}"
    assert int(corp.text(KRBTGT, "userAccountControl")) == 0x10202
    found = corp.read(lambda ctx: accounts.row_by_sam(ctx, f"krbtgt{branch.number}"))
    assert found is not None and 0 < branch.number < 65_536


def test_who_may_not_install_replicas_may_not_promote(branch: Branch) -> None:
    corp = branch.kdc.corp
    with pytest.raises(DsError) as refused:
        corp.add("CN=other,CN=Users", "user", requester=corp.token("joe"), options=PROMOTING)
    assert refused.value.code == Win32.ERROR_ACCESS_DENIED


def test_groups_that_an_rodc_claims_are_not_believed(branch: Branch) -> None:
    kdc, tgt = branch.kdc, branch.ticket()
    assert code_of(kdc.get(tgt, "ldap/dc1.corp.example.com")) == Code.KDC_ERR_NONE
    _, part, pac = granted(branch, tgt, kdc.get(tgt, TGS))
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
    asked = tgt.tgs_req(key_list_request(23, 18), realm=tgt.crealm, sname=TGS, till=tgt.part.endtime).raw
    reply = kdc.service.answer_now(asked, "test").reply
    assert reply is not None
    told, _, _ = granted(branch, tgt, reply)
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
    asked = tgt.tgs_req(key_list_request(23), realm=tgt.crealm, sname=TGS, till=tgt.part.endtime).raw
    reply = kdc.service.answer_now(asked, "test").reply
    assert reply is not None
    told, _, _ = granted(branch, tgt, reply)
    assert PaType.KERB_KEY_LIST_REP not in {one.padata_type for one in told.encrypted_pa_data or ()}
