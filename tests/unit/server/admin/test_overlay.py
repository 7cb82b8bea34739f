"""Changes laid over objects before anybody carried them out: references follow as links do, 3.1.1.1.6."""

from addc.kcc.reading.entries import RawEntry
from addc.server.admin.overlay import overlaid
from addc.server.admin.target import Add, Delete, Modify, Move, insert, remove, replace, text

SITES = "CN=Sites,CN=Configuration,DC=x"
SERVER = f"CN=DC1,CN=Servers,CN=Bonn,{SITES}"
DSA = f"CN=NTDS Settings,{SERVER}"
IP = f"CN=IP,CN=Inter-Site Transports,{SITES}"


def _entry(dn: str, **values: str) -> RawEntry:
    return RawEntry(dn, {name.lower(): (value.encode(),) for name, value in values.items()})


def _forest() -> list[RawEntry]:
    link = {"sitelist": (f"CN=Aix,{SITES}".encode(), f"CN=Bonn,{SITES}".encode())}
    return [
        _entry(f"CN=Aix,{SITES}", objectClass="site"),
        _entry(f"CN=Bonn,{SITES}", objectClass="site"),
        _entry(SERVER, objectClass="server"),
        _entry(DSA, objectClass="nTDSDSA", options="1"),
        _entry(f"CN=c,CN=NTDS Settings,CN=DC2,CN=Servers,CN=Aix,{SITES}", fromServer=DSA.lower()),
        _entry(IP, objectClass="interSiteTransport"),
        RawEntry(f"CN=ab,{IP}", link),
    ]


def _by_dn(entries: list[RawEntry]) -> dict[str, RawEntry]:
    return {one.dn: one for one in entries}


def test_a_new_object_is_there_with_its_values() -> None:
    found = _by_dn(overlaid(_forest(), [Add(f"CN=Celle,{SITES}", [("objectClass", text("site"))])]))
    assert found[f"CN=Celle,{SITES}"].values == {"objectclass": (b"site",)}
    assert len(found) == len(_forest()) + 1


def test_values_come_and_go_as_a_modification_says() -> None:
    link = f"cn=AB,{IP}"
    gone = remove("siteList", f"cn=bonn,{SITES}".encode())
    changes = [gone, insert("siteList", b"CN=Y"), replace("cost", b"5")]
    (found,) = (one for one in overlaid(_forest(), [Modify(link, changes)]) if one.dn == f"CN=ab,{IP}")
    assert found.values["sitelist"] == (f"CN=Aix,{SITES}".encode(), b"CN=Y")
    assert found.values["cost"] == (b"5",)
    (found,) = (one for one in overlaid([found], [Modify(link, [remove("siteList")])]))
    assert found.values["sitelist"] == ()
    assert overlaid([], [Modify(link, changes)]) == []


def test_who_moves_takes_along_what_is_below_and_what_names_it() -> None:
    moved = overlaid(_forest(), [Move(SERVER, "CN=DC1", f"CN=Servers,CN=Aix,{SITES}")])
    there = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Aix,{SITES}"
    found = _by_dn(moved)
    assert there in found and DSA not in found
    connection = found[f"CN=c,CN=NTDS Settings,CN=DC2,CN=Servers,CN=Aix,{SITES}"]
    assert connection.values["fromserver"][0].decode().lower() == there.lower()


def test_who_goes_takes_along_what_is_below_and_what_names_it() -> None:
    found = _by_dn(overlaid(_forest(), [Delete(f"CN=Bonn,{SITES}", tree=True)]))
    assert SERVER not in found and DSA not in found
    assert found[f"CN=ab,{IP}"].values["sitelist"] == (f"CN=Aix,{SITES}".encode(),)
    connection = found[f"CN=c,CN=NTDS Settings,CN=DC2,CN=Servers,CN=Aix,{SITES}"]
    assert connection.values["fromserver"] == ()


def test_a_transports_bridgeheads_are_what_servers_say() -> None:
    there = overlaid(_forest(), [Modify(SERVER, [insert("bridgeheadTransportList", IP.encode())])])
    assert _by_dn(there)[IP].values["bridgeheadserverlistbl"] == (SERVER.encode(),)
    back = overlaid(there, [Modify(SERVER, [remove("bridgeheadTransportList", IP.encode())])])
    assert _by_dn(back)[IP].values["bridgeheadserverlistbl"] == ()
