"""Updates of directory zones: who may change which name, whose it is then, and what is written at all."""

from dataclasses import replace

import dns.update
import pytest

from addc.base.clock import DAY_FT, TICKS_PER_S, FileTime
from addc.base.ids import Dnt
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, timestamp_hours
from addc.codes.rcode import Rcode
from addc.directory import dns_records
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_settings import DnsSettings, keep_settings
from addc.directory.dns_zones import Replication, ZoneProperties, ZoneUpdate, create_zone, zone_named
from addc.dns import update_zone
from addc.dns.counters import Count
from addc.security.descriptor import SecurityDescriptor
from tests.kit.corp import Corp, add_values
from tests.kit.dns_desk import ZONE, DnsDesk, update_of
from tests.unit.dns.asking import ZONE as ZONE_DN

REVERSE = "2.0.192.in-addr.arpa"


def machine(corp: Corp, name: str) -> Dnt:
    return corp.add(
        f"CN={name},CN=Computers", "computer", sAMAccountName=f"{name}$", userAccountControl="4096"
    )


@pytest.fixture(autouse=True)
def accounts(corp_sqlite: Corp) -> None:
    machine(corp_sqlite, "pc1")
    machine(corp_sqlite, "pc2")
    corp_sqlite.user("alice")


def registration(name: str, address: str = "192.0.2.101") -> dns.update.UpdateMessage:
    """What a Windows machine sends: no CNAME there, its old addresses out, the new one in."""
    update = update_of()
    update.absent(name, "CNAME")
    update.delete(name, "A")
    update.add(name, 1200, "A", address)
    return update


def addresses(desk: DnsDesk, name: str, zone: str = ZONE) -> list[str]:
    node = desk.node(name, zone)
    found = () if node is None else node.records
    return [".".join(map(str, one.data.address)) for one in found if isinstance(one.data, AData)]


def owner(desk: DnsDesk, name: str) -> object:
    node = desk.node(name)
    assert node is not None
    return descriptor(desk, name).owner


def descriptor(desk: DnsDesk, name: str) -> SecurityDescriptor:
    node = desk.node(name)
    assert node is not None
    return desk.corp.read(lambda ctx: SecurityDescriptor.unpack(ctx.tx.descriptor(node.row.sd_id)))


def allow(desk: DnsDesk, how: ZoneUpdate, zone: str = ZONE) -> None:
    desk.set_zone(lambda facts: replace(facts.properties, allow_update=how), zone)


def static(desk: DnsDesk, name: str, address: str) -> None:
    """As an administrator writes a record."""
    data = AData(bytes(map(int, address.split("."))))
    record = DnsRecord(DnsType.A, data)

    def work(ctx: WriteContext) -> None:
        dns_records.write_nodes(ctx, desk.zone(ctx), {name: (record,)})

    desk.corp.write(work, desk.corp.admin)


# --- who may ---


def test_an_unsigned_update_of_a_secure_zone_is_refused_and_comes_back_as_it_went(dns_desk: DnsDesk) -> None:
    """[MS-GSSA] 3.1.5.3, note 1; W-PER-03."""
    sent = registration("pc1").to_wire()
    (reply,) = dns_desk.send(sent)
    assert reply[4:] == sent[4:]
    assert reply[:2] == sent[:2]
    assert reply[2] == sent[2] | 0x80
    assert reply[3] == Rcode.REFUSED
    assert dns_desk.node("pc1") is None


def test_a_machine_registers_itself_and_owns_its_name(dns_desk: DnsDesk) -> None:
    """RFC 3645 4.2: the record object belongs to the machine account."""
    client = dns_desk.client("pc1$")
    assert client.update(registration("pc1")) is Rcode.NOERROR
    assert addresses(dns_desk, "pc1") == ["192.0.2.101"]
    assert owner(dns_desk, "pc1") == dns_desk.corp.token("pc1$").user
    assert dns_desk.counters[Count.UPDATES_SECURE] == 1


def test_a_user_registers_a_name_too(dns_desk: DnsDesk) -> None:
    """Authenticated Users may create children of a zone."""
    assert dns_desk.client("alice").update(registration("desk")) is Rcode.NOERROR
    assert owner(dns_desk, "desk") == dns_desk.corp.token("alice").user


