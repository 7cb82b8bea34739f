"""Why a ticket is refused: each rule that stands in the way is told, and the KDC's own verdict."""

from collections.abc import Iterator

import pytest

from addc.base.errors import UserError
from addc.kdc.explain import Part
from addc.kdc.policy import KdcPolicy
from addc.server.krb_explain import Asked, explain
from tests.kit.corp import Corp, replace_values
from tests.kit.kdc_corp import KdcCorp

PASSWORD = "Tr0ub4dor&3"
JOE = "CN=joe,CN=Users"
WEB = "CN=web,CN=Users"
DEFAULT = KdcPolicy()
LDAP = "ldap/dc1.corp.example.com"


@pytest.fixture
def kdc(corp_sqlite: Corp) -> Iterator[KdcCorp]:
    corp_sqlite.user("joe", PASSWORD)
    yield KdcCorp(corp_sqlite)


def ask(kdc: KdcCorp, *words: str | None, own: KdcPolicy = DEFAULT) -> list[Part]:
    return explain(kdc.directory, Asked(*words), kdc.now, own)  # type: ignore[arg-type]


def reasons(part: Part) -> list[str]:
    return [step.fact for step in part.steps if not step.ok]


def test_who_may_log_on_gets_what_the_kdc_gives(kdc: KdcCorp) -> None:
    first, second = ask(kdc, "joe", LDAP)
    assert first.granted and not reasons(first)
    assert first.verdict.startswith("granted: krbtgt/CORP.EXAMPLE.COM, aes256-cts-hmac-sha1-96, session ")
    assert second.granted and second.verdict.startswith(f"granted: {LDAP}, aes256")


def test_names_are_those_that_kinit_takes(kdc: KdcCorp) -> None:
    for name in ("joe", "JOE", "joe@CORP.EXAMPLE.COM", "joe@corp.example.com"):
        assert ask(kdc, name)[0].granted, name


def test_what_the_operator_demands_counts(kdc: KdcCorp) -> None:
    """The verdict is that of the KDC which this configuration makes."""
    (part,) = ask(kdc, "joe", own=KdcPolicy(require_fast=True))
    assert reasons(part) == ["people log on in armor alone"] and not part.granted
    assert part.verdict.startswith("refused: KDC_ERR_PREAUTH_REQUIRED")
    (machine,) = ask(kdc, "DC1$", own=KdcPolicy(require_fast=True))
    assert machine.granted


def test_nobody(kdc: KdcCorp) -> None:
    (part,) = ask(kdc, "nobody")
    assert part.verdict == "refused: KDC_ERR_C_PRINCIPAL_UNKNOWN (6), STATUS_NO_SUCH_USER"
    assert part.steps[0].cause == "nobody has that name"


def test_all_reasons_are_told_not_the_first_alone(kdc: KdcCorp) -> None:
    kdc.corp.modify(
        JOE,
        replace_values("userAccountControl", "514"),
        replace_values("accountExpires", "131000000000000000"),
        replace_values("logonHours", bytes(21)),
        replace_values("pwdLastSet", "0"),
        replace_values("userWorkstations", "PC1"),
    )
    part, service = ask(kdc, "joe", LDAP)
    assert [fact.split()[0] for fact in reasons(part)] == ["disabled", "expired", "logon", "may", "the"]
    assert part.verdict == "refused: KDC_ERR_CLIENT_REVOKED (18), STATUS_ACCOUNT_DISABLED"
    assert not service.granted and service.verdict == "not asked"
    assert all(step.cause and step.next_step for step in part.steps if not step.ok)


def test_the_workstation(kdc: KdcCorp) -> None:
    kdc.corp.modify(JOE, replace_values("userWorkstations", "PC1,PC2"))
    assert ask(kdc, "joe", None, "pc1.corp.example.com")[0].granted
    (refused,) = ask(kdc, "joe", None, "PC3")
    assert reasons(refused) == ["may log on only from PC1, PC2, not from PC3"]
    assert refused.verdict == "refused: KDC_ERR_POLICY (12), STATUS_INVALID_WORKSTATION"
    (silent,) = ask(kdc, "joe")
    assert "a client that does not name its machine" in reasons(silent)[0]


