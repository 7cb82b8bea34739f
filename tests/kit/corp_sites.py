"""Sites, subnets, links and further DCs in a corp forest, for tests of what follows from them."""

from addc.security.account_flags import SystemFlags
from addc.security.token import SYSTEM
from tests.kit.corp import Corp
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN

SITES = f"CN=Sites,{CONFIG_DN}"
IP = f"CN=IP,CN=Inter-Site Transports,{SITES}"
FIRST = "Default-First-Site-Name"


def add_site(corp: Corp, name: str, *subnets: str) -> None:
    """A site with its containers, and subnets that lead to it."""
    corp.add(f"CN={name},{SITES}", "site", SYSTEM)
    corp.add(f"CN=Servers,CN={name},{SITES}", "serversContainer", SYSTEM)
    for subnet in subnets:
        corp.add(f"CN={subnet},CN=Subnets,{SITES}", "subnet", SYSTEM, siteObject=f"CN={name},{SITES}")


def add_link(corp: Corp, name: str, cost: int, *sites: str) -> None:
    listed = [f"CN={site},{SITES}" for site in sites]
    corp.add(f"CN={name},{IP}", "siteLink", SYSTEM, values={"siteList": listed, "cost": str(cost)})


def add_dc(corp: Corp, name: str, site: str, kind: str = "nTDSDSA") -> str:
    """Another DC of the domain, which nobody runs; the DN of its nTDSDSA object."""
    server = f"CN={name},CN=Servers,CN={site},{SITES}"
    flags = SystemFlags.FLAG_CONFIG_ALLOW_RENAME | SystemFlags.FLAG_CONFIG_ALLOW_LIMITED_MOVE
    values = {"dNSHostName": f"{name.lower()}.corp.example.com", "systemFlags": str(int(flags))}
    corp.add(server, "server", SYSTEM, values=values)
    ncs = [DOMAIN_DN, CONFIG_DN, f"CN=Schema,{CONFIG_DN}"]
    held = {"msDS-hasFullReplicaNCs": ncs}
    if kind == "nTDSDSA":
        held = {"hasMasterNCs": ncs, "msDS-hasMasterNCs": ncs}
    dsa = f"CN=NTDS Settings,{server}"
    corp.add(dsa, kind, SYSTEM, values={**held, "options": "1"})
    return dsa