def test_another_machine_may_not_change_or_delete_a_name(dns_desk: DnsDesk) -> None:
    """Denied: what pc1 registered first is pc1's."""
    assert dns_desk.client("pc1$").update(registration("pc1")) is Rcode.NOERROR
    other = dns_desk.client("pc2$", source="192.0.2.78")
    assert other.update(registration("pc1", "192.0.2.66")) is Rcode.REFUSED
    gone = update_of()
    gone.delete("pc1")
    assert other.update(gone) is Rcode.REFUSED
    assert addresses(dns_desk, "pc1") == ["192.0.2.101"]


def test_a_name_of_an_administrator_is_not_a_machine_s(dns_desk: DnsDesk) -> None:
    """Denied."""
    static(dns_desk, "www", "192.0.2.80")
    assert dns_desk.client("pc1$").update(registration("www")) is Rcode.REFUSED
    assert addresses(dns_desk, "www") == ["192.0.2.80"]


def test_an_administrator_changes_any_name(dns_desk: DnsDesk) -> None:
    assert dns_desk.client("pc1$").update(registration("pc1")) is Rcode.NOERROR
    assert dns_desk.client("Administrator").update(registration("pc1", "192.0.2.5")) is Rcode.NOERROR
    assert addresses(dns_desk, "pc1") == ["192.0.2.5"]
    assert owner(dns_desk, "pc1") == dns_desk.corp.token("pc1$").user


def test_the_zone_s_own_name_is_not_open_to_machines(dns_desk: DnsDesk) -> None:
    """Denied: the apex node is the DNS server's."""
    update = update_of()
    update.add("@", 600, "A", "192.0.2.66")
    assert dns_desk.client("pc1$").update(update) is Rcode.REFUSED


def test_what_is_there_already_may_be_registered_by_anybody(dns_desk: DnsDesk) -> None:
    """It changes nothing; so do Windows' servers, by Samba's tests of them."""
    assert dns_desk.client("pc1$").update(registration("pc1")) is Rcode.NOERROR
    same = update_of()
    same.add("pc1", 1200, "A", "192.0.2.101")
    assert dns_desk.client("pc2$").update(same) is Rcode.NOERROR
    assert dns_desk.counters[Count.UPDATES_EMPTY] == 1


def test_an_update_that_may_not_change_one_name_changes_none(dns_desk: DnsDesk) -> None:
    """RFC 2136 3.7: all or nothing."""
    assert dns_desk.client("pc1$").update(registration("pc1")) is Rcode.NOERROR
    both = update_of()
    both.add("pc2", 600, "A", "192.0.2.102")
    both.add("pc1", 600, "A", "192.0.2.66")
    serial = dns_desk.corp.read(lambda ctx: dns_records.serial_of(ctx, dns_desk.zone(ctx)))
    assert dns_desk.client("pc2$").update(both) is Rcode.REFUSED
    assert dns_desk.node("pc2") is None
    assert addresses(dns_desk, "pc1") == ["192.0.2.101"]
    assert dns_desk.corp.read(lambda ctx: dns_records.serial_of(ctx, dns_desk.zone(ctx))) == serial


def test_an_update_raises_the_serial_once(dns_desk: DnsDesk) -> None:
    """RFC 2136 3.6."""
    before = dns_desk.corp.read(lambda ctx: dns_records.serial_of(ctx, dns_desk.zone(ctx)))
    update = update_of()
    update.add("one", 600, "A", "192.0.2.1")
    update.add("two", 600, "A", "192.0.2.2")
    assert dns_desk.client("pc1$").update(update) is Rcode.NOERROR
    assert dns_desk.corp.read(lambda ctx: dns_records.serial_of(ctx, dns_desk.zone(ctx))) == before + 1


# --- what zones take ---


def test_a_zone_may_take_updates_from_anybody(dns_desk: DnsDesk) -> None:
    """[MS-DNSP] 2.2.6.1.1 ZONE_UPDATE_UNSECURE."""
    allow(dns_desk, ZoneUpdate.UNSECURE)
    assert dns_desk.ask(registration("printer").to_wire()).rcode == Rcode.NOERROR
    assert addresses(dns_desk, "printer") == ["192.0.2.101"]
    assert dns_desk.ask(registration("printer", "192.0.2.7").to_wire()).rcode == Rcode.NOERROR
    assert addresses(dns_desk, "printer") == ["192.0.2.7"]