def test_a_lockout_tells_its_end(kdc: KdcCorp) -> None:
    kdc.corp.modify("", replace_values("lockoutThreshold", "1"))
    kdc.corp.write(lambda ctx: record(ctx, kdc))
    (part,) = ask(kdc, "joe")
    assert reasons(part)[0].startswith("locked out until 20")
    assert part.verdict.endswith("STATUS_ACCOUNT_LOCKED_OUT")
    kdc.later(3600)
    assert ask(kdc, "joe")[0].granted


def record(ctx: object, kdc: KdcCorp) -> bool:
    from addc.directory.logon_counters import record_bad_password  # noqa: PLC0415 - one use

    return record_bad_password(ctx, kdc.corp.row(JOE).dnt)  # type: ignore[arg-type]


def test_rc4_is_a_key_for_who_lists_it(kdc: KdcCorp) -> None:
    kdc.corp.modify(JOE, replace_values("msDS-SupportedEncryptionTypes", "4"))
    (part,) = ask(kdc, "joe")
    assert part.granted and any("keys that may be used: rc4-hmac " in step.fact for step in part.steps)


def test_services_that_are_none(kdc: KdcCorp) -> None:
    kdc.corp.user("web", PASSWORD)
    _, missing = ask(kdc, "joe", "http/nowhere.example.com")
    assert missing.verdict == "refused: KDC_ERR_S_PRINCIPAL_UNKNOWN (7)"
    _, nameless = ask(kdc, "joe", "web")
    assert nameless.verdict == "refused: KDC_ERR_MUST_USE_USER2USER (27)"
    kdc.corp.modify(WEB, replace_values("servicePrincipalName", "http/web.corp.example.com"))
    assert ask(kdc, "joe", "http/web.corp.example.com")[1].granted
    kdc.corp.modify(WEB, replace_values("userAccountControl", "514"))
    _, revoked = ask(kdc, "joe", "http/web.corp.example.com")
    assert revoked.verdict == "refused: KDC_ERR_SERVICE_REVOKED (19)"
    assert "is disabled" in next(step.cause for step in revoked.steps if not step.ok)


def test_delegation(kdc: KdcCorp) -> None:
    kdc.corp.user("web", PASSWORD, servicePrincipalName="http/web.corp.example.com")
    *_, refused = ask(kdc, "joe", LDAP, None, "web")
    assert not refused.granted and refused.verdict.startswith("refused: KDC_ERR_BADOPTION (13)")
    kdc.corp.modify(
        WEB,
        replace_values("userAccountControl", str(0x200 | 0x100_0000)),
        replace_values("msDS-AllowedToDelegateTo", LDAP),
    )
    logon, self_part, proxy = ask(kdc, "joe", LDAP, None, "http/web.corp.example.com")
    assert logon.granted and self_part.granted and "forwardable" in self_part.steps[0].fact
    assert proxy.granted, proxy
    kdc.corp.modify(JOE, replace_values("userAccountControl", str(0x200 | 0x10_0000)))
    _, sensitive, refused = ask(kdc, "joe", LDAP, None, "web")
    assert "not forwardable" in sensitive.steps[0].fact and not refused.granted


def test_what_has_to_be_said_is_asked_for(kdc: KdcCorp) -> None:
    with pytest.raises(UserError, match="--service SPN"):
        ask(kdc, "joe", None, None, "web")
    with pytest.raises(UserError, match="No account is called"):
        ask(kdc, "joe", LDAP, None, "nobody-at-all")


def test_nothing_is_left_behind(kdc: KdcCorp) -> None:
    """Neither a logon nor a wrong password."""
    before = kdc.corp.row(JOE)
    ask(kdc, "joe", LDAP)
    kdc.corp.modify(JOE, replace_values("description", "touched"))
    after = kdc.corp.row(JOE)
    assert {att for att in after.attrs if after.attrs[att] != before.attrs.get(att)}.isdisjoint(
        {kdc.corp.schema.attribute(name).att_id for name in ("lastLogon", "badPwdCount", "logonCount")}  # type: ignore[union-attr]
    )
