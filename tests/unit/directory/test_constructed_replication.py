"""Constructed attributes about replication and read-only DCs. [MS-ADTS] 3.1.1.4.5.13, .14, .32, .34 - .38."""

import struct
from uuid import UUID

import pytest

from addc.base.ids import AttId, Usn
from addc.codec.blobs import PropertyMetaData, ReplUpToDateVector, RepsFrom, UpToDateCursor, dstime
from addc.directory.controls import RequestOptions
from addc.directory.search import BASE
from addc.schema import attr
from addc.security import sddl
from addc.security.descriptor import map_generic
from addc.security.token import SYSTEM, Token
from addc.store.links import LinkRow
from addc.store.objects import ObjectState, Stamp
from tests.kit.forest import (
    CLOSED,
    CONFIG_DN,
    DOMAIN_DN,
    DOMAIN_SID,
    INVOCATION_ID,
    NOW,
    USERS_DN,
    ForestBuilder,
    KitForest,
)
from tests.kit.searching import ask, values_of

ALICE = f"CN=alice,{USERS_DN}"
DSA = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,{CONFIG_DN}"
OTHER = UUID("99999999-2222-3333-4444-555555555555")
RODC = f"CN=RODC1,OU=Domain Controllers,{DOMAIN_DN}"
MANAGE = "1131f6ac-9c07-11d1-f79f-00c04fc2dcd2"
MONITOR = "f98340fb-7c5b-4cdb-a00b-2ebdfa115a96"
SECRETS = "1131f6ae-9c07-11d1-f79f-00c04fc2dcd2"


def read(
    forest: KitForest, dn: str, attribute: str, who: Token = SYSTEM, **options: object
) -> dict[str, list[bytes]]:
    wanted = RequestOptions(show_recycled=True, **options)  # type: ignore[arg-type]
    return values_of(ask(forest, dn, BASE, attributes=(attribute,), options=wanted, who=who))


def change(forest: KitForest, dn: str, att: AttId, *values: bytes) -> None:
    def work(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(dn))
        assert row is not None
        b.tx.update(row, attrs={**row.attrs, att: values})

    forest.build(work)


def text_at(blob: bytes, offset: int) -> str:
    """The string that a 32-bit field points at."""
    (start,) = struct.unpack_from("<I", blob, offset)
    end = start
    while blob[end : end + 2] != b"\0\0":
        end += 2
    return blob[start:end].decode("utf-16-le")


def test_attribute_stamps_packed(sqlite_forest: KitForest) -> None:
    """[MS-ADTS] 2.2.7."""
    found = read(sqlite_forest, ALICE, "msDS-ReplAttributeMetaData;binary")
    (values,) = found.values()
    assert list(found) == ["msDS-ReplAttributeMetaData;binary"]
    by_name = {text_at(value, 0): value for value in values}
    assert {"objectClass", "sAMAccountName", "sn"} <= set(by_name)
    blob = by_name["sn"]
    version, when, invocation, usn, local = struct.unpack_from("<IQ16sQQ", blob, 4)
    assert (version, when, UUID(bytes_le=invocation)) == (1, NOW, INVOCATION_ID)
    assert usn == local > 0
    assert text_at(blob, 48) == DSA
    assert len(blob) % 4 == 0


def test_link_stamps_packed_and_in_words(sqlite_forest: KitForest) -> None:
    """[MS-ADTS] 2.2.8."""
    group = f"CN=Domain Admins,{USERS_DN}"
    (blob,) = read(sqlite_forest, group, "msDS-ReplValueMetaData;binary").popitem()[1]
    assert text_at(blob, 0) == "member"
    assert text_at(blob, 4) == f"CN=Administrator,{USERS_DN}"
    assert struct.unpack_from("<IIQQI", blob, 8) == (0, 0, 0, NOW, 1)
    assert text_at(blob, 36 + 8 + 16 + 16) == DSA
    (text,) = read(sqlite_forest, group, "msDS-ReplValueMetaData").popitem()[1]
    assert text.startswith(b"<DS_REPL_VALUE_META_DATA>\n\t<pszAttributeName>member</pszAttributeName>\n")
    assert text.endswith(b"</DS_REPL_VALUE_META_DATA>\n\0")
    assert b"<ftimeDeleted>1601-01-01T00:00:00Z</ftimeDeleted>" in text