def test_a_zone_may_take_none(dns_desk: DnsDesk) -> None:
    """Denied to administrators too: [MS-DNSP] 2.2.6.1.1 ZONE_UPDATE_OFF."""
    allow(dns_desk, ZoneUpdate.OFF)
    assert dns_desk.client("Administrator").update(registration("pc1")) is Rcode.REFUSED
    assert dns_desk.node("pc1") is None


def test_a_zone_that_is_not_here_is_notauth(dns_desk: DnsDesk) -> None:
    """RFC 2136 3.1.2; a name inside a zone is no zone either."""
    for name in ("example.net", "sub.corp.example.com"):
        update = dns.update.UpdateMessage(name)
        update.add("pc1", 600, "A", "192.0.2.1")
        assert dns_desk.client("pc1$", source=name[:3]).update(update) is Rcode.NOTAUTH


def test_a_copy_of_another_server_s_zone_is_notimp(dns_desk: DnsDesk) -> None:
    """RFC 2136 6: nothing is forwarded."""
    hooks = replace(dns_desk.hooks, is_secondary=lambda apex: apex == (b"example", b"net"))
    dns_desk = DnsDesk(dns_desk.corp, dns_desk.directory, dns_desk.clock, dns_desk.runner, hooks)
    update = dns.update.UpdateMessage("Example.net")
    assert dns_desk.ask(update.to_wire()).rcode == Rcode.NOTIMP


def test_prerequisites_come_before_permission(dns_desk: DnsDesk) -> None:
    """RFC 2136 3.2, 3.3."""
    static(dns_desk, "www", "192.0.2.80")
    update = update_of()
    update.absent("www")
    assert dns_desk.ask(update.to_wire()).rcode == Rcode.YXDOMAIN


def test_reverse_names_are_owned_alike(dns_desk: DnsDesk) -> None:
    corp = dns_desk.corp
    corp.write(lambda ctx: create_zone(ctx, REVERSE, ZoneProperties(), Replication.DOMAIN), corp.admin)

    def pointer(to: str) -> dns.update.UpdateMessage:
        update = update_of(REVERSE)
        update.delete("101", "PTR")
        update.add("101", 1200, "PTR", f"{to}.corp.example.com.")
        return update

    assert dns_desk.client("pc1$").update(pointer("pc1")) is Rcode.NOERROR
    assert dns_desk.client("pc2$").update(pointer("pc2")) is Rcode.REFUSED
    node = dns_desk.node("101", REVERSE)
    assert node is not None and len(node.records) == 1


# --- what the server keeps to itself ([MS-DNSP] 3.1.1.1.2, UpdateOptions) ---


def test_soa_and_own_ns_records_are_not_for_updates(dns_desk: DnsDesk) -> None:
    """Denied to administrators too, as by default of Windows."""
    client = dns_desk.client("Administrator")
    soa = update_of()
    soa.add("@", 600, "SOA", "evil.example. root.evil.example. 4000000 900 600 86400 3600")
    servers = update_of()
    servers.add("@", 600, "NS", "evil.example.")
    assert client.update(soa) is Rcode.REFUSED
    assert client.update(servers) is Rcode.REFUSED


def test_options_say_what_is_kept(dns_desk: DnsDesk) -> None:
    dns_desk.corp.write(lambda ctx: keep_settings(ctx, DnsSettings(update_options=0)))
    servers = update_of()
    servers.add("@", 600, "NS", "dc2.corp.example.com.")
    assert dns_desk.client("Administrator").update(servers) is Rcode.NOERROR


def test_strangers_may_not_change_a_dns_server_s_addresses_or_delegate(dns_desk: DnsDesk) -> None:
    """Denied, though the zone takes unsigned updates."""
    allow(dns_desk, ZoneUpdate.UNSECURE)
    host = registration("dc1", "192.0.2.66")
    delegation = update_of()
    delegation.add("sub", 600, "NS", "evil.example.")
    assert dns_desk.ask(host.to_wire()).rcode == Rcode.REFUSED
    assert dns_desk.ask(delegation.to_wire()).rcode == Rcode.REFUSED


def test_records_that_only_the_signer_makes_are_refused(dns_desk: DnsDesk) -> None:
    """RFC 3007 3.1.1."""
    update = update_of()
    update.add("pc1", 600, "NSEC3PARAM", "1 0 0 -")
    assert dns_desk.client("Administrator").update(update) is Rcode.REFUSED


