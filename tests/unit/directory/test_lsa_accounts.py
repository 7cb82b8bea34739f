"""Who holds which privilege: the defaults of a new DC, changes, and what they mean to the next logon."""

import pytest

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import lsa_accounts
from addc.directory.context import WriteContext
from addc.directory.groups import token_of_sids
from addc.directory.lsa_accounts import LsaAccount
from addc.security import wellknown
from addc.security.account_rights import (
    DEFAULT_HOLDERS,
    LOGON_RIGHTS,
    PRIVILEGE_BY_LUID,
    PRIVILEGES,
    RIGHTS,
    Held,
    SystemAccess,
)
from addc.security.token import Privilege
from tests.kit.corp import Corp

MACHINE_ACCOUNT = RIGHTS["semachineaccountprivilege"]


def test_every_privilege_has_its_luid_lsad_3_1_1_2_1() -> None:
    assert [one.luid for one in PRIVILEGES] == list(range(2, 37))
    assert PRIVILEGE_BY_LUID[22].name == "SeSystemEnvironmentPrivilege"
    assert PRIVILEGE_BY_LUID[27].privilege == Privilege.SE_ENABLE_DELEGATION


def test_logon_rights_have_their_bits_lsad_2_2_1_2() -> None:
    assert [int(one.access) for one in LOGON_RIGHTS] == [1, 2, 4, 16, 64, 128, 256, 512, 1024, 2048]


def test_the_default_holders_are_those_of_a_windows_dc() -> None:
    assert MACHINE_ACCOUNT.name in DEFAULT_HOLDERS[wellknown.AUTHENTICATED_USERS].names
    assert "SeBackupPrivilege" in DEFAULT_HOLDERS[wellknown.BACKUP_OPERATORS].names
    assert "SeDebugPrivilege" not in DEFAULT_HOLDERS[wellknown.BACKUP_OPERATORS].names


def test_a_privilege_given_to_a_user_is_in_its_next_token(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("ann")
    assert not corp.token("ann").has(Privilege.SE_ENABLE_DELEGATION)
    sid = corp.sid("CN=ann,CN=Users")
    delegation = RIGHTS["seenabledelegationprivilege"]
    corp.write(lambda ctx: lsa_accounts.hold(ctx, sid, Held().with_rights((delegation,))))
    assert corp.token("ann").has(Privilege.SE_ENABLE_DELEGATION)
    of_pac = corp.read(lambda ctx: token_of_sids(ctx, sid, ()))
    assert of_pac.has(Privilege.SE_ENABLE_DELEGATION)
    corp.write(lambda ctx: lsa_accounts.delete(ctx, sid))
    assert not corp.token("ann").has(Privilege.SE_ENABLE_DELEGATION)


def test_a_privilege_taken_from_everybody_is_gone_at_the_next_logon(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("ben")
    assert corp.token("ben").has(Privilege.SE_MACHINE_ACCOUNT)
    corp.write(
        lambda ctx: lsa_accounts.set_holders(ctx, MACHINE_ACCOUNT, [corp.sid("CN=Domain Admins,CN=Users")])
    )
    assert not corp.token("ben").has(Privilege.SE_MACHINE_ACCOUNT)
    assert corp.admin.has(Privilege.SE_MACHINE_ACCOUNT)
    held = corp.read(lambda ctx: lsa_accounts.holders(ctx, MACHINE_ACCOUNT))
    assert held == (corp.sid("CN=Domain Admins,CN=Users"),)


def test_a_transaction_sees_what_it_wrote(corp_sqlite: Corp) -> None:
    corp_sqlite.user("cid")
    sid = corp_sqlite.sid("CN=cid,CN=Users")

    def work(ctx: WriteContext) -> LsaAccount | None:
        lsa_accounts.create(ctx, sid)
        return lsa_accounts.find(ctx, sid)

    assert corp_sqlite.write(work) == LsaAccount(Held())
    with pytest.raises(DsError) as refused:
        corp_sqlite.write(lambda ctx: lsa_accounts.create(ctx, sid))
    assert refused.value.code == Win32.ERROR_ALREADY_EXISTS


def test_services_keep_what_they_cannot_do_without_lsad_3_1_4_5_12(corp_sqlite: Corp) -> None:
    for work in (
        lambda ctx: lsa_accounts.delete(ctx, wellknown.LOCAL_SERVICE),
        lambda ctx: lsa_accounts.hold(ctx, wellknown.NETWORK_SERVICE, Held()),
    ):
        with pytest.raises(DsError) as refused:
            corp_sqlite.write(work)
        assert refused.value.code == Win32.ERROR_NOT_SUPPORTED


def test_a_denied_way_to_log_on_stands_above_a_granted_one(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("dan")
    sids = corp.token("dan").sids
    assert corp.read(lambda ctx: lsa_accounts.may_log_on_from_network(ctx, sids))
    denied = Held(access=SystemAccess.DENY_NETWORK)
    corp.write(lambda ctx: lsa_accounts.hold(ctx, corp.sid("CN=dan,CN=Users"), denied))
    assert not corp.read(lambda ctx: lsa_accounts.may_log_on_from_network(ctx, sids))