def test_link_stamps_come_in_ranges(sqlite_forest: KitForest) -> None:
    group = f"CN=many,{USERS_DN}"

    def build(b: ForestBuilder) -> None:
        members = [b.user(f"m{number}", 5000 + number) for number in range(5)]
        b.group("many", DOMAIN_SID.child(5100), members=members)

    sqlite_forest.build(build)
    found = read(sqlite_forest, group, "msDS-ReplValueMetaData;range=1-2")
    assert list(found) == ["msDS-ReplValueMetaData;range=1-2"]
    assert len(found["msDS-ReplValueMetaData;range=1-2"]) == 2
    found = read(sqlite_forest, group, "msDS-ReplValueMetaData;range=3-*")
    assert list(found) == ["msDS-ReplValueMetaData;range=3-*"]
    assert len(found["msDS-ReplValueMetaData;range=3-*"]) == 2


def test_cursors_tell_how_far_each_dc_is_known(sqlite_forest: KitForest) -> None:
    """[MS-DRSR] 4.1.13.2.4: this DC's own is among them."""
    vector = ReplUpToDateVector((UpToDateCursor(OTHER.bytes_le, Usn(4711), dstime(NOW)),))
    change(sqlite_forest, DOMAIN_DN, attr.REPL_UP_TO_DATE_VECTOR, vector.pack())
    (values,) = read(sqlite_forest, DOMAIN_DN, "msDS-NCReplCursors").values()
    assert len(values) == 2
    other = next(value for value in values if str(OTHER).encode() in value)
    assert (
        other
        == (
            f"<DS_REPL_CURSOR>\n\t<uuidSourceDsaInvocationID>{OTHER}</uuidSourceDsaInvocationID>\n"
            "\t<usnAttributeFilter>4711</usnAttributeFilter>\n"
            "\t<ftimeLastSyncSuccess>2022-06-18T04:26:40Z</ftimeLastSyncSuccess>\n"
            "\t<pszSourceDsaDN></pszSourceDsaDN>\n</DS_REPL_CURSOR>\n\0"
        ).encode()
    )
    own = next(value for value in values if value != other)
    assert DSA.encode() in own
    (packed,) = read(sqlite_forest, DOMAIN_DN, "msDS-NCReplCursors;binary").values()
    by_guid = {value[:16]: value for value in packed}
    assert struct.unpack_from("<QQI", by_guid[OTHER.bytes_le], 16) == (4711, NOW, 0)
    assert text_at(by_guid[INVOCATION_ID.bytes_le], 32) == DSA
    assert read(sqlite_forest, USERS_DN, "msDS-NCReplCursors") == {}, "no root of a naming context"


def test_partners(sqlite_forest: KitForest) -> None:
    """[MS-ADTS] 2.2.2, 3.1.1.4.5.14."""
    dsa = sqlite_forest.row(DSA)
    partner = RepsFrom(
        f"{OTHER}._msdcs.example.com",
        dsa.guid,
        uuid_invoc_id=OTHER.bytes_le,
        replica_flags=0x70,
        usn_vector=(100, 0, 90),
        consecutive_failures=2,
        last_success_s=dstime(NOW),
        last_attempt_s=dstime(NOW),
        result_last_attempt=8524,
    )
    change(sqlite_forest, DOMAIN_DN, attr.REPS_FROM, partner.pack())
    (text,) = read(sqlite_forest, DOMAIN_DN, "msDS-NCReplInboundNeighbors").popitem()[1]
    for line in (
        f"<pszNamingContext>{DOMAIN_DN}</pszNamingContext>",
        f"<pszSourceDsaDN>{DSA}</pszSourceDsaDN>",
        f"<pszSourceDsaAddress>{OTHER}._msdcs.example.com</pszSourceDsaAddress>",
        "<dwReplicaFlags>112</dwReplicaFlags>",
        f"<uuidSourceDsaObjGuid>{UUID(bytes_le=dsa.guid)}</uuidSourceDsaObjGuid>",
        "<usnLastObjChangeSynced>100</usnLastObjChangeSynced>",
        "<usnAttributeFilter>90</usnAttributeFilter>",
        "<dwLastSyncResult>8524</dwLastSyncResult>",
        "<cNumConsecutiveSyncFailures>2</cNumConsecutiveSyncFailures>",
    ):
        assert line.encode() in text, line
    (blob,) = read(sqlite_forest, DOMAIN_DN, "msDS-NCReplInboundNeighbors;binary").popitem()[1]
    assert (text_at(blob, 0), text_at(blob, 4)) == (DOMAIN_DN, DSA)
    assert struct.unpack_from("<III", blob, 12) == (0, 0x70, 0), "no transport: RPC over IP"
    assert struct.unpack_from("<QQQQII", blob, 88) == (100, 90, NOW, NOW, 8524, 2)
    assert read(sqlite_forest, DOMAIN_DN, "msDS-NCReplOutboundNeighbors") == {}


