"""Templates of policies and the domain are kept in step, both ways.

Spec: [MS-GPSB] 2.2.1, 2.2.2, 2.2.6, 3.2.5.
"""

import pytest

from addc.codec.ids import Sid
from addc.codec.inf_file import InfFile
from addc.directory import (
    gpo_apply,
    gpo_objects,
    gpo_template,
    kerberos_policy,
    lsa_accounts,
    sysvol,
    sysvol_paths,
    sysvol_watch,
)
from addc.directory.context import ReadContext, WriteContext
from addc.directory.gpo_objects import DEFAULT_DC_POLICY, DEFAULT_DOMAIN_POLICY, TEMPLATE, Policy
from addc.directory.kerberos_policy import DEFAULT, KerberosPolicy
from addc.directory.password_policy import domain_policy
from addc.security.account_rights import RIGHTS
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN

DAY_FT = 864_000_000_000


def _path(ctx: ReadContext, policy: str = DEFAULT_DOMAIN_POLICY) -> tuple[str, ...]:
    return (*gpo_objects.find(ctx, policy).path, *TEMPLATE)


def _template(corp: Corp, policy: str = DEFAULT_DOMAIN_POLICY) -> InfFile:
    data = corp.read(lambda ctx: sysvol_paths.get_file(ctx, _path(ctx, policy)))
    assert data is not None
    return InfFile.unpack(data)


def _write(corp: Corp, template: InfFile | bytes, policy: str = DEFAULT_DOMAIN_POLICY) -> None:
    data = template if isinstance(template, bytes) else template.pack()
    corp.write(lambda ctx: sysvol_paths.put_file(ctx, _path(ctx, policy), data))
    corp.later(5)


def _step(corp: Corp) -> None:
    corp.later(5)
    assert corp.write(gpo_apply.step) is False


def _version(corp: Corp) -> tuple[int, int | None]:
    def work(ctx: ReadContext) -> tuple[int, int | None]:
        policy = gpo_objects.find(ctx, DEFAULT_DOMAIN_POLICY)
        return policy.version, gpo_objects.file_version(ctx, policy)

    return corp.read(work)


def test_a_new_forest_is_in_step(corp: Corp) -> None:
    before = corp.row(DOMAIN_DN).usn_changed
    _step(corp)
    _step(corp)
    assert corp.row(DOMAIN_DN).usn_changed == before
    assert corp.read(kerberos_policy.stored) is None
    assert _version(corp) == (3, 3)


def test_passwords_lockout_and_tickets_follow_the_template(corp: Corp) -> None:
    _step(corp)
    template = _template(corp)
    for name, value in (
        ("MinimumPasswordLength", 12), ("PasswordHistorySize", 5), ("MaximumPasswordAge", -1),
        ("MinimumPasswordAge", 0), ("PasswordComplexity", 0), ("ClearTextPassword", 1),
        ("LockoutBadCount", 5), ("ResetLockoutCount", 15), ("LockoutDuration", -1),
        ("ForceLogoffWhenHourExpire", 1),
    ):  # fmt: skip
        template.put("System Access", name, str(value))
    template.put("Kerberos Policy", "MaxTicketAge", "4")
    template.put("Kerberos Policy", "MaxServiceAge", "60")
    template.put("Kerberos Policy", "TicketValidateClient", "0")
    _write(corp, template)
    _step(corp)
    found = corp.read(domain_policy)
    assert (found.minimum_length, found.history_length, found.maximum_age, found.minimum_age) == (12, 5, 0, 0)
    assert (found.complexity, found.reversible, found.lockout_threshold) == (False, True, 5)
    assert (found.observation_window, found.lockout_duration) == (15 * 600_000_000, 0)
    assert corp.text(DOMAIN_DN, "forceLogoff") == "0"
    assert corp.text(DOMAIN_DN, "maxPwdAge") == str(-(1 << 63))
    wanted = KerberosPolicy(4, 7, 60, 5, False)
    assert corp.read(kerberos_policy.read) == wanted


def test_a_template_is_read_only_when_its_writer_has_ended(corp: Corp) -> None:
    _step(corp)
    template = _template(corp)
    template.put("System Access", "MinimumPasswordLength", "9")
    corp.write(lambda ctx: sysvol_paths.put_file(ctx, _path(ctx), template.pack()))
    corp.write(gpo_apply.step)
    assert corp.read(domain_policy).minimum_length == 7
    _step(corp)
    assert corp.read(domain_policy).minimum_length == 9
    assert corp.read(lambda ctx: ctx.tx.next_due(sysvol_watch.KIND)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"\xff\xfe" + "[System Access]\r\nMinimumPasswordLength = 1\r\n".encode("utf-16-le"),
        b"\xff\xfe"
        + "[Version]\r\nsignature=\r\n[System Access]\r\nMinimumPasswordLength = x".encode("utf-16-le"),
        b"\xff\xfe"
        + "[Version]\r\nsignature=\r\n[System Access]\r\nMinimumPasswordLength=-4".encode("utf-16-le"),
    ],
)
def test_what_is_no_template_changes_nothing(corp_sqlite: Corp, data: bytes) -> None:
    corp = corp_sqlite
    _step(corp)
    _write(corp, data)
    _step(corp)
    assert corp.read(domain_policy).minimum_length == 7
    assert corp.read(kerberos_policy.read) == DEFAULT


