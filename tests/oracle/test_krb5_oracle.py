"""Our Kerberos bytes against two independent declarations of the same ASN.1, in both directions.

impacket declares it in pyasn1, minikerberos in asn1crypto (and knows FAST). Each must read what we write, and
we must read the same value out of what they write then. asn1crypto shortens flags below 32 bits.
"""

from dataclasses import fields
from typing import Any

import pytest
from impacket.krb5 import asn1 as impacket
from minikerberos.protocol import asn1_structs as mini
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import univ, useful

from addc.codec import krb5
from addc.codec.ber import Value
from addc.codec.times import kerberos_time
from tests.kit import krb5_samples

IMPACKET: dict[type[Value], Any] = {
    krb5.Ticket: impacket.Ticket,
    krb5.EncTicketPart: impacket.EncTicketPart,
    krb5.KdcReqBody: impacket.KDC_REQ_BODY,
    krb5.AsReq: impacket.AS_REQ,
    krb5.TgsReq: impacket.TGS_REQ,
    krb5.AsRep: impacket.AS_REP,
    krb5.TgsRep: impacket.TGS_REP,
    krb5.EncAsRepPart: impacket.EncASRepPart,
    krb5.EncTgsRepPart: impacket.EncTGSRepPart,
    krb5.ApReq: impacket.AP_REQ,
    krb5.Authenticator: impacket.Authenticator,
    krb5.ApRep: impacket.AP_REP,
    krb5.EncApRepPart: impacket.EncAPRepPart,
    krb5.KrbSafe: impacket.KRB_SAFE,
    krb5.KrbPriv: impacket.KRB_PRIV,
    krb5.EncKrbPrivPart: impacket.EncKrbPrivPart,
    krb5.KrbCred: impacket.KRB_CRED,
    krb5.EncKrbCredPart: impacket.EncKrbCredPart,
    krb5.KrbError: impacket.KRB_ERROR,
    krb5.MethodData: impacket.METHOD_DATA,
    krb5.AuthorizationData: impacket.AuthorizationData,
    krb5.PaEncTsEnc: impacket.PA_ENC_TS_ENC,
    krb5.EtypeInfo: impacket.ETYPE_INFO,
    krb5.EtypeInfo2: impacket.ETYPE_INFO2,
    krb5.AdKdcIssued: impacket.AD_KDCIssued,
    krb5.AdAndOr: impacket.AD_AND_OR,
    krb5.KerbErrorData: impacket.KERB_ERROR_DATA,
    krb5.PaPacRequest: impacket.KERB_PA_PAC_REQUEST,
    krb5.PaPacOptions: impacket.PA_PAC_OPTIONS,
    krb5.KerbKeyListReq: impacket.KERB_KEY_LIST_REQ,
    krb5.KerbKeyListRep: impacket.KERB_KEY_LIST_REP,
    krb5.KerbSupersededByUser: impacket.KERB_SUPERSEDED_BY_USER,
    krb5.PaForUser: impacket.PA_FOR_USER_ENC,
    krb5.PaS4uX509User: impacket.PA_S4U_X509_USER,
}
MINI: dict[type[Value], Any] = {
    krb5.Ticket: mini.Ticket,
    krb5.EncTicketPart: mini.EncTicketPart,
    krb5.KdcReqBody: mini.KDC_REQ_BODY,
    krb5.AsReq: mini.AS_REQ,
    krb5.TgsReq: mini.TGS_REQ,
    krb5.AsRep: mini.AS_REP,
    krb5.TgsRep: mini.TGS_REP,
    krb5.EncAsRepPart: mini.EncASRepPart,
    krb5.EncTgsRepPart: mini.EncTGSRepPart,
    krb5.ApReq: mini.AP_REQ,
    krb5.Authenticator: mini.Authenticator,
    krb5.KrbPriv: mini.KRB_PRIV,
    krb5.KrbError: mini.KRB_ERROR,
    krb5.ChangePasswdData: mini.ChangePasswdDataMS,
    krb5.PaFxFastRequest: mini.PA_FX_FAST_REQUEST,
    krb5.KrbFastReq: mini.KrbFastReq,
    krb5.PaFxFastReply: mini.PA_FX_FAST_REPLY,
    krb5.KrbFastResponse: mini.KrbFastResponse,
    krb5.KerbDmsaKeyPackage: mini.KERB_DMSA_KEY_PACKAGE,
}


def _samples(known: dict[type[Value], Any]) -> list[Value]:
    found = [sample for sample in krb5_samples.SAMPLES if type(sample) in known]
    assert {type(sample) for sample in found} == set(known)
    return found


def _same(ours: object, theirs: Any) -> None:
    """Compare a value of ours with the oracle's, down to the leaves."""
    if ours is None:
        assert theirs is univ.noValue or not theirs.isValue
    elif isinstance(theirs, univ.BitString):
        assert ours == theirs.asInteger() << 32 - len(theirs)
    elif isinstance(theirs, useful.GeneralizedTime):
        assert isinstance(ours, int)
        assert kerberos_time(ours) == bytes(theirs)
    elif isinstance(ours, Value):
        names = fields(ours)  # type: ignore[arg-type]
        if isinstance(theirs, univ.SequenceOf):
            return _same(getattr(ours, names[0].name), theirs)
        assert len(theirs.componentType) == len(names)
        for index, field in enumerate(names):
            _same(getattr(ours, field.name), theirs.getComponentByPosition(index, instantiate=False))
    elif isinstance(ours, tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            _same(one, other)
    elif isinstance(ours, str):
        assert ours.encode() == bytes(theirs)
    elif isinstance(ours, bytes):
        assert ours == bytes(theirs)
    else:
        assert ours == int(theirs)
    return None


@pytest.mark.parametrize("sample", _samples(IMPACKET), ids=lambda sample: type(sample).__name__)
def test_impacket_reads_and_writes_the_same(sample: Value) -> None:
    ours = sample.pack()
    theirs, rest = decoder.decode(ours, asn1Spec=IMPACKET[type(sample)]())
    assert rest == b""
    _same(sample, theirs)
    again = encoder.encode(theirs)
    assert again == ours
    assert type(sample).unpack(again) == sample


@pytest.mark.parametrize("sample", _samples(MINI), ids=lambda sample: type(sample).__name__)
def test_minikerberos_reads_and_writes_the_same(sample: Value) -> None:
    ours = sample.pack()
    theirs = MINI[type(sample)].load(ours, strict=True)
    assert theirs.native is not None
    assert type(sample).unpack(theirs.dump(force=True)) == sample
