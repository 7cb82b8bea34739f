"""One well-filled value of each Kerberos message."""

from typing import Final, TypeVar

from addc.base.clock import from_unix
from addc.codec import krb5
from addc.codec.ber import Value
from addc.codec.krb5_numbers import NameType

WHEN: Final = from_unix(1_700_000_000)
LATER: Final = from_unix(1_700_036_000)
REALM: Final = "EXAMPLE.COM"
CLIENT: Final = krb5.PrincipalName(NameType.KRB_NT_PRINCIPAL, ("user",))
KRBTGT: Final = krb5.PrincipalName(NameType.KRB_NT_SRV_INST, ("krbtgt", REALM))
KEY: Final = krb5.EncryptionKey(18, bytes(range(32)))
SEALED: Final = krb5.EncryptedData(etype=18, kvno=2, cipher=bytes(range(150)))
CHECKSUM: Final = krb5.Checksum(-138, bytes(16))
ADDRESS: Final = krb5.HostAddress(2, bytes((127, 0, 0, 1)))
PADATA: Final = (krb5.PaData(128, bytes.fromhex("3005a0030101ff")), krb5.PaData(149, b""))
AUTHORIZATION_DATA: Final = (krb5.AuthorizationDataEntry(1, b"x" * 20), krb5.AuthorizationDataEntry(128, b""))
TICKET: Final = krb5.Ticket(realm=REALM, sname=KRBTGT, enc_part=SEALED)

BODY: Final = krb5.KdcReqBody(
    kdc_options=0x4081_0010,
    cname=CLIENT,
    realm=REALM,
    sname=KRBTGT,
    from_=WHEN,
    till=LATER,
    rtime=LATER,
    nonce=0xFEDC_BA98,
    etype=(18, 17, 23, 24, -135, 3),
    addresses=(ADDRESS, krb5.HostAddress(20, b"PC8             ")),
    enc_authorization_data=krb5.EncryptedData(etype=18, cipher=b"auth"),
    additional_tickets=(TICKET,),
)
BODY_OF_AS: Final = krb5.KdcReqBody(
    kdc_options=0x4081_0010, cname=CLIENT, realm=REALM, sname=KRBTGT, till=LATER, nonce=7, etype=(18, 17)
)
_Part = TypeVar("_Part", bound=krb5.EncKdcRepPart)


def rep_part(cls: type[_Part]) -> _Part:
    """The encrypted part of a reply as one of its classes."""
    return cls(
        key=KEY,
        last_req=(krb5.LastReqEntry(0, WHEN), krb5.LastReqEntry(6, LATER)),
        nonce=7,
        key_expiration=LATER,
        flags=0x40E1_0000,
        authtime=WHEN,
        starttime=WHEN,
        endtime=LATER,
        renew_till=LATER,
        srealm=REALM,
        sname=KRBTGT,
        caddr=(ADDRESS,),
        encrypted_pa_data=(krb5.PaData(165, b"\x1f\0\0\0"),),
    )


