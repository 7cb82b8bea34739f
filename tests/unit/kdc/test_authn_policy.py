"""Authentication policies over the exchanges: what they refuse and how long they let tickets live.

What Windows answers is what Samba's authn_policy_tests and conditional_ace_tests assert.
[MS-KILE] 3.3.5.5, 3.3.5.6, 3.3.5.7.
"""

from dataclasses import replace

import pytest

from addc.base.clock import HOUR_FT, TICKS_PER_S
from addc.codec.ids import Sid
from addc.codec.krb5 import EncTicketPart, PaData
from addc.codec.krb5_numbers import KdcOptions, TicketFlags
from addc.codec.pac import Pac
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Counter, Membership, OpenedTgs, Outcome, Principal
from addc.kdc.fast_device import Device
from addc.kdc.s4u_proxy import may_act
from addc.kdc.tgs_exchange import answer_tgs_req, open_tgs_req
from addc.kdc.ticket_pac import find_pac
from addc.security import sddl, wellknown
from addc.security.authn_policy import AuthnPolicy
from addc.security.pac_identity import claims_buffer
from addc.security.token import Claim
from tests.kit.fast_client import WS1, Armor, ArmoredClient, ArmoredTicket, inner_error
from tests.kit.kdc_realm import (
    ALICE,
    DOMAIN,
    FACTS,
    FILES,
    GROUPS,
    KRBTGT,
    Client,
    SeededRng,
    Ticketed,
    error_of,
    make_key,
    timestamp,
)

LOCAL = DOMAIN.child(1400)
SECRET = Membership((515, 1250), claims=claims_buffer((Claim("zone", ("red",)), Claim("level", (3,)))))
"""Of the device: a group and two claims."""


def says(text: str, *, enforced: bool = True, **more: object) -> AuthnPolicy:
    """A policy with this descriptor in every place."""
    descriptor = sddl.parse(text, DOMAIN)
    base = AuthnPolicy("p", enforced, allowed_from=descriptor, allowed_to=descriptor)
    return replace(base, **more)  # type: ignore[arg-type]


def under(policy: AuthnPolicy, account: Principal = ALICE) -> Principal:
    return replace(account, policy=policy)


def from_device(policy: AuthnPolicy, *padata: PaData, **more: object) -> Outcome:
    """An armored logon of a user under this policy."""
    desk = ArmoredClient(Client(under(policy)), WS1, Armor(Client(WS1, SECRET).log_on()))
    request = desk.as_req(*(padata or (desk.challenge(),)))
    return desk.send(request)


# --- from which device ---


@pytest.mark.parametrize(
    "text",
    [
        "O:SY",
        "O:SYD:(A;;CR;;;WD)",
        "O:SYD:(A;;CR;;;AU)",
        "O:AND:(A;;CR;;;WD)",
        f"O:SYD:(A;;CR;;;{WS1.sid})",
        f"O:{WS1.sid}D:(A;;CR;;;WD)",
        f"O:SYD:(A;;CR;;;{DOMAIN}-1250)",
        "O:SYD:(A;;CR;;;S-1-18-1)",
        "O:SYD:(A;;CR;;;S-1-5-21-0-0-0-497)",
        f"O:SYD:(XA;;CR;;;WD;(Member_of SID({WS1.sid})))",
        'O:SYD:(XA;;CR;;;WD;(@USER.zone == "red"))',
        "O:SYD:(XA;;CR;;;WD;(@USER.level > 2))",
    ],
)
def test_a_device_that_the_policy_allows(text: str) -> None:
    assert from_device(says(text)).error == Code.KDC_ERR_NONE


@pytest.mark.parametrize(
    "text",
    [
        "O:SYD:",
        "O:SYD:(D;;CR;;;WD)",
        f"O:SYD:(D;;CR;;;{WS1.sid})(A;;CR;;;WD)",
        "O:SYD:(A;;RP;;;WD)",
        f"O:SYD:(A;;CR;;;{ALICE.sid})",
        f"O:SYD:(A;;CR;;;{DOMAIN}-1251)",
        "O:SYD:(A;;CR;;;S-1-5-21-0-0-0-496)",
        "O:SYD:(A;;CR;;;S-1-5-64-10)",
        'O:SYD:(XA;;CR;;;WD;(@USER.zone == "blue"))',
        'O:SYD:(XA;;CR;;;WD;(@DEVICE.zone == "red"))',
        'O:SYD:(XD;;CR;;;WD;(@USER.zone == "red"))(A;;CR;;;WD)',
        "O:SYD:(XA;;CR;;;WD;(@USER.nothing > 2))",
    ],
)
def test_a_device_that_the_policy_does_not_allow(text: str) -> None:
    assert refused(from_device(says(text))) == (Code.KDC_ERR_POLICY, NtStatus.STATUS_INVALID_WORKSTATION)


