"""A forest with a read-only DC whose krbtgt's key is known: tickets as a broken-into RODC would make them."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from addc.base.clock import FileTime
from addc.codec.krb5 import EncTgsRepPart, EncTicketPart, KerbKeyListReq, PaData, TgsRep, Ticket
from addc.codec.krb5_numbers import PaType
from addc.codec.pac import (
    GroupMembership,
    Pac,
    PacClientInfo,
    PacSignatureData,
    PacType,
    pack_ndr_buffer,
    unpack_logon_info,
)
from addc.codes.krb_error import KrbErrorCode as Code
from addc.directory import passwords
from addc.kdc import lookup, tickets
from addc.kdc.facts import RealmFacts
from addc.kdc.pac_build import tgt_buffers
from addc.kdc.ticket_pac import PacSigners, find_pac, pac_entry, sign_pac
from addc.security.krb_keys import Key, KeyUsage, checksum, decrypt
from addc.security.token import SYSTEM
from tests.kit.corp import SEALED, Corp, add_values
from tests.kit.kdc_corp import TGS, KdcCorp, code_of
from tests.kit.kdc_realm import SeededRng, Ticketed
from tests.kit.revealed import reveal

PASSWORD = "Sun.Flow3r"
JOE, RODC = "CN=joe,CN=Users", "CN=RODC1,CN=Computers"
KRBTGT = "CN=krbtgt_rodc,CN=Users"
PROMOTING = replace(SEALED, rodc_promo=True)
DOMAIN_ADMINS = 512
_SERVER, _KDC = int(PacType.SERVER_CHECKSUM), int(PacType.PRIVSVR_CHECKSUM)


@dataclass
class Branch:
    """The forest, number and key of its RODC. joe's secrets are the RODC's to hold, and it has them."""

    kdc: KdcCorp
    number: int
    key: Key
    kvno: int

    def realm(self) -> RealmFacts:
        found = self.kdc.directory.read_now("test", SYSTEM, lookup.realm_facts)
        assert found is not None
        return found

    def ticket(
        self,
        key: Key | None = None,
        number: int | None = None,
        *,
        of: str = "joe",
        without: int | None = None,
        identifier: int | None = None,
        **parts: Any,
    ) -> Ticketed:
        """A TGT that claims that its client is a domain administrator.

        without: a kind of PAC buffer. identifier: in the KDC's signature. parts: of the ticket.
        """
        own = self.kdc.log_on(of, self.kdc.key(of, PASSWORD, is_computer=of.endswith("$")))
        key = key or self.key
        krbtgt = self.realm().krbtgt.keys.current[18]
        plain = decrypt(krbtgt, int(KeyUsage.TICKET), own.ticket.enc_part.cipher)
        part = replace(EncTicketPart.unpack(plain), **parts)
        data = find_pac(part.authorization_data)
        assert data is not None
        buffers = [
            (kind, _forged(kind, value, part.authtime))
            for kind, value in tgt_buffers(Pac.unpack(data))
            if kind != without
        ]
        forged = replace(part, authorization_data=(pac_entry(_signed(buffers, key, identifier)),))
        kvno = (number or self.number) << 16 | self.kvno
        enc = tickets.sealed(key, int(KeyUsage.TICKET), forged.pack(), SeededRng("rodc"), kvno)
        return replace(own, ticket=Ticket(realm=own.ticket.realm, sname=own.ticket.sname, enc_part=enc))

    def code(self, service: str, **parts: Any) -> Code:
        """The answer to who asks for a service with a ticket that has these parts."""
        return code_of(self.kdc.get(self.ticket(**parts), service))

    def with_key_list(self, tgt: Ticketed, *etypes: int) -> bytes:
        """The reply to a request for a TGT and keys."""
        padata = PaData(int(PaType.KERB_KEY_LIST_REQ), KerbKeyListReq(etypes).pack())
        asked = tgt.tgs_req(padata, realm=tgt.crealm, sname=TGS, till=tgt.part.endtime).raw
        reply = self.kdc.service.answer_now(asked, "test").reply
        assert reply is not None
        return reply

    def granted(self, tgt: Ticketed, reply: bytes) -> tuple[EncTgsRepPart, EncTicketPart, Pac]:
        """What the reply of krbtgt tells the client, and what the new TGT says."""
        assert code_of(reply) == Code.KDC_ERR_NONE
        rep = TgsRep.unpack(reply)
        plain = decrypt(tgt.session, KeyUsage.TGS_REP_ENC_PART_SESSION, rep.enc_part.cipher)
        krbtgt = self.realm().krbtgt.keys.current[18]
        part = EncTicketPart.unpack(decrypt(krbtgt, int(KeyUsage.TICKET), rep.ticket.enc_part.cipher))
        data = find_pac(part.authorization_data)
        assert data is not None
        return EncTgsRepPart.unpack(plain), part, Pac.unpack(data)


def _forged(kind: int, value: bytes, authtime: FileTime) -> bytes:
    if kind == PacType.CLIENT_INFO:
        return replace(PacClientInfo.unpack(value), client_id=authtime).pack()
    if kind != PacType.LOGON_INFO:
        return value
    info = unpack_logon_info(value)
    groups = (*(info.group_ids or ()), GroupMembership(DOMAIN_ADMINS, 7))
    return pack_ndr_buffer(replace(info, group_ids=groups))


def _signed(buffers: list[tuple[int, bytes]], key: Key, identifier: int | None) -> bytes:
    """A PAC that an RODC signs; its number is zero where the server's signature covers it."""
    if identifier is None:
        return sign_pac(buffers, PacSigners(key, key), None)
    usage, kind, size = int(KeyUsage.KERB_NON_KERB_CKSUM_SALT), int(key.info.cksumtype), key.info.mac_size

    def pac(by_server: bytes, by_kdc: bytes, number: int) -> bytes:
        signatures = (
            (_SERVER, PacSignatureData(kind, by_server).pack()),
            (_KDC, PacSignatureData(kind, by_kdc, number).pack()),
        )
        return Pac((*buffers, *signatures)).pack()

    by_server = checksum(key, usage, pac(bytes(size), bytes(size), 0))
    return pac(by_server, checksum(key, usage, by_server), identifier)


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