def test_lifetimes_that_make_no_sense_are_not_put_in_force(corp: Corp) -> None:
    _step(corp)
    template = _template(corp)
    template.put("Kerberos Policy", "MaxTicketAge", "0")
    template.put("System Access", "MinimumPasswordLength", "8")
    _write(corp, template)
    _step(corp)
    assert corp.read(kerberos_policy.read) == DEFAULT
    assert corp.read(domain_policy).minimum_length == 8


def test_what_is_changed_past_the_template_is_written_back(corp: Corp) -> None:
    """As by `samba-tool domain passwordsettings` or `addc krb policy`."""
    _step(corp)
    corp.modify(
        DOMAIN_DN, replace_values("minPwdLength", "10"), replace_values("maxPwdAge", str(-90 * DAY_FT))
    )
    corp.write(
        lambda ctx: kerberos_policy.write(ctx, KerberosPolicy(max_ticket_age_h=8, max_service_age_min=60))
    )
    _step(corp)
    template = _template(corp)
    assert template.get("System Access", "MinimumPasswordLength") == "10"
    assert template.get("System Access", "MaximumPasswordAge") == "90"
    assert template.get("System Access", "PasswordHistorySize") == "24"
    assert template.get("Kerberos Policy", "MaxTicketAge") == "8"
    assert _version(corp) == (4, 4)
    _step(corp)
    assert _version(corp) == (4, 4)
    assert corp.read(domain_policy).minimum_length == 10


def test_changes_on_both_sides_meet(corp: Corp) -> None:
    """Each setting that one side changed reaches the other; the template wins where both did."""
    _step(corp)
    corp.modify(DOMAIN_DN, replace_values("minPwdLength", "10"), replace_values("pwdHistoryLength", "3"))
    template = _template(corp)
    template.put("System Access", "PasswordHistorySize", "9")
    template.put("System Access", "LockoutBadCount", "4")
    _write(corp, template)
    _step(corp)
    found = corp.read(domain_policy)
    assert (found.minimum_length, found.history_length, found.lockout_threshold) == (10, 9, 4)
    said = _template(corp)
    assert said.get("System Access", "MinimumPasswordLength") == "10"
    assert said.get("System Access", "PasswordHistorySize") == "9"
    usn = corp.read(lambda ctx: ctx.tx.usn)
    _step(corp)
    assert corp.read(lambda ctx: ctx.tx.usn) == usn


def test_a_template_of_any_size_does_no_harm(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    _step(corp)

    def grow(ctx: WriteContext) -> None:
        row = sysvol.resolve(ctx, _path(ctx))
        sysvol.set_size(ctx, row.node, 1 << 31)

    corp.write(grow)
    corp.later(5)
    _step(corp)
    assert corp.read(domain_policy).minimum_length == 7


def test_privileges_follow_the_policy_of_the_controllers(corp: Corp) -> None:
    _step(corp)
    corp.group("Backup people")
    template = _template(corp, DEFAULT_DC_POLICY)
    template.put("Privilege Rights", "SeBackupPrivilege", "*S-1-5-32-544,CORP\\Backup people,nobody,*S-x")
    template.put("Privilege Rights", "SeDenyNetworkLogonRight", "*S-1-5-32-546")
    template.put("Privilege Rights", "SeNoSuchPrivilege", "*S-1-1-0")
    _write(corp, template, DEFAULT_DC_POLICY)
    _step(corp)
    held = corp.read(lambda ctx: lsa_accounts.holders(ctx, RIGHTS["sebackupprivilege"]))
    sid = corp.sid(f"CN=Backup people,CN=Users,{DOMAIN_DN}")
    assert set(held) == {Sid.parse("S-1-5-32-544"), sid}
    denied = corp.read(lambda ctx: lsa_accounts.holders(ctx, RIGHTS["sedenynetworklogonright"]))
    assert denied == (Sid.parse("S-1-5-32-546"),)


def test_the_policy_linked_first_decides_and_a_disabled_one_does_not(corp: Corp) -> None:
    _step(corp)

    def make(ctx: WriteContext) -> Policy:
        policy = gpo_objects.create(ctx, "Stricter")
        template = InfFile.unpack(sysvol_paths.get_file(ctx, _path(ctx)) or b"")
        template.put("System Access", "MinimumPasswordLength", "14")
        sysvol_paths.put_file(ctx, (*policy.path, *TEMPLATE), template.pack())
        gpo_objects.link(ctx, policy, DOMAIN_DN)
        return policy

    policy = corp.write(make)
    _step(corp)
    assert corp.read(domain_policy).minimum_length == 7
    corp.write(lambda ctx: gpo_objects.link(ctx, policy, DOMAIN_DN, options=2))
    _step(corp)
    assert corp.read(domain_policy).minimum_length == 14
    corp.modify(policy.dn, replace_values("flags", "2"))
    _step(corp)
    assert corp.read(domain_policy).minimum_length == 7


def test_settings_of_a_template_survive_both_ways(corp: Corp) -> None:
    domain = corp.row(DOMAIN_DN)
    held = gpo_template.of_domain(domain)
    assert gpo_template.domain_changes(domain, held) == []
    assert gpo_template.ticket_policy(DEFAULT, gpo_template.of_tickets(DEFAULT)) == DEFAULT