# --- tombstones ---


def test_a_name_that_lost_its_records_is_still_its_owner_s(dns_desk: DnsDesk) -> None:
    """A machine that comes back finds its name; another is denied until the tombstone is gone."""
    client = dns_desk.client("pc1$")
    assert client.update(registration("pc1")) is Rcode.NOERROR
    gone = update_of()
    gone.delete("pc1")
    assert client.update(gone) is Rcode.NOERROR
    node = dns_desk.node("pc1")
    assert node is not None and node.tombstoned
    assert dns_desk.client("pc2$").update(registration("pc1", "192.0.2.66")) is Rcode.REFUSED
    assert client.update(registration("pc1", "192.0.2.9")) is Rcode.NOERROR
    revived = dns_desk.node("pc1")
    assert revived is not None and not revived.tombstoned
    assert revived.row.dnt == node.row.dnt
    assert addresses(dns_desk, "pc1") == ["192.0.2.9"]


def test_a_tombstone_is_no_name_in_use(dns_desk: DnsDesk) -> None:
    """RFC 2136 2.4.5."""
    client = dns_desk.client("pc1$")
    client.update(registration("pc1"))
    gone = update_of()
    gone.delete("pc1")
    client.update(gone)
    again = registration("pc1")
    again.absent("pc1")
    assert client.update(again) is Rcode.NOERROR


# --- DnsUpdateProxy ([MS-DNSP] 3.1.1.1.2, OpenACLOnProxyUpdates) ---


@pytest.fixture
def proxies(corp_sqlite: Corp) -> None:
    """DHCP servers that register names for others."""
    for name in ("dhcp1", "dhcp2"):
        machine(corp_sqlite, name)
        member = add_values("member", corp_sqlite.dn(f"CN={name},CN=Computers"))
        corp_sqlite.modify("CN=DnsUpdateProxy,CN=Users", member)


@pytest.mark.usefixtures("proxies")
def test_what_a_proxy_registers_the_next_one_may_change(dns_desk: DnsDesk) -> None:
    assert dns_desk.client("dhcp1$").update(registration("old")) is Rcode.NOERROR
    assert dns_desk.client("dhcp2$").update(registration("old", "192.0.2.2")) is Rcode.NOERROR
    assert dns_desk.client("dhcp1$", source="b").update(registration("old", "192.0.2.3")) is Rcode.NOERROR
    assert addresses(dns_desk, "old") == ["192.0.2.3"]


@pytest.mark.usefixtures("proxies")
def test_the_first_who_is_no_proxy_owns_the_name_from_then_on(dns_desk: DnsDesk) -> None:
    """And is denied to proxies and machines after that."""
    assert dns_desk.client("dhcp1$").update(registration("pc1")) is Rcode.NOERROR
    assert dns_desk.client("pc1$").update(registration("pc1", "192.0.2.9")) is Rcode.NOERROR
    assert owner(dns_desk, "pc1") == dns_desk.corp.token("pc1$").user
    assert dns_desk.client("dhcp1$", source="b").update(registration("pc1")) is Rcode.REFUSED
    assert dns_desk.client("pc2$").update(registration("pc1")) is Rcode.REFUSED
    assert dns_desk.client("pc1$", source="b").update(registration("pc1", "192.0.2.10")) is Rcode.NOERROR


@pytest.mark.usefixtures("proxies")
def test_a_proxy_opens_no_name_that_is_not_its_to_change(dns_desk: DnsDesk) -> None:
    """Denied."""
    assert dns_desk.client("pc1$").update(registration("pc1")) is Rcode.NOERROR
    assert dns_desk.client("dhcp1$").update(registration("pc1", "192.0.2.66")) is Rcode.REFUSED


@pytest.mark.usefixtures("proxies")
def test_the_setting_keeps_names_of_proxies_theirs(dns_desk: DnsDesk) -> None:
    """Denied to the next one where OpenACLOnProxyUpdates is off."""
    dns_desk.corp.write(lambda ctx: keep_settings(ctx, DnsSettings(open_acl_on_proxy_updates=False)))
    assert dns_desk.client("dhcp1$").update(registration("old")) is Rcode.NOERROR
    assert dns_desk.client("dhcp2$").update(registration("old", "192.0.2.2")) is Rcode.REFUSED


# --- names from before a zone was secure ([MS-DNSP] 3.1.6.1, phase 3) ---