@pytest.mark.parametrize(
    "attribute",
    [
        "msDS-NCReplCursors",
        "msDS-NCReplInboundNeighbors",
        "msDS-NCReplOutboundNeighbors",
        "msDS-ReplAttributeMetaData",
    ],
)
def test_replication_state_is_not_for_everybody(sqlite_forest: KitForest, attribute: str) -> None:
    """[MS-ADTS] 3.1.1.4.4: reading the stored attribute, or managing or monitoring the topology."""
    head = f"DC=closed,{DOMAIN_DN}"
    partner = RepsFrom("x", bytes(16)).pack()
    managed = f"(OA;;CR;{MANAGE};;S-1-5-21-1-2-3-6001)(OA;;CR;{MONITOR};;S-1-5-21-1-2-3-6002)"

    def build(b: ForestBuilder) -> None:
        b.add(head, "domainDNS", head=True, acl=CLOSED + managed)
        b.user("manager", 6001)
        b.user("monitor", 6002)
        b.user("nobody", 6003)

    sqlite_forest.build(build)
    for att in (attr.REPS_FROM, attr.REPS_TO):
        change(sqlite_forest, head, att, partner)
    tokens = {name: sqlite_forest.token(f"CN={name},{USERS_DN}") for name in ("manager", "monitor", "nobody")}
    assert read(sqlite_forest, head, attribute)
    assert read(sqlite_forest, head, attribute, tokens["manager"])
    assert bool(read(sqlite_forest, head, attribute, tokens["monitor"])) == attribute.startswith("msDS-NC")
    assert read(sqlite_forest, head, attribute, tokens["nobody"]) == {}


# --- read-only DCs ---


@pytest.fixture
def branch(sqlite_forest: KitForest) -> KitForest:
    """An RODC that may hold the secrets of one group and never those of another."""

    def build(b: ForestBuilder) -> None:
        flags = 0x0400_0000 | 0x1000
        b.add(RODC, "computer", {"userAccountControl": flags}, sid=DOMAIN_SID.child(7000))
        b.add(f"CN=krbtgt_1,{USERS_DN}", "user", sid=DOMAIN_SID.child(7001))
        b.add(f"CN=krbtgt_2,{USERS_DN}", "user", sid=DOMAIN_SID.child(7002))
        b.add(f"CN=RODC2,{USERS_DN}", "computer", {"userAccountControl": flags}, sid=DOMAIN_SID.child(7003))
        b.link(RODC, "msDS-KrbTgtLink", f"CN=krbtgt_1,{USERS_DN}")
        b.link(f"CN=RODC2,{USERS_DN}", "msDS-KrbTgtLink", f"CN=krbtgt_2,{USERS_DN}")
        for rid, name in enumerate(("local", "chief", "other"), 7100):
            b.user(name, rid)
        b.add(f"CN=trust$,{USERS_DN}", "user", {"userAccountControl": 0x800}, sid=DOMAIN_SID.child(7110))
        local, chief = f"CN=local,{USERS_DN}", f"CN=chief,{USERS_DN}"
        b.group("inner", DOMAIN_SID.child(7200), members=[local, chief])
        b.group("allowed", DOMAIN_SID.child(7201), members=[f"CN=inner,{USERS_DN}", f"CN=trust$,{USERS_DN}"])
        b.group("denied", DOMAIN_SID.child(7202), members=[chief])
        b.link(RODC, "msDS-RevealOnDemandGroup", f"CN=allowed,{USERS_DN}")
        b.link(RODC, "msDS-NeverRevealGroup", f"CN=denied,{USERS_DN}")

    sqlite_forest.build(build)
    return sqlite_forest


@pytest.mark.parametrize(
    ("who", "policy"),
    [
        ("local", b"1"), ("chief", b"0"), ("other", b"2"), ("krbtgt_1", b"1"), ("krbtgt_2", b"0"),
        ("trust$", b"0"),
    ],
)  # fmt: skip
def test_whose_secrets_an_rodc_may_hold(branch: KitForest, who: str, policy: bytes) -> None:
    """[MS-DRSR] 4.1.10.5.14."""
    found = read(branch, RODC, "msDS-IsUserCachableAtRodc", dn_input=f"CN={who},{USERS_DN}")
    assert found == {"msDS-IsUserCachableAtRodc": [policy]}