def refused(outcome: Outcome) -> tuple[Code, NtStatus]:
    return outcome.error, outcome.status


def test_local_groups_of_the_device_count() -> None:
    desk = ArmoredClient(Client(under(says(f"O:SYD:(A;;CR;;;{LOCAL})"))))
    assert desk.ask(desk.challenge()).error == Code.KDC_ERR_POLICY
    desk.armor_sids = frozenset((LOCAL,))
    assert desk.ask(desk.challenge()).error == Code.KDC_ERR_NONE


def test_without_armor_there_is_no_device() -> None:
    client = Client(under(says("O:SYD:(A;;CR;;;WD)")))
    outcome = client.ask(timestamp(ALICE.keys.current[18]))
    assert refused(outcome) == (Code.KDC_ERR_POLICY, NtStatus.STATUS_INVALID_WORKSTATION)
    assert error_of(outcome).e_data is not None, "the client is told the status"


def test_a_wrong_password_is_not_looked_at() -> None:
    desk = ArmoredClient(Client(under(says("O:SYD:"))))
    outcome = desk.ask(desk.challenge(make_key(18, "guess")))
    assert (outcome.error, outcome.counter) == (Code.KDC_ERR_POLICY, Counter.NONE)
    error, _ = inner_error(outcome.reply, desk.armor.key)
    assert error.error_code == Code.KDC_ERR_POLICY


def test_a_descriptor_without_an_owner_is_an_error() -> None:
    assert from_device(says("D:(A;;CR;;;WD)")).error == Code.KRB_ERR_GENERIC


@pytest.mark.parametrize("text", ["O:SYD:", "D:(A;;CR;;;WD)"])
def test_a_policy_that_only_audits_refuses_nobody(text: str) -> None:
    policy = says(text, enforced=False)
    assert from_device(policy).error == Code.KDC_ERR_NONE
    assert Client(under(policy)).ask(timestamp(ALICE.keys.current[18])).error == Code.KDC_ERR_NONE


def test_a_policy_without_that_word_asks_for_no_device() -> None:
    policy = AuthnPolicy("p", True)
    assert Client(under(policy)).ask(timestamp(ALICE.keys.current[18])).error == Code.KDC_ERR_NONE


# --- to which service ---


def to_service(text: str, *, enforced: bool = True, device: bool = False, **facts: object) -> Outcome:
    """A TGS request of alice for a service under this policy."""
    tgt = Client(membership=replace(GROUPS, claims=claims_buffer((Claim("team", ("ops",)),)))).log_on()
    server = under(says(text, enforced=enforced), FILES)
    found = tgt.facts(server, local_sids=frozenset((LOCAL,)), **facts)
    if not device:
        return tgt.send(tgt.tgs_req(), found)
    ticket = ArmoredTicket(tgt, Armor(Client(WS1, SECRET).log_on()))
    opened = open_tgs_req(ticket.tgs_req(), FACTS, tgt.client.policy, tgt.client.now, SeededRng("open"))
    assert isinstance(opened, OpenedTgs)
    found = replace(found, armor=WS1)
    return answer_tgs_req(opened, found, tgt.client.policy, tgt.client.now, SeededRng("tgs"))


@pytest.mark.parametrize(
    "text",
    [
        "O:SY",
        f"O:SYD:(A;;CR;;;{ALICE.sid})",
        f"O:SYD:(A;;CR;;;{DOMAIN}-1200)",
        f"O:SYD:(A;;CR;;;{LOCAL})",
        "O:SYD:(A;;CR;;;AU)",
        "O:SYD:(A;;CR;;;S-1-18-1)",
        "O:SYD:(A;;CR;;;S-1-5-21-0-0-0-497)",
        'O:SYD:(XA;;CR;;;WD;(@USER.team == "ops"))',
    ],
)
def test_a_client_that_a_services_policy_allows(text: str) -> None:
    assert to_service(text).error == Code.KDC_ERR_NONE


