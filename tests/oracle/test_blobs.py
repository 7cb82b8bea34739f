"""Our binary attribute values as Samba reads them, and Samba's as we do."""

import struct

from addc.base.clock import FileTime
from addc.base.ids import AttId, Usn
from addc.codec import blobs
from addc.codec.blobs import (
    AuthInformation,
    KerbKeyData,
    KerbKeyDataNew,
    KerbStoredCredential,
    KerbStoredCredentialNew,
    PropertyMetaData,
    ReplPropertyMetaData,
    ReplUpToDateVector,
    RepsFrom,
    SchemaInfo,
    TrustAuthInfo,
    UpToDateCursor,
    UserProperties,
)
from addc.codec.forest_trust import DomainInfo, ForestTrustInfo, TopLevelName
from addc.codec.ids import Sid
from tests.kit.samba_bindings import ask_samba

_A = bytes(range(16))
_B = bytes(range(16, 32))

_READ = """
from samba.dcerpc import drsblobs
blob = bytes.fromhex(given["blob"])
value = ndr_unpack(getattr(drsblobs, given["type"]), blob)
again = ndr_pack(value)
answer = {"again": again.hex()}
"""


def _samba_agrees(kind: str, data: bytes) -> None:
    """Samba unpacks these bytes and packs the same."""
    assert ask_samba(_READ, {"type": kind, "blob": data.hex()})["again"] == data.hex()


def test_property_meta_data() -> None:
    value = ReplPropertyMetaData(
        (
            PropertyMetaData(AttId(0x3), 1, 13_000_000_000, _A, Usn(7), Usn(9)),
            PropertyMetaData(AttId(0x900DD), 3, 13_000_000_001, _B, Usn(1), Usn(1)),
        )
    )
    data = value.pack()
    _samba_agrees("replPropertyMetaDataBlob", data)
    answer = ask_samba(
        _READ
        + """
first = value.ctr.array[0]
answer = {"attid": first.attid, "version": first.version, "usn": first.originating_usn,
          "local": first.local_usn, "count": value.ctr.count}
""",
        {"type": "replPropertyMetaDataBlob", "blob": data.hex()},
    )
    assert answer == {"attid": 3, "version": 1, "usn": 7, "local": 9, "count": 2}


def test_up_to_date_vector() -> None:
    value = ReplUpToDateVector((UpToDateCursor(_A, Usn(1), 2), UpToDateCursor(_B, Usn(3), 4)))
    _samba_agrees("replUpToDateVectorBlob", value.pack())


def test_schema_info() -> None:
    _samba_agrees("schemaInfoBlob", SchemaInfo(77, _A).pack())


def test_reps_from() -> None:
    value = RepsFrom(
        "0c4b3a29._msdcs.example.com", _A, _B, replica_flags=0x70, usn_vector=(10, 0, 11), last_success_s=5
    )
    data = value.pack()
    answer = ask_samba(
        _READ
        + """
one = value.ctr
answer = {"address": one.other_info.dns_name, "flags": one.replica_flags,
          "high": one.highwatermark.highest_usn}
""",
        {"type": "repsFromToBlob", "blob": data.hex()},
    )
    assert answer == {"address": "0c4b3a29._msdcs.example.com", "flags": 0x70, "high": 11}


def test_reps_from_of_samba() -> None:
    answer = ask_samba(
        """
from samba.dcerpc import drsblobs, misc
value = drsblobs.repsFromToBlob()
value.version = 1
one = drsblobs.repsFromTo1()
other = drsblobs.repsFromTo1OtherInfo()
other.dns_name = given["address"]
one.other_info = other
one.source_dsa_obj_guid = misc.GUID(bytes.fromhex(given["dsa"]))
one.replica_flags = 0x10
value.ctr = one
answer = {"blob": ndr_pack(value).hex()}
""",
        {"address": "dc._msdcs.example.com", "dsa": _A.hex()},
    )
    read = RepsFrom.unpack(bytes.fromhex(str(answer["blob"])))
    assert (read.address, read.uuid_dsa_obj, read.replica_flags) == ("dc._msdcs.example.com", _A, 0x10)


