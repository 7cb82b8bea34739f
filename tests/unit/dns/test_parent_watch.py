"""Parents of signed zones are asked for the DS of keys that are to take over."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from addc.base.clock import DAY_FT, FileTime
from addc.codec.dns_data import DsData
from addc.codec.dns_message import CLASS_IN, Message, Record
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsRecord, DnsType, NameData
from addc.codec.dns_signing_keys import RolloverStatus
from addc.codes.rcode import Rcode
from addc.directory import dns_signing
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_keys import PublicKey, keys_of, open_keys
from addc.directory.dns_records import write_nodes
from addc.directory.dns_zones import ZoneFacts, ZoneProperties, create_zone, zone_named
from addc.dns.parent_watch import ParentWatch
from addc.security.token import SYSTEM
from addc.security.zone_keys import ds_of
from tests.kit.corp_forest import NOW, StandingClock, create_corp

PARENT, CHILD = "corp.example.com", "sub.corp.example.com"


class Scene:
    """A directory, a clock, and a resolver by script."""

    def __init__(self, folder: Path) -> None:
        self.clock = StandingClock()
        self.directory: Directory = create_corp(f"sqlite:///{folder / 'corp.db'}", self.clock)
        self.asked: list[Message] = []
        self.reply = Message(rcode=Rcode.SERVFAIL)
        self.watch = ParentWatch(self.directory, self.resolve)

    async def resolve(self, request: Message, source: str) -> Message:
        assert request.rd and source == "127.0.0.1"
        self.asked.append(request)
        return self.reply

    def look(self) -> int:
        return asyncio.run(self.watch.look())

    def ksks(self, zone: str) -> list[PublicKey]:
        def work(ctx: ReadContext) -> list[PublicKey]:
            return [one for one in open_keys(ctx, keys_of(_zone(ctx, zone).row)) if one.descriptor.is_ksk]

        return self.directory.read_now("test", SYSTEM, work)

    def until_waiting(self, zone: str) -> PublicKey:
        """Sign, begin a roll, and let time pass to where the parent has to act; the new key."""

        def begin(ctx: WriteContext) -> None:
            if zone == CHILD:
                create_zone(ctx, CHILD, ZoneProperties())
            dns_signing.sign_zone(ctx, _zone(ctx, zone), dns_signing.SignWith())
            dns_signing.begin_roll(ctx, _zone(ctx, zone), is_ksk=True)

        self.directory.write_now("test", SYSTEM, begin)
        assert self.look() == 0 and not self.asked, "nobody waits yet"
        self.clock.when = FileTime(NOW + 3 * DAY_FT)
        self.directory.write_now("test", SYSTEM, dns_signing.step)
        return self.ksks(zone)[1]

    def told(self, zone: str, *shown: DsData) -> None:
        owner = parse_name(zone)
        self.reply = Message(answers=tuple(Record(owner, DnsType.DS, CLASS_IN, 600, one) for one in shown))


def _zone(ctx: ReadContext, name: str) -> ZoneFacts:
    found = zone_named(ctx, name)
    assert found is not None
    return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.directory.close()


def _ds(zone: str, keys: Sequence[PublicKey]) -> list[DsData]:
    return [ds_of(parse_name(zone), one.key) for one in keys]


def test_a_roll_goes_on_when_the_parent_shows_the_new_key(scene: Scene) -> None:
    """[MS-DNSP] 2.2.6.2.3, RFC 7583 3.3.1."""
    new = scene.until_waiting(PARENT)
    old_ds, new_ds = _ds(PARENT, scene.ksks(PARENT))
    assert scene.look() == 0, "nobody could be asked"
    (question,) = scene.asked[-1].questions
    assert (question.name, question.qtype) == (parse_name(PARENT), DnsType.DS)
    scene.told(PARENT)
    assert scene.look() == 0
    scene.told("other.example.com", new_ds)
    assert scene.look() == 0
    scene.told(PARENT, old_ds)
    scene.look()
    assert scene.ksks(PARENT)[1].descriptor.status is RolloverStatus.KSK_WAITING_FOR_DS_UPDATE
    scene.told(PARENT, new_ds)
    assert scene.look() == 1
    (status,) = {one.descriptor.status for one in scene.ksks(PARENT)}
    assert status is RolloverStatus.KSK_WAITING_FOR_DS_TTL
    count = len(scene.asked)
    assert scene.look() == 0 and len(scene.asked) == count, "it is not asked for again"
    scene.clock.when = FileTime(scene.clock.when + 3 * DAY_FT)
    scene.directory.write_now("test", SYSTEM, dns_signing.step)
    assert [one.tag for one in scene.ksks(PARENT)] == [new.tag]


def test_a_parent_of_ours_is_read_not_asked(scene: Scene) -> None:
    new = scene.until_waiting(CHILD)
    assert scene.look() == 0

    def publish(ctx: WriteContext) -> None:
        records = [
            DnsRecord(DnsType.NS, NameData("dc1.corp.example.com")),
            DnsRecord(DnsType.DS, ds_of(parse_name(CHILD), new.key), 600),
        ]
        write_nodes(ctx, _zone(ctx, PARENT), {"sub": records})

    scene.directory.write_now("test", SYSTEM, publish)
    assert scene.look() == 1
    assert not scene.asked