def secure_from_now_on(desk: DnsDesk) -> None:
    desk.clock.when = FileTime(desk.clock.when + DAY_FT)
    desk.corp.now = desk.clock.when
    since_s = desk.clock.when // TICKS_PER_S
    desk.set_zone(
        lambda facts: replace(facts.properties, allow_update=ZoneUpdate.SECURE, secure_since_s=since_s)
    )


def test_a_dynamic_name_from_before_goes_to_who_comes_first(dns_desk: DnsDesk) -> None:
    allow(dns_desk, ZoneUpdate.UNSECURE)
    dns_desk.ask(registration("pc1").to_wire())
    secure_from_now_on(dns_desk)
    assert dns_desk.client("pc1$").update(registration("pc1", "192.0.2.9")) is Rcode.NOERROR
    assert owner(dns_desk, "pc1") == dns_desk.corp.token("pc1$").user
    assert dns_desk.client("pc2$").update(registration("pc1", "192.0.2.66")) is Rcode.REFUSED


def test_a_static_name_from_before_stays_an_administrator_s(dns_desk: DnsDesk) -> None:
    """Denied: only updates were open to anybody."""
    allow(dns_desk, ZoneUpdate.UNSECURE)
    static(dns_desk, "www", "192.0.2.80")
    secure_from_now_on(dns_desk)
    assert dns_desk.client("pc1$").update(registration("www")) is Rcode.REFUSED


# --- ageing stamps ---


def stamps(desk: DnsDesk, name: str) -> list[int]:
    node = desk.node(name)
    assert node is not None
    return [one.timestamp_h for one in node.records]


def test_dynamic_records_bear_the_hour_and_static_ones_none(dns_desk: DnsDesk) -> None:
    """[MS-DNSP] 2.2.2.2.5 (dwTimeStamp)."""
    static(dns_desk, "www", "192.0.2.80")
    dns_desk.client("pc1$").update(registration("pc1"))
    more = update_of()
    more.add("www", 600, "A", "192.0.2.81")
    assert dns_desk.client("Administrator").update(more) is Rcode.NOERROR
    assert stamps(dns_desk, "pc1") == [timestamp_hours(dns_desk.clock.when)]
    assert stamps(dns_desk, "www") == [0, 0]  # 3.1.4.5: a name with a static record is static


def refresh(desk: DnsDesk, days: float, *, aging: bool) -> tuple[int, int]:
    """The stamp before and after pc1 registers again that much later."""
    desk.set_zone(lambda facts: replace(facts.properties, aging=aging))
    again = registration("pc1")
    client = desk.client("pc1$")
    assert client.update(again) is Rcode.NOERROR
    (before,) = stamps(desk, "pc1")
    desk.clock.when = FileTime(desk.clock.when + int(days * DAY_FT))
    assert desk.client("pc1$", source="later").update(again) is Rcode.NOERROR
    return before, stamps(desk, "pc1")[0]


def test_a_refresh_within_the_no_refresh_interval_writes_nothing(dns_desk: DnsDesk) -> None:
    """[MS-DNSP] 2.2.5.2.4.1 (dwNoRefreshInterval)."""
    before, after = refresh(dns_desk, 7, aging=True)
    assert before == after
    assert dns_desk.counters[Count.UPDATES_EMPTY] == 1


def test_a_refresh_after_it_moves_the_stamp_and_not_the_serial(dns_desk: DnsDesk) -> None:
    before, after = refresh(dns_desk, 7.1, aging=True)
    assert after > before
    serial = dns_desk.corp.read(lambda ctx: dns_records.serial_of(ctx, dns_desk.zone(ctx)))
    node = dns_desk.node("pc1")
    assert node is not None and node.records[0].serial == serial


def test_where_a_zone_does_not_age_stamps_stay(dns_desk: DnsDesk) -> None:
    """[MS-DNSP] 2.2.5.2.4.1 (fAging)."""
    before, after = refresh(dns_desk, 30, aging=False)
    assert before == after


def test_nobody_refreshes_another_s_records(dns_desk: DnsDesk) -> None:
    """Denied in silence, as Windows does: the reply says no error, the stamp stays."""
    refresh(dns_desk, 0, aging=True)
    (before,) = stamps(dns_desk, "pc1")
    dns_desk.clock.when = FileTime(dns_desk.clock.when + 8 * DAY_FT)
    again = update_of()
    again.add("pc1", 1200, "A", "192.0.2.101")
    assert dns_desk.client("pc2$").update(again) is Rcode.NOERROR
    assert stamps(dns_desk, "pc1") == [before]