def test_supplemental_credentials() -> None:
    keys = KerbStoredCredentialNew(
        b"EXAMPLE.COMalice",
        4096,
        (KerbKeyDataNew(4096, 18, b"A" * 32), KerbKeyDataNew(4096, 17, b"B" * 16)),
        (),
        (KerbKeyDataNew(4096, 18, b"C" * 32),),
        (KerbKeyDataNew(4096, 17, b"D" * 16),),
    )
    old = KerbStoredCredential(
        b"EXAMPLE.COMalice", (KerbKeyData(3, b"12345678"), KerbKeyData(1, b"12345678"))
    )
    data = UserProperties.of(
        [
            (blobs.KERBEROS_NEWER_KEYS, keys.pack()),
            (blobs.KERBEROS, old.pack()),
            (blobs.CLEARTEXT, "pässword".encode("utf-16-le")),
        ]
    ).pack()
    answer = ask_samba(
        """
from samba.dcerpc import drsblobs
sub = ndr_unpack(drsblobs.supplementalCredentialsBlob, bytes.fromhex(given)).sub
found = {one.name: bytes.fromhex(one.data) for one in sub.packages}
new = ndr_unpack(drsblobs.package_PrimaryKerberosBlob, found["Primary:Kerberos-Newer-Keys"])
des = ndr_unpack(drsblobs.package_PrimaryKerberosBlob, found["Primary:Kerberos"])
def keys(group):
    return [[one.keytype, bytes(one.value).hex()] for one in group]
answer = {
    "names": [one.name for one in sub.packages],
    "packages": found["Packages"].decode("utf-16-le").split("\\0"),
    "version": new.version, "salt": new.ctr.salt.string, "rounds": new.ctr.default_iteration_count,
    "keys": keys(new.ctr.keys), "old": keys(new.ctr.old_keys), "older": keys(new.ctr.older_keys),
    "des": keys(des.ctr.keys), "des_version": des.version,
}
""",
        data.hex(),
    )
    assert answer == {
        "names": ["Primary:Kerberos-Newer-Keys", "Primary:Kerberos", "Packages", "Primary:CLEARTEXT"],
        "packages": ["Kerberos-Newer-Keys", "Kerberos", "CLEARTEXT"],
        "version": 4,
        "salt": "EXAMPLE.COMalice",
        "rounds": 4096,
        "keys": [[18, (b"A" * 32).hex()], [17, (b"B" * 16).hex()]],
        "old": [[18, (b"C" * 32).hex()]],
        "older": [[17, (b"D" * 16).hex()]],
        "des": [[3, b"12345678".hex()], [1, b"12345678".hex()]],
        "des_version": 3,
    }


def test_supplemental_credentials_of_samba() -> None:
    answer = ask_samba(
        """
from samba.dcerpc import drsblobs
ctr = drsblobs.package_PrimaryKerberosCtr4()
salt = drsblobs.package_PrimaryKerberosString()
salt.string = "EXAMPLE.COMbob"
ctr.salt = salt
ctr.default_iteration_count = 4096
key = drsblobs.package_PrimaryKerberosKey4()
key.iteration_count = 4096
key.keytype = 18
key.value = b"K" * 32
key.value_len = 32
ctr.keys = [key]
ctr.num_keys = 1
blob = drsblobs.package_PrimaryKerberosBlob()
blob.version = 4
blob.ctr = ctr
answer = {"blob": ndr_pack(blob).hex()}
""",
        None,
    )
    read = KerbStoredCredentialNew.unpack(bytes.fromhex(str(answer["blob"])))
    assert read == KerbStoredCredentialNew(b"EXAMPLE.COMbob", 4096, (KerbKeyDataNew(4096, 18, b"K" * 32),))


def test_trust_secrets() -> None:
    clear = AuthInformation(FileTime(132_000_000_000_000_000), blobs.TRUST_AUTH_TYPE_CLEAR, b"s\0e\0c\0")
    version = AuthInformation(
        FileTime(132_000_000_000_000_000), blobs.TRUST_AUTH_TYPE_VERSION, struct.pack("<I", 3)
    )
    data = TrustAuthInfo((clear, version), (clear, version)).pack()
    answer = ask_samba(
        _READ
        + """
answer = {"count": value.count, "current": bytes(value.current.array[0].AuthInfo.password).hex(),
          "previous": value.previous.array[1].AuthInfo.version}
""",
        {"type": "trustAuthInOutBlob", "blob": data.hex()},
    )
    assert answer == {"count": 2, "current": b"s\0e\0c\0".hex(), "previous": 3}


def test_forest_trust_info() -> None:
    sid = Sid.parse("S-1-5-21-1-2-3")
    value = ForestTrustInfo(
        (
            TopLevelName("partner.test", timestamp=FileTime(130_000_000_000_000_000)),
            TopLevelName("sub.partner.test", excluded=True),
            DomainInfo(sid, "partner.test", "PARTNER", flags=8),
        )
    )
    data = value.pack()
    _samba_agrees("ForestTrustInfo", data)
    answer = ask_samba(
        _READ
        + """
records = [one.record for one in value.records]
answer = {"types": [one.type for one in records], "name": records[0].data.string,
          "sid": str(records[2].data.sid), "netbios": records[2].data.netbios_name.string}
""",
        {"type": "ForestTrustInfo", "blob": data.hex()},
    )
    assert answer == {"types": [0, 1, 2], "name": "partner.test", "sid": str(sid), "netbios": "PARTNER"}
