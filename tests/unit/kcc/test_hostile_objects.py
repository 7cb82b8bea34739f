"""Objects below CN=Sites as somebody with rights there, and ill will, makes them: no run stops for any.

Spec: [MS-ADTS] 6.2.2.
"""

import pytest

from addc.base.errors import DsError
from addc.directory.delete import delete_object
from addc.kcc.one_run import Report, carry_out, decide, look
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.corp_sites import FIRST, IP, SITES, add_dc, add_link, add_site

OWN = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN={FIRST},{SITES}"
SETTINGS = f"CN=NTDS Site Settings,CN={FIRST},{SITES}"
USER = f"CN=Guest,CN=Users,{DOMAIN_DN}"
GENERATED = "1"


def run(corp: Corp) -> Report:
    decision = decide(corp.read(look), corp.rng)
    return corp.write(lambda ctx: carry_out(ctx, decision), SYSTEM)


def connection(corp: Corp, name: str, **values: str | bytes | list[str]) -> None:
    given = {"options": GENERATED, "enabledConnection": "TRUE", "fromServer": USER, **values}
    corp.add(f"CN={name},{OWN}", "nTDSConnection", SYSTEM, values=given)


def test_connections_from_anywhere_over_anything_stop_no_run(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    dc2 = add_dc(corp, "DC2", FIRST)
    add_site(corp, "Branch")
    add_link(corp, "wan", 100, FIRST, "Branch")
    dc9 = add_dc(corp, "DC9", "Branch")
    connection(corp, "from a user")
    connection(corp, "from the NC", fromServer=CONFIG_DN)
    connection(corp, "from itself", fromServer=OWN)
    connection(corp, "over a user", fromServer=dc2, transportType=USER)
    connection(corp, "over itself", fromServer=dc9, transportType=OWN)
    connection(corp, "giant week", fromServer=dc9, schedule=b"\xff" * 900_000)
    connection(corp, "short week", fromServer=dc2, schedule=b"\0")
    connection(corp, "all bits", fromServer=dc9, options="-1")
    connection(corp, "two\\0Alines", fromServer=dc2)
    connection(corp, "flagged", fromServer=USER, systemFlags="1610612736")
    connection(corp, "copies", fromServer=dc2, **{"mS-DS-ReplicatesNCReason": f"B:8:00000001:{USER}"})
    for number in range(30):
        connection(corp, f"again {number}", fromServer=dc2)
    first, second = run(corp), run(corp)
    assert first.deleted >= 30 and first.partners
    assert second.is_quiet


def test_links_and_settings_out_of_all_bounds_stop_no_run(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    add_site(corp, "Branch")
    add_link(corp, "wan", 100, FIRST, "Branch")
    add_dc(corp, "DC9", "Branch")
    odd = {
        "siteList": [f"CN={FIRST},{SITES}", f"CN=Branch,{SITES}"],
        "cost": "-5",
        "replInterval": "2147483647",
    }
    corp.add(f"CN=odd,{IP}", "siteLink", SYSTEM, values={**odd, "options": "-1", "schedule": b"\1" * 500_000})
    bridge = {"siteLinkList": [f"CN=wan,{IP}", f"CN=odd,{IP}"]}
    corp.add(f"CN=all,{IP}", "siteLinkBridge", SYSTEM, values=bridge)
    corp.modify(SETTINGS, replace_values("interSiteTopologyGenerator", USER), requester=SYSTEM)
    corp.modify(SETTINGS, replace_values("schedule", b"\2" * 100_000), requester=SYSTEM)
    corp.modify(SETTINGS, replace_values("interSiteTopologyFailover", "-1"), requester=SYSTEM)
    corp.modify(IP, replace_values("options", "-1"), requester=SYSTEM)
    assert run(corp).partners
    assert run(corp).is_quiet


def test_objects_that_go_while_a_run_plans_do_not_stop_it(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    add_dc(corp, "DC2", FIRST)
    connection(corp, "odd")
    decision = decide(corp.read(look), corp.rng)
    corp.write(lambda ctx: delete_object(ctx, f"CN=odd,{OWN}"), SYSTEM)
    assert corp.write(lambda ctx: carry_out(ctx, decision, heeds_changes=False), SYSTEM).partners
    assert run(corp).is_quiet


def test_the_run_writes_below_its_own_dc_and_its_own_site_alone(corp_sqlite: Corp) -> None:
    """Other DCs' connections are theirs, whatever they look like."""
    corp = corp_sqlite
    dc2 = add_dc(corp, "DC2", FIRST)
    add_site(corp, "Branch")
    dc9 = add_dc(corp, "DC9", "Branch")
    for dsa in (dc2, dc9):
        values = {"options": GENERATED, "enabledConnection": "TRUE", "fromServer": USER}
        corp.add(f"CN=odd,{dsa}", "nTDSConnection", SYSTEM, values=values)
    corp.add(f"CN=NTDS Site Settings,CN=Branch,{SITES}", "nTDSSiteSettings", SYSTEM)
    before = corp.row(f"CN=NTDS Site Settings,CN=Branch,{SITES}").usn_changed
    run(corp)
    for dsa in (dc2, dc9):
        corp.row(f"CN=odd,{dsa}")
    assert corp.row(f"CN=NTDS Site Settings,CN=Branch,{SITES}").usn_changed == before


@pytest.mark.parametrize("kind", ["nTDSConnection", "siteLink"])
def test_a_nobody_makes_no_input_of_a_plan(corp_sqlite: Corp, kind: str) -> None:
    corp = corp_sqlite
    corp.user("jane")
    with pytest.raises(DsError):
        corp.add({"nTDSConnection": f"CN=x,{OWN}", "siteLink": f"CN=x,{IP}"}[kind], kind, corp.token("jane"))
