"""Claims on their way from the directory into tickets. [MS-KILE] 3.3.5.6.4.6, 3.3.5.7."""

import pytest

from addc.codec.krb5 import EncTgsRepPart, TgsRep
from addc.codec.pac import Pac, PacType, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.directory import passwords
from addc.directory.context import ReadContext
from addc.kdc.lookup_accounts import client_account, membership, principal
from addc.kdc.ticket_pac import find_pac
from addc.security import wellknown
from addc.security.krb_keys import Key, KeyUsage, decrypt
from addc.security.pac_identity import claims_in
from addc.security.token import Claim
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.kdc_corp import TGS, KdcCorp, code_of
from tests.kit.kdc_realm import Ticketed, client_name
from tests.kit.policies import STRING, assign_policy, assign_silo, claim_type, policy, silo

JOE = "CN=joe,CN=Users"
PASSWORD = "Us3r.Passw0rd"


@pytest.fixture
def kdc(corp_sqlite: Corp) -> KdcCorp:
    corp_sqlite.user("joe", PASSWORD, carLicense="foo")
    claim_type(corp_sqlite, "license", "carLicense", STRING, "user")
    return KdcCorp(corp_sqlite)


@pytest.fixture
def key(kdc: KdcCorp) -> Key:
    return kdc.key("joe", PASSWORD)


def tgt_pac(kdc: KdcCorp, ticket: Ticketed) -> Pac:
    """The PAC of a TGT, opened by krbtgt."""
    row = kdc.corp.row("CN=krbtgt,CN=Users")
    keys = kdc.corp.read(lambda ctx: passwords.keys_of(ctx, row)).current.keys
    own = next(one for one in keys if one.etype == 18)
    return Pac.unpack(find_pac(ticket.opened(own).authorization_data) or b"")


def test_a_tgt_says_the_claims_whether_or_not_they_were_asked_for(kdc: KdcCorp, key: Key) -> None:
    pac = tgt_pac(kdc, kdc.log_on("joe", key))
    assert claims_in(pac.get(PacType.CLIENT_CLAIMS_INFO)) == (Claim("license", ("foo",)),)
    info = unpack_logon_info(pac.get(PacType.LOGON_INFO) or b"")
    assert wellknown.CLAIMS_VALID in {one.sid for one in info.extra_sids or ()}


def test_who_has_no_claims_has_an_empty_buffer(kdc: KdcCorp) -> None:
    kdc.corp.user("ann", PASSWORD)
    pac = tgt_pac(kdc, kdc.log_on("ann", kdc.key("ann", PASSWORD)))
    assert pac.get(PacType.CLIENT_CLAIMS_INFO) == b""
    assert pac.buffers[-1][1], "a PAC does not end with an empty buffer"


def test_the_next_logon_sees_what_changed(kdc: KdcCorp, key: Key) -> None:
    before = kdc.log_on("joe", key)
    kdc.corp.modify(JOE, replace_values("carLicense", "bar"))
    after = kdc.log_on("joe", key)
    assert claims_in(tgt_pac(kdc, before).get(13)) == (Claim("license", ("foo",)),)
    assert claims_in(tgt_pac(kdc, after).get(13)) == (Claim("license", ("bar",)),)


def test_a_ticket_keeps_the_claims_of_its_tgt(kdc: KdcCorp, key: Key) -> None:
    """They are not looked up again: Windows passes them on as they are."""
    tgt = kdc.log_on("joe", key)
    kdc.corp.modify(JOE, replace_values("carLicense", "bar"))
    renewed = kdc.get(tgt, TGS)
    assert code_of(renewed) == Code.KDC_ERR_NONE
    reply = TgsRep.unpack(renewed)
    part = EncTgsRepPart.unpack(
        decrypt(tgt.session, KeyUsage.TGS_REP_ENC_PART_SESSION, reply.enc_part.cipher)
    )
    again = Ticketed(tgt.client, reply.ticket, part, reply.cname, reply.crealm)
    assert claims_in(tgt_pac(kdc, again).get(13)) == (Claim("license", ("foo",)),)


def test_a_silo_is_said_as_a_claim(kdc: KdcCorp, key: Key) -> None:
    assign_silo(kdc.corp, JOE, silo(kdc.corp, "vault", JOE))
    found = claims_in(tgt_pac(kdc, kdc.log_on("joe", key)).get(13))
    assert Claim("ad://ext/AuthenticationSilo", ("vault",)) in found


def test_policies_are_facts_of_the_account(kdc: KdcCorp) -> None:
    strict = policy(kdc.corp, "p", UserTGTLifetime="1110000000")
    assign_policy(kdc.corp, JOE, strict)

    def found(name: str) -> object:
        def work(ctx: ReadContext) -> object:
            account = client_account(ctx, client_name(name))
            assert account is not None
            return principal(ctx, account).policy

        return kdc.corp.read(work)

    assert found("joe") is not None and found("Administrator") is None
    kdc.corp.modify(strict, replace_values("msDS-AuthNPolicyEnforced", "FALSE"))
    assert getattr(found("joe"), "enforced", None) is False


def test_a_policy_that_asks_for_a_device_refuses_a_plain_logon(kdc: KdcCorp, key: Key) -> None:
    assign_policy(kdc.corp, JOE, policy(kdc.corp, "p", UserAllowedToAuthenticateFrom="O:SYD:(A;;CR;;;WD)"))
    assert code_of(kdc.ask("joe", key)) == Code.KDC_ERR_POLICY


def test_built_in_groups_are_known_and_in_no_pac(kdc: KdcCorp, key: Key) -> None:
    kdc.corp.modify("CN=Backup Operators,CN=Builtin", add_values("member", kdc.corp.dn(JOE)))

    def work(ctx: ReadContext) -> tuple[object, ...]:
        account = client_account(ctx, client_name("joe"))
        assert account is not None
        return membership(ctx, account).builtin

    assert wellknown.BACKUP_OPERATORS in kdc.corp.read(work)
    info = unpack_logon_info(tgt_pac(kdc, kdc.log_on("joe", key)).get(1) or b"")
    assert wellknown.BACKUP_OPERATORS not in {one.sid for one in info.extra_sids or ()}
