"""Group managed accounts at the KDC: the password of the moment, its neighbour around a roll, tickets."""

import pytest

from addc.base.clock import FileTime
from addc.codec.krb5 import EncTicketPart, TgsRep
from addc.codes.krb_error import KrbErrorCode as Code
from addc.directory import kds_root_keys, managed_passwords
from addc.directory.context import ReadContext
from addc.security import gkdi
from addc.security.gkdi import KEY_CYCLE_FT, GroupKeyId
from addc.security.krb_keys import Etype, Key, KeyUsage, decrypt, string_to_key
from tests.kit.corp import Corp
from tests.kit.corp_forest import ADMIN_PASSWORD, NOW
from tests.kit.kdc_corp import KdcCorp, code_of

GMSA = "CN=web,CN=Managed Service Accounts"
SPN = "HTTP/web.corp.example.com"
SALT = b"CORP.EXAMPLE.COMhostweb.corp.example.com"
ROLLOVER = 24 * KEY_CYCLE_FT
FIVE = gkdi.MAX_CLOCK_SKEW_FT


@pytest.fixture
def kdc(corp_sqlite: Corp) -> KdcCorp:
    values = {
        "sAMAccountName": "web$",
        "msDS-ManagedPasswordInterval": "10",
        "userAccountControl": "4096",
        "servicePrincipalName": SPN,
    }
    corp_sqlite.add(GMSA, "msDS-GroupManagedServiceAccount", values=values)
    return KdcCorp(corp_sqlite)


def start(number: int) -> int:
    return GroupKeyId.at(NOW).start_ft + number * ROLLOVER


def at(kdc: KdcCorp, when: int) -> None:
    kdc.corp.now = kdc.clock.when = FileTime(when)


def key(kdc: KdcCorp, number: int) -> Key:
    """Of the password of a number, as who has read it would make it."""

    def work(ctx: ReadContext) -> Key:
        (root,) = kds_root_keys.all_keys(ctx).values()
        sid = kdc.corp.sid(GMSA)
        password = gkdi.managed_password(root, GroupKeyId.at(start(number)), sid)
        return string_to_key(int(Etype.AES256_CTS_HMAC_SHA1_96), password, SALT)

    return kdc.corp.read(work)


def good(kdc: KdcCorp) -> set[int]:
    """The numbers of the passwords that log on."""
    return {n for n in range(4) if code_of(kdc.ask("web$", key(kdc, n))) == Code.KDC_ERR_NONE}


def ticket(kdc: KdcCorp) -> tuple[int | None, bytes, int]:
    """kvno, sealed part and encryption type of an administrator's ticket for the account."""
    admin = kdc.log_on("Administrator", kdc.key("Administrator", ADMIN_PASSWORD))
    reply = TgsRep.unpack(kdc.get(admin, SPN))
    sealed = reply.ticket.enc_part
    return sealed.kvno, sealed.cipher, sealed.etype


def roll(kdc: KdcCorp) -> None:
    while kdc.corp.write(managed_passwords.roll_step):
        continue


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (start(1) - FIVE - 1, {0}),
        (start(1) - FIVE, {0, 1}),
        (start(1), {0, 1}),
        (start(1) + FIVE - 1, {0, 1}),
        (start(1) + FIVE, {1}),
        (start(3) + FIVE, {3}),
    ],
)
@pytest.mark.parametrize("written", [False, True])
def test_logons_around_a_roll(kdc: KdcCorp, when: int, expected: set[int], written: bool) -> None:
    """[MS-ADTS] 3.1.1.4.5.39 (MaxClockSkew): whether or not the row was brought up to date."""
    at(kdc, when)
    if written:
        roll(kdc)
    assert good(kdc) == expected


def test_tickets_are_sealed_with_the_key_of_the_moment(kdc: KdcCorp) -> None:
    """Their version is the one that the row gets when it is written."""
    first = ticket(kdc)
    assert EncTicketPart.unpack(decrypt(key(kdc, 0), KeyUsage.TICKET, first[1]))
    at(kdc, start(1) + FIVE)
    foreseen = ticket(kdc)
    assert EncTicketPart.unpack(decrypt(key(kdc, 1), KeyUsage.TICKET, foreseen[1]))
    roll(kdc)
    written = ticket(kdc)
    assert foreseen[0] == written[0] == (first[0] or 0) + 1


def test_tickets_from_before_a_roll_still_open(kdc: KdcCorp) -> None:
    """As evidence of S4U2Proxy, say: the KDC finds the former key by its version."""
    old = ticket(kdc)
    for number in (1, 2):
        at(kdc, start(number) + FIVE)
        roll(kdc)
        row = kdc.corp.row(GMSA)
        found = kdc.corp.read(lambda ctx: managed_passwords.managed_keys(ctx, row).keys)  # noqa: B023
        former = found.key(old[2], old[0])
        assert former is not None
        assert EncTicketPart.unpack(decrypt(former, KeyUsage.TICKET, old[1]))
