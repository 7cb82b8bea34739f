"""Our PACs read by Samba's and Impacket's structures, and theirs by us."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from impacket.krb5 import pac as impacket_pac

from addc.codec.ids import Sid
from addc.codec.pac import (
    GroupMembership,
    KerbSidAndAttributes,
    Pac,
    PacAttributesInfo,
    PacClientInfo,
    PacSignatureData,
    S4uDelegationInfo,
    TransitedService,
    UpnDnsInfo,
    pack_ndr_buffer,
    unpack_logon_info,
)
from addc.kdc.pac_build import PacParts
from addc.kdc.ticket_pac import PacSigners, sign_pac
from tests.kit.kdc_realm import ALICE, FACTS, GROUPS, NOW, make_key

ORACLE = Path(__file__).parent / "samba_pac.py"
DOMAIN = Sid.parse("S-1-5-21-1-2-3")


def samba(*pacs: bytes) -> list[dict[str, Any]]:
    lines = "".join(pac.hex() + "\n" for pac in pacs)
    done = subprocess.run(
        ["/usr/bin/python3", str(ORACLE)], input=lines, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def full_pac() -> bytes:
    parts = PacParts(ALICE, GROUPS, FACTS, "alice", True)
    buffers = parts.buffers(NOW, NOW, True)
    info = unpack_logon_info(buffers[0][1])
    info = replace(
        info,
        full_name="Alice Ä",
        logon_count=3,
        resource_group_domain_sid=DOMAIN,
        resource_group_ids=(GroupMembership(1300, 0x20000007),),
        user_flags=0x220,
    )
    buffers[0] = (1, pack_ndr_buffer(info))
    buffers.append((11, pack_ndr_buffer(S4uDelegationInfo("cifs/f", (TransitedService("http/w"),)))))
    return sign_pac(buffers, PacSigners(make_key(17, "server"), make_key(18, "kdc")), b"ticket")


def test_samba_reads_every_buffer() -> None:
    data = full_pac()
    (found,) = samba(data)
    assert found["types"] == [1, 10, 12, 13, 17, 18, 11, 6, 7, 16, 19]
    assert found["logon"] == {
        "account": "alice",
        "full_name": "Alice Ä",
        "server": "DC1",
        "domain": "EXAMPLE",
        "domain_sid": str(DOMAIN),
        "rid": 1104,
        "primary_gid": 513,
        "groups": [[513, 7], [1200, 7]],
        "user_flags": 0x220,
        "acct_flags": 0x10,
        "logon_time": int(NOW),
        "logon_count": 3,
        "sids": [["S-1-5-21-9-9-9-1000", 7], ["S-1-18-1", 7], ["S-1-5-21-0-0-0-497", 7]],
        "resource_domain": str(DOMAIN),
        "resource_groups": [[1300, 0x20000007]],
    }
    assert found["client"] == [int(NOW), "alice"]
    assert found["upn"] == ["alice@example.com", "EXAMPLE.COM", 3, "alice", str(DOMAIN.child(1104))]
    assert found["attributes"] == [2, 1]
    assert found["requester"] == str(DOMAIN.child(1104))
    assert found["delegation"] == ["cifs/f", ["http/w"]]
    signature = PacSignatureData.unpack(Pac.unpack(data).get(6) or b"")
    assert found["server"] == [15, signature.signature.hex()]


def test_we_read_what_samba_packs() -> None:
    data = full_pac()
    (found,) = samba(data)
    theirs = Pac.unpack(bytes.fromhex(found["repacked"]))
    ours = Pac.unpack(data)
    for (kind, mine), (their_kind, other) in zip(ours.buffers, theirs.buffers, strict=True):
        assert kind == their_kind
        if kind == 1:
            assert unpack_logon_info(other) == unpack_logon_info(mine)
        elif kind == 12:
            assert UpnDnsInfo.unpack(other) == UpnDnsInfo.unpack(mine)
        elif kind == 17:
            assert PacAttributesInfo.unpack(other) == PacAttributesInfo.unpack(mine)
        elif kind == 10:
            assert PacClientInfo.unpack(other) == PacClientInfo.unpack(mine)
        elif kind != 11:
            assert mine == other


def test_samba_and_we_agree_on_many_memberships() -> None:
    pacs, wanted = [], []
    for count in range(12):
        groups = tuple(GroupMembership(1000 + index, 7) for index in range(count))
        sids = tuple(KerbSidAndAttributes(DOMAIN.child(index), 7) for index in range(count % 5))
        base = unpack_logon_info(Pac.unpack(full_pac()).buffers[0][1])
        info = replace(base, group_ids=groups or None, extra_sids=sids or None, full_name="x" * count)
        pacs.append(Pac(((1, pack_ndr_buffer(info)),)).pack())
        wanted.append(([[1000 + index, 7] for index in range(count)], len(sids), "x" * count))
    found = [
        (one["logon"]["groups"], len(one["logon"]["sids"]), one["logon"]["full_name"]) for one in samba(*pacs)
    ]
    assert found == wanted


def impacket_reads(buffer: bytes) -> Any:
    body = buffer[20:]  # behind the type serialization's headers and the top-level pointer
    info = impacket_pac.KERB_VALIDATION_INFO()
    info.fromString(body)
    info.fromStringReferents(body[len(info.getData()) :])
    return info


def test_impacket_reads_the_logon_information() -> None:
    info = impacket_reads(Pac.unpack(full_pac()).buffers[0][1])
    assert info["EffectiveName"] == "alice"
    assert info["UserId"] == 1104
    assert [one["RelativeId"] for one in info["GroupIds"]] == [513, 1200]
    assert info["ResourceGroupCount"] == 1


def test_we_read_what_impacket_packs() -> None:
    buffer = Pac.unpack(full_pac()).buffers[0][1]
    outer = impacket_pac.VALIDATION_INFO()
    outer["Data"] = impacket_reads(buffer)
    theirs = outer.getData() + outer.getDataReferents()
    padded = theirs + bytes(-len(theirs) & 7)
    assert unpack_logon_info(padded) == unpack_logon_info(buffer)