def test_only_rodcs_have_such_a_policy(branch: KitForest) -> None:
    assert read(branch, RODC, "msDS-IsUserCachableAtRodc", dn_input=RODC)["msDS-IsUserCachableAtRodc"] == [
        b"1"
    ]
    assert read(branch, ALICE, "msDS-IsUserCachableAtRodc", dn_input=ALICE) == {}
    assert read(branch, DSA, "msDS-IsUserCachableAtRodc", dn_input=ALICE) == {}
    assert read(branch, RODC, "msDS-IsUserCachableAtRodc", dn_input=f"CN=nobody,{USERS_DN}") == {}


def test_the_policy_is_told_to_those_who_may_replicate_secrets(branch: KitForest) -> None:
    """[MS-ADTS] 3.1.1.4.4; without the control the requester is meant."""
    local = branch.token(f"CN=local,{USERS_DN}")
    assert read(branch, RODC, "msDS-IsUserCachableAtRodc", local) == {}
    acl = f"O:DAG:DAD:(A;;GA;;;BA)(A;;GR;;;AU)(OA;;CR;{SECRETS};;AU)"

    def grant(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(DOMAIN_DN))
        assert row is not None
        packed = map_generic(sddl.parse(acl, DOMAIN_SID, DOMAIN_SID)).pack()
        b.tx.update(row, sd_id=b.tx.put_descriptor(packed))

    branch.build(grant)
    assert read(branch, RODC, "msDS-IsUserCachableAtRodc", local)["msDS-IsUserCachableAtRodc"] == [b"1"]


def test_revealed_secrets_are_listed_while_they_are_the_present_ones(branch: KitForest) -> None:
    """[MS-ADTS] 3.1.1.4.5.34, 3.1.1.4.5.35."""
    local = f"CN=local,{USERS_DN}"
    stamp = Stamp(3, NOW, OTHER.bytes_le, Usn(500), Usn(600))

    def reveal(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(local))
        assert row is not None
        b.tx.update(row, meta={**row.meta, attr.UNICODE_PWD: stamp, attr.NT_PWD_HISTORY: stamp})
        linked = b.schema.attribute("msDS-RevealedUsers")
        assert linked is not None and linked.link_id is not None
        for att, version in ((attr.UNICODE_PWD, 3), (attr.NT_PWD_HISTORY, 2)):
            seen = PropertyMetaData(att, version, dstime(NOW), OTHER.bytes_le, Usn(500), Usn(600))
            data = struct.pack("<IIQ16sQQ", *seen)
            b.tx.put_link(LinkRow(linked.link_id // 2, b.row(RODC), row.dnt, data, int(NOW), 0, stamp))

    branch.build(reveal)
    assert read(branch, RODC, "msDS-RevealedList") == {
        "msDS-RevealedList": [f"S:10:unicodePwd:{local}".encode()]
    }
    assert read(branch, local, "msDS-RevealedListBL") == {"msDS-RevealedListBL": [RODC.encode()]}
    assert read(branch, ALICE, "msDS-RevealedListBL") == {}


# --- deleted objects ---


def test_times_of_deletion_and_recycling(sqlite_forest: KitForest) -> None:
    """[MS-ADTS] 3.1.1.4.5.37, 3.1.1.4.5.38."""
    gone = f"CN=gone,CN=Deleted Objects,{DOMAIN_DN}"
    old = f"CN=old,CN=Deleted Objects,{DOMAIN_DN}"

    def build(b: ForestBuilder) -> None:
        b.add(gone, "user", {"isDeleted": "TRUE"}, state=ObjectState.DELETED)
        b.add(old, "user", {"isDeleted": "TRUE", "isRecycled": "TRUE"}, state=ObjectState.RECYCLED)

    sqlite_forest.build(build)
    when = [b"20220618042640.0Z"]
    deletion, recycling = "msDS-LocalEffectiveDeletionTime", "msDS-LocalEffectiveRecycleTime"
    assert read(sqlite_forest, gone, deletion) == {deletion: when}
    assert read(sqlite_forest, gone, recycling) == {}
    assert read(sqlite_forest, old, recycling) == {recycling: when}
    assert read(sqlite_forest, ALICE, deletion) == {}


def test_builtin_principals_have_a_domain_of_their_own(sqlite_forest: KitForest) -> None:
    """[MS-ADTS] 3.1.1.4.5.27."""
    found = read(sqlite_forest, f"CN=Administrators,{USERS_DN}", "msDS-PrincipalName")
    assert found == {"msDS-PrincipalName": [b"BUILTIN\\Administrators"]}