SAMPLES: Final[tuple[Value, ...]] = (
    TICKET,
    krb5.EncTicketPart(
        flags=0x40E1_0000,
        key=KEY,
        crealm=REALM,
        cname=CLIENT,
        transited=krb5.TransitedEncoding(1, b"A.B,C.D"),
        authtime=WHEN,
        starttime=WHEN,
        endtime=LATER,
        renew_till=LATER,
        caddr=(ADDRESS,),
        authorization_data=AUTHORIZATION_DATA,
    ),
    BODY,
    krb5.AsReq(padata=PADATA, req_body=BODY_OF_AS),
    krb5.TgsReq(padata=PADATA, req_body=BODY),
    krb5.AsRep(padata=PADATA, crealm=REALM, cname=CLIENT, ticket=TICKET, enc_part=SEALED),
    krb5.TgsRep(crealm=REALM, cname=CLIENT, ticket=TICKET, enc_part=SEALED),
    rep_part(krb5.EncAsRepPart),
    rep_part(krb5.EncTgsRepPart),
    krb5.ApReq(ap_options=0x2000_0000, ticket=TICKET, authenticator=SEALED),
    krb5.Authenticator(
        crealm=REALM,
        cname=CLIENT,
        cksum=CHECKSUM,
        cusec=999_999,
        ctime=WHEN,
        subkey=KEY,
        seq_number=0xFFFF_FFFF,
        authorization_data=AUTHORIZATION_DATA,
    ),
    krb5.ApRep(enc_part=SEALED),
    krb5.EncApRepPart(ctime=WHEN, cusec=0, subkey=KEY, seq_number=1),
    krb5.KrbSafe(safe_body=krb5.KrbSafeBody(user_data=b"u", s_address=ADDRESS), cksum=CHECKSUM),
    krb5.KrbPriv(enc_part=SEALED),
    krb5.EncKrbPrivPart(
        user_data=b"u", timestamp=WHEN, usec=5, seq_number=7, s_address=ADDRESS, r_address=ADDRESS
    ),
    krb5.KrbCred(tickets=(TICKET, TICKET), enc_part=SEALED),
    krb5.EncKrbCredPart(
        ticket_info=(
            krb5.KrbCredInfo(
                key=KEY,
                prealm=REALM,
                pname=CLIENT,
                flags=0x4000_0000,
                authtime=WHEN,
                starttime=WHEN,
                endtime=LATER,
                renew_till=LATER,
                srealm=REALM,
                sname=KRBTGT,
                caddr=(ADDRESS,),
            ),
        ),
        nonce=1,
        timestamp=WHEN,
        usec=2,
        s_address=ADDRESS,
        r_address=ADDRESS,
    ),
    krb5.KrbError(
        ctime=WHEN,
        cusec=1,
        stime=WHEN,
        susec=2,
        error_code=25,
        crealm=REALM,
        cname=CLIENT,
        realm=REALM,
        sname=KRBTGT,
        e_text="préauth",
        e_data=krb5.MethodData(PADATA).pack(),
    ),
    krb5.MethodData(PADATA),
    krb5.AuthorizationData(AUTHORIZATION_DATA),
    krb5.TypedData((krb5.TypedDataEntry(1, b"x"), krb5.TypedDataEntry(-2))),
    krb5.PaEncTsEnc(WHEN, 123_456),
    krb5.EtypeInfo((krb5.EtypeInfoEntry(23), krb5.EtypeInfoEntry(3, b"salt"))),
    krb5.EtypeInfo2(
        (krb5.EtypeInfo2Entry(18, "EXAMPLE.COMuser"), krb5.EtypeInfo2Entry(23, None, b"\0\0\x10\0"))
    ),
    krb5.AdKdcIssued(ad_checksum=CHECKSUM, i_realm=REALM, i_sname=KRBTGT, elements=AUTHORIZATION_DATA),
    krb5.AdAndOr(1, AUTHORIZATION_DATA),
    krb5.ChangePasswdData(newpasswd=b"p", targname=CLIENT, targrealm=REALM),
    krb5.PaAuthenticationSet((krb5.PaAuthenticationSetElem(138, b"h", b"v"),)),
    krb5.PaFxFastRequest(
        krb5.KrbFastArmoredReq(armor=krb5.KrbFastArmor(1, b"ap"), req_checksum=CHECKSUM, enc_fast_req=SEALED)
    ),
    krb5.KrbFastReq(fast_options=0x4000_0000, padata=PADATA, req_body=BODY_OF_AS),
    krb5.PaFxFastReply(krb5.KrbFastArmoredRep(SEALED)),
    krb5.KrbFastResponse(
        padata=PADATA,
        strengthen_key=KEY,
        finished=krb5.KrbFastFinished(
            timestamp=WHEN, usec=1, crealm=REALM, cname=CLIENT, ticket_checksum=CHECKSUM
        ),
        nonce=7,
    ),
    krb5.KerbErrorData(3, krb5.KerbExtError(0xC000_0234).pack()),
    krb5.PaPacRequest(False),
    krb5.KerbAdRestrictionEntry(0, bytes(40)),
    krb5.PaPacOptions(0x9000_0000),
    krb5.KerbKeyListReq((23, -133)),
    krb5.KerbKeyListRep((KEY,)),
    krb5.KerbSupersededByUser(CLIENT, REALM),
    krb5.KerbDmsaKeyPackage(
        current_keys=(KEY,), previous_keys=(KEY,), expiration_interval=WHEN, fetch_interval=LATER
    ),
    krb5.PaForUser(user_name=CLIENT, user_realm=REALM, cksum=CHECKSUM),
    krb5.PaS4uX509User(
        krb5.S4uUserId(
            nonce=7, cname=CLIENT, crealm=REALM, subject_certificate=b"\x30\x00", options=0x2000_0000
        ),
        CHECKSUM,
    ),
)