@pytest.mark.parametrize(
    "text",
    [
        "O:SYD:",
        f"O:SYD:(D;;CR;;;{ALICE.sid})(A;;CR;;;WD)",
        "O:SYD:(A;;CR;;;S-1-5-21-0-0-0-496)",
        "O:SYD:(A;;CR;;;S-1-5-64-10)",
        'O:SYD:(XA;;CR;;;WD;(@USER.team == "dev"))',
        'O:SYD:(XA;;CR;;;WD;(@DEVICE.zone == "red"))',
        f"O:SYD:(XA;;CR;;;WD;(Device_Member_of SID({WS1.sid})))",
    ],
)
def test_a_client_that_a_services_policy_does_not_allow(text: str) -> None:
    outcome = to_service(text)
    assert refused(outcome) == (Code.KDC_ERR_POLICY, NtStatus.STATUS_AUTHENTICATION_FIREWALL_FAILED)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"O:SYD:(XA;;CR;;;WD;(Device_Member_of SID({WS1.sid})))", Code.KDC_ERR_NONE),
        (f"O:SYD:(XA;;CR;;;WD;(Device_Member_of SID({DOMAIN}-1250)))", Code.KDC_ERR_NONE),
        ('O:SYD:(XA;;CR;;;WD;(@DEVICE.zone == "red"))', Code.KDC_ERR_NONE),
        ('O:SYD:(XA;;CR;;;WD;(@USER.zone == "red"))', Code.KDC_ERR_POLICY),
        (f"O:SYD:(A;;CR;;;{WS1.sid})", Code.KDC_ERR_POLICY),
        (f"O:SYD:(A;;CR;;;{ALICE.sid})(D;;CR;;;{WS1.sid})", Code.KDC_ERR_NONE),
        ("O:SYD:(A;;CR;;;S-1-5-21-0-0-0-496)", Code.KDC_ERR_POLICY),
    ],
)
def test_the_device_counts_in_conditions_alone(text: str, code: Code) -> None:
    assert to_service(text, device=True).error == code


def test_a_services_descriptor_without_an_owner_lets_nobody_in() -> None:
    outcome = to_service(f"D:(A;;CR;;;{ALICE.sid})")
    assert refused(outcome) == (Code.KDC_ERR_POLICY, NtStatus.STATUS_INVALID_PARAMETER)


def test_a_services_policy_may_only_audit() -> None:
    assert to_service("O:SYD:", enforced=False).error == Code.KDC_ERR_NONE


def test_an_account_may_always_come_to_itself() -> None:
    server = under(says("O:SYD:(D;;CR;;;WD)"), FILES)
    tgt = Client(FILES, Membership((515,))).log_on()
    assert tgt.send(tgt.tgs_req(), tgt.facts(server)).error == Code.KDC_ERR_NONE


def test_user_to_user_heeds_the_services_policy() -> None:
    server = under(says(f"O:SYD:(D;;CR;;;{ALICE.sid})"), FILES)
    theirs = Client(FILES, Membership((515,))).log_on()
    tgt = Client().log_on()
    request = tgt.tgs_req(kdc_options=int(KdcOptions.ENC_TKT_IN_SKEY), additional_tickets=(theirs.ticket,))
    assert tgt.send(request, tgt.facts(server, second=FILES)).error == Code.KDC_ERR_POLICY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"O:SYD:(A;;CR;;;{ALICE.sid})", Code.KDC_ERR_NONE),
        (f"O:SYD:(A;;CR;;;{DOMAIN}-1300)", Code.KDC_ERR_NONE),
        ("O:SYD:(A;;CR;;;S-1-5-32-545)", Code.KDC_ERR_NONE),
        ("O:SYD:(A;;CR;;;S-1-18-1)", Code.KDC_ERR_NONE),
        ('O:SYD:(XA;;CR;;;WD;(@USER.team == "ops"))', Code.KDC_ERR_NONE),
        (f"O:SYD:(D;;CR;;;{ALICE.sid})(A;;CR;;;WD)", Code.KDC_ERR_POLICY),
        ('O:SYD:(XA;;CR;;;WD;(@USER.team == "dev"))', Code.KDC_ERR_POLICY),
    ],
)
def test_a_ticket_of_the_as_exchange_heeds_it_too(text: str, code: Code) -> None:
    team = claims_buffer((Claim("team", ("ops",)),))
    member = replace(GROUPS, builtin=(Sid.parse("S-1-5-32-545"),), claims=team)
    server = under(says(text), FILES)
    outcome = Client(membership=member).ask(timestamp(ALICE.keys.current[18]), server=server)
    assert outcome.error == code


# --- for how long ---


def lives(account: Principal, membership: Membership = GROUPS) -> tuple[int, int]:
    """Seconds that a TGT lasts, and that it can be renewed."""
    tgt: Ticketed = Client(account, membership).log_on()
    start = tgt.part.starttime or tgt.part.authtime
    assert tgt.part.renew_till is not None
    return (tgt.part.endtime - start) // TICKS_PER_S, (tgt.part.renew_till - start) // TICKS_PER_S