def test_the_spelling_of_a_new_name_is_kept(dns_desk: DnsDesk) -> None:
    assert dns_desk.client("pc1$").update(registration("PC1")) is Rcode.NOERROR
    node = dns_desk.node("pc1")
    assert node is not None and node.relative == "PC1"


# --- tricks ---


@pytest.mark.parametrize(
    ("name", "kind", "data"), [("_tcp", "NS", "evil.example."), ("_TCP", "DNAME", "evil.example."),
                               ("dept", "NS", "evil.example.")],
)  # fmt: skip
def test_who_makes_a_name_takes_away_none_below_it(
    dns_desk: DnsDesk, name: str, kind: str, data: str
) -> None:
    """Denied: "_tcp" has no node, so that anybody may make it; a delegation there would hide all services."""
    static(dns_desk, "_ldap._tcp", "192.0.2.1")
    static(dns_desk, "host.dept", "192.0.2.1")
    update = update_of()
    update.add(name, 600, kind, data)
    machine = dns_desk.client("pc1$")
    assert machine.update(update) is Rcode.REFUSED
    assert dns_desk.node(name) is None
    assert dns_desk.client("Administrator").update(update) is Rcode.NOERROR


def test_a_machine_may_delegate_what_is_its_own(dns_desk: DnsDesk) -> None:
    machine = dns_desk.client("pc1$")
    assert machine.update(registration("a.pc1")) is Rcode.NOERROR
    update = update_of()
    update.add("pc1", 600, "NS", "pc1.example.")
    assert machine.update(update) is Rcode.NOERROR


@pytest.mark.parametrize(
    "name",
    [r"\@", r"www\.sub", r"\255\254", r"*.\@\.x", "WWW", "wWw"],
)
def test_no_spelling_of_a_name_is_a_way_to_another_s(dns_desk: DnsDesk, name: str) -> None:
    """Denied: the RDN of the apex, a dot within a label, octets that are no UTF-8, other cases."""
    static(dns_desk, "www", "192.0.2.80")
    static(dns_desk, "www.sub", "192.0.2.81")
    client = dns_desk.client("pc1$")
    for add in (True, False):
        update = update_of()
        if add:
            update.add(name, 600, "A", "6.6.6.6")
        else:
            update.delete(name, "A")
        client.update(update)
        assert addresses(dns_desk, "www") == ["192.0.2.80"]
        assert addresses(dns_desk, "www.sub") == ["192.0.2.81"]
        assert "6.6.6.6" not in addresses(dns_desk, "@")


def test_who_signs_nothing_asks_for_few_records_at_a_time(dns_desk: DnsDesk) -> None:
    """Denied: [MS-DNSP] 3.1.1.1.1 (MaxResourceRecordsInNonSecureUpdate), before anything is looked up."""
    allow(dns_desk, ZoneUpdate.UNSECURE)
    for count, wanted in ((30, Rcode.NOERROR), (31, Rcode.REFUSED)):
        update = update_of()
        for number in range(count):
            update.absent(f"n{number}")
        assert dns_desk.ask(update.to_wire()).rcode == wanted
    assert dns_desk.client("pc1$").update(update) is Rcode.NOERROR


def test_names_below_one_are_told_by_their_keys(corp_sqlite: Corp) -> None:
    """Long labels, letters beyond ASCII and case included; a label that only ends alike is none."""
    long = ".".join(["x" * 63] * 3)
    told = ("a.deep", "B.Deep", f"{long}.deep", "c.Süd", "notdeep", "a.notdeep", "deep")
    for name in told:
        corp_sqlite.add(f"DC={name},{ZONE_DN}", "dnsNode")

    def below(*nodes: str) -> set[str]:
        def work(ctx: ReadContext) -> set[str]:
            zone = zone_named(ctx, "corp.example.com")
            assert zone is not None
            return {one.relative for one in update_zone._below(ctx, zone, set(nodes))}

        return corp_sqlite.read(work)

    assert below("DEEP") == {"a.deep", "B.Deep", f"{long}.deep"}
    assert below("süd", "notdeep") == {"c.Süd", "a.notdeep"}
    assert below() == set() == below("none")