def lasting(seconds: int, **more: object) -> Principal:
    return under(replace(AuthnPolicy("p", True, tgt_lifetime=seconds * TICKS_PER_S), **more))  # type: ignore[arg-type]


PROTECTED = Membership((513, int(wellknown.RID_PROTECTED_USERS)))
HOURS = 3600


@pytest.mark.parametrize("seconds", [1, 111, 7200])
def test_a_policy_limits_ticket_and_renewal(seconds: int) -> None:
    assert lives(lasting(seconds)) == (seconds, seconds)


def test_a_policy_gives_no_more_than_the_domain() -> None:
    assert lives(lasting((1 << 63) // TICKS_PER_S - 1)) == (10 * HOURS, 10 * HOURS)


def test_a_lifetime_of_zero_and_one_that_is_not_enforced_limit_nothing() -> None:
    assert lives(lasting(0)) == lives(lasting(111, enforced=False)) == lives(ALICE)
    assert lives(ALICE) == (10 * HOURS, 7 * 24 * HOURS)


def test_a_negative_lifetime_has_no_ticket() -> None:
    outcome = Client(lasting(-5)).ask(timestamp(ALICE.keys.current[18]))
    assert refused(outcome) == (Code.KDC_ERR_NEVER_VALID, NtStatus.STATUS_TIME_DIFFERENCE_AT_DC)


@pytest.mark.parametrize(
    ("account", "seconds"),
    [
        (ALICE, 4 * HOURS),
        (lasting(111), 111),
        (lasting(6 * HOURS), 6 * HOURS),
        (lasting(0), 4 * HOURS),
        (lasting(111, enforced=False), 4 * HOURS),
    ],
)
def test_protected_users_have_four_hours_or_what_their_policy_says(account: Principal, seconds: int) -> None:
    assert lives(account, PROTECTED) == (seconds, seconds)


def test_protected_users_cannot_be_delegated_whatever_their_policy_says() -> None:
    tgt = Client(lasting(6 * HOURS), PROTECTED).log_on(
        kdc_options=int(KdcOptions.FORWARDABLE | KdcOptions.PROXIABLE | KdcOptions.RENEWABLE)
    )
    assert not tgt.part.flags & (TicketFlags.FORWARDABLE | TicketFlags.PROXIABLE)
    assert tgt.part.flags & TicketFlags.RENEWABLE


def test_tickets_end_with_the_first_membership_that_does() -> None:
    client = Client()
    until = int(client.now) + HOUR_FT // 2
    assert lives(ALICE, replace(GROUPS, until=until)) == (HOURS // 2, HOURS // 2)
    late = replace(GROUPS, until=int(client.now) + 100 * HOUR_FT)
    assert lives(ALICE, late) == (10 * HOURS, 100 * HOURS)


def test_a_membership_whose_end_has_come_makes_no_ticket() -> None:
    client = Client(membership=replace(GROUPS, until=int(Client().now)))
    assert client.ask(timestamp(ALICE.keys.current[18])).error == Code.KDC_ERR_NEVER_VALID


def test_tickets_of_services_end_with_it_too() -> None:
    until = int(Client().now) + HOUR_FT // 2
    got = Client(membership=replace(GROUPS, until=until)).log_on(server=FILES)
    assert got.part.endtime <= until
    assert KRBTGT.policy is None


# --- the same token lets services act for users ---


@pytest.mark.parametrize(
    ("condition", "plain", "armored"),
    [
        ('(@USER.team == "ops")', True, True),
        ('(@DEVICE.zone == "red")', False, True),
        (f"(Device_Member_of SID({WS1.sid}))", False, True),
        ('(@USER.zone == "red")', False, False),
    ],
)
def test_resource_based_delegation_asks_about_claims_and_device(
    condition: str, plain: bool, armored: bool
) -> None:
    team = replace(GROUPS, claims=claims_buffer((Claim("team", ("ops",)),)))
    pac = tgt_pac(Client(membership=team).log_on().opened(KRBTGT.keys.current[18]))
    device = Device(tgt_pac(Client(WS1, SECRET).log_on().opened(KRBTGT.keys.current[18])))
    descriptor = sddl.parse(f"O:SYD:(XA;;CR;;;WD;{condition})", DOMAIN).pack()
    assert may_act(descriptor, pac, frozenset()) is plain
    assert may_act(descriptor, pac, frozenset(), device) is armored


def tgt_pac(inside: EncTicketPart) -> Pac:
    return Pac.unpack(find_pac(inside.authorization_data) or b"")
