"""Quotas: who is held to one, what counts, who may know."""

from collections.abc import Callable

import pytest

from addc.base.errors import DsError
from addc.base.ids import Dnt, Usn
from addc.codec.ids import Sid
from addc.codes.faces import ldap_face
from addc.codes.ldap_result import LdapResult
from addc.codes.ntstatus import NtStatus
from addc.directory import owners, quotas, rights
from addc.directory.context import ReadContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.schema.wellknown import ExtendedRight
from addc.security.access_mask import AccessMask
from addc.security.descriptor import ACCESS_ALLOWED, ACCESS_ALLOWED_OBJECT, Ace, Acl, SecurityDescriptor
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow
from tests.kit.corp import SEALED, Corp, delete_values, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.refusals import refusal

QUOTAS = "CN=NTDS Quotas"
BYPASSING = RequestOptions(confidential=True, bypass_quota=True)


def allow(corp: Corp, dn: str, name: str, mask: AccessMask, right: bytes = b"") -> None:
    """Let an account have a right on an object and below."""
    row = corp.row(dn)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.dacl is not None
    kind = ACCESS_ALLOWED_OBJECT if right else ACCESS_ALLOWED
    ace = Ace(kind, 0, int(mask), corp.token(name).user, right or None)
    changed = SecurityDescriptor(sd.control, sd.owner, sd.group, sd.sacl, Acl(4, (ace, *sd.dacl.aces)))
    corp.modify(dn, replace_values("nTSecurityDescriptor", changed.pack()), requester=SYSTEM)


@pytest.fixture
def ann(corp_sqlite: Corp) -> Corp:
    """A forest where Ann creates containers in an OU, and owns what she creates."""
    corp = corp_sqlite
    corp.user("ann")
    corp.add("OU=box", "organizationalUnit")
    full = AccessMask.RIGHT_DS_CREATE_CHILD | AccessMask.RIGHT_DS_DELETE_CHILD
    allow(corp, "OU=box", "ann", full | AccessMask.RIGHT_DS_LIST_CONTENTS)
    return corp


def make(corp: Corp, name: str, options: RequestOptions = SEALED) -> Dnt:
    return corp.add(f"CN={name},OU=box", "container", corp.token("ann"), options)


def exceeded(work: Callable[[], object]) -> bool:
    with pytest.raises(DsError) as caught:
        work()
    result, text = ldap_face(caught.value)
    assert text.startswith("C0000044: SvcErr: ")
    return result is LdapResult.ADMIN_LIMIT_EXCEEDED and caught.value.code == NtStatus.STATUS_QUOTA_EXCEEDED


def control(corp: Corp, name: str, trustee: Sid, amount: int) -> Dnt:
    return corp.add(
        f"CN={name},{QUOTAS}",
        "msDS-QuotaControl",
        values={"cn": name, "msDS-QuotaTrustee": bytes(trustee), "msDS-QuotaAmount": str(amount)},
    )


def test_the_default_quota_ends_an_owners_adds(ann: Corp) -> None:
    """3.1.1.5.2.5: adminLimitExceeded / STATUS_QUOTA_EXCEEDED once USAGE would pass MAX-USAGE."""
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "2"))
    make(ann, "one")
    make(ann, "two")
    assert exceeded(lambda: make(ann, "three"))
    assert refusal(lambda: ann.row("CN=three,OU=box"))


def test_the_highest_quota_that_names_one_of_the_requester_counts(ann: Corp) -> None:
    """3.1.1.5.2.5: the maximum of msDS-QuotaAmount over all applicable objects, not the default."""
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "0"))
    assert exceeded(lambda: make(ann, "zero"))
    control(ann, "ann", ann.token("ann").user, 1)
    control(ann, "users", ann.sid("CN=Domain Users,CN=Users"), 2)
    control(ann, "others", ann.sid("CN=Guest,CN=Users"), 9)
    make(ann, "one")
    make(ann, "two")
    assert exceeded(lambda: make(ann, "three"))


def test_minus_one_is_no_limit(ann: Corp) -> None:
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "0"))
    control(ann, "ann", ann.token("ann").user, -1)
    make(ann, "one")


def test_tombstones_count_by_their_factor(ann: Corp) -> None:
    """3.1.1.5.2.5: ceil(tombstone-factor / 100 * owned_deleted_objects)."""
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "3"))
    for name in ("one", "two", "three"):
        make(ann, name)
    ann.write(lambda ctx: delete_object(ctx, f"CN=one,OU=box,{DOMAIN_DN}"), SYSTEM)
    assert exceeded(lambda: make(ann, "four"))
    ann.modify(QUOTAS, replace_values("msDS-TombstoneQuotaFactor", "0"))
    make(ann, "four")
    ann.modify(QUOTAS, replace_values("msDS-TombstoneQuotaFactor", "1"))
    ann.write(lambda ctx: delete_object(ctx, f"CN=two,OU=box,{DOMAIN_DN}"), SYSTEM)
    assert exceeded(lambda: make(ann, "five"))


def test_who_owns_in_the_name_of_a_group_has_no_quota(ann: Corp) -> None:
    """3.1.1.5.2.5: not enforced when the requester is not the potential owner."""
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "0"))
    ann.add("CN=admin's,OU=box", "container")


def test_the_bypass_takes_its_right(ann: Corp) -> None:
    """3.1.1.5.2.5, 3.1.1.3.4.1.35: LDAP_SERVER_BYPASS_QUOTA_OID with DS-Bypass-Quota on the NC root."""
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "0"))
    assert exceeded(lambda: make(ann, "one", BYPASSING))
    allow(ann, "", "ann", AccessMask.RIGHT_DS_CONTROL_ACCESS, ExtendedRight.DS_BYPASS_QUOTA.bytes_le)
    assert exceeded(lambda: make(ann, "one"))
    make(ann, "one", BYPASSING)


def test_taking_ownership_counts(ann: Corp) -> None:
    """3.1.1.5.2.5: change-of-owner operations are prevented too."""
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "0"))
    dnt = ann.add("CN=admin's,OU=box", "container")
    allow(ann, "CN=admin's,OU=box", "ann", AccessMask.RIGHT_WRITE_OWNER)
    row = ann.row(dnt)
    sd = ann.read(lambda ctx: rights.descriptor(ctx, row))
    user = ann.token("ann").user
    mine = SecurityDescriptor(sd.control, user, sd.group, sd.sacl, sd.dacl).pack()
    owner = RequestOptions(sd_flags=1)
    change = replace_values("nTSecurityDescriptor", mine)

    def take() -> object:
        return ann.modify("CN=admin's,OU=box", change, requester=ann.token("ann"), options=owner)

    assert exceeded(take)
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "1"))
    take()
    assert ann.read(lambda ctx: owners.owned(ctx, ctx.forest.domain_nc, user)) == (1, 0)


def test_an_owners_count_follows_deletion_and_the_descriptor(corp: Corp) -> None:
    user = corp.user("ann")
    sid, admins = corp.sid(user), corp.sid("CN=Domain Admins,CN=Users")

    def count(who: Sid) -> tuple[int, int]:
        return corp.read(lambda ctx: owners.owned(ctx, ctx.forest.domain_nc, who))

    before = count(admins)
    dnt = corp.add("CN=box,CN=Users", "container")
    assert count(admins) == (before[0] + 1, before[1])
    row = corp.row(dnt)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    hers = SecurityDescriptor(sd.control, sid, sd.group, sd.sacl, sd.dacl).pack()
    corp.modify("CN=box,CN=Users", replace_values("nTSecurityDescriptor", hers), requester=SYSTEM)
    assert count(admins) == before and count(sid) == (1, 0)
    corp.write(lambda ctx: delete_object(ctx, f"CN=box,CN=Users,{DOMAIN_DN}"), SYSTEM)
    assert count(sid) == (0, 1)


def test_the_keys_of_a_new_forest_are_whole(corp_sqlite: Corp) -> None:
    """Every row has the key that its descriptor calls for, and the sums agree."""

    def work(ctx: ReadContext) -> tuple[int, int]:
        nc = ctx.forest.domain_nc
        keys = 0
        for dnt in ctx.tx.changes(nc, Usn(0)):
            row = ctx.tx.get(dnt)
            assert row is not None
            for key in owners.keys_of(ctx, row):
                assert dnt in ctx.tx.index_eq(owners.OWNER_INDEX, key)
                keys += 1
        return keys, sum(sum(owners.owned(ctx, nc, one)) for one in owners.owners(ctx, nc))

    rows, total = corp_sqlite.read(work)
    assert rows == total > 100


def holder(ctx: ReadContext) -> ObjectRow:
    found = quotas.container(ctx, ctx.forest.domain_nc)
    assert found is not None
    return found


def test_one_may_ask_for_ones_own_quota_only(ann: Corp) -> None:
    """3.1.1.4.5.22, .23, 6.1.1.2.7.47: DS-Query-Self-Quota for oneself, read access for others."""
    control(ann, "ann", ann.token("ann").user, 7)
    make(ann, "one")
    token, guest = ann.token("ann"), ann.sid("CN=Guest,CN=Users")
    assert ann.read(lambda ctx: quotas.effective(ctx, holder(ctx)), ann.admin) == [b"-1"]
    sid = token.user
    assert ann.read(lambda ctx: quotas.effective(ctx, holder(ctx), sid), ann.admin) == [b"7"]
    assert ann.read(lambda ctx: quotas.used(ctx, holder(ctx), sid), ann.admin) == [b"1"]
    mine = ann.read(lambda ctx: (quotas.effective(ctx, holder(ctx)), quotas.used(ctx, holder(ctx))), token)
    assert mine == ([b"7"], [b"1"])
    sd = ann.read(lambda ctx: rights.descriptor(ctx, holder(ctx)))
    closed = SecurityDescriptor(sd.control | 0x1000, sd.owner, sd.group, sd.sacl, Acl(4, ()))
    ann.modify(QUOTAS, replace_values("nTSecurityDescriptor", closed.pack()), requester=SYSTEM)
    assert ann.read(lambda ctx: quotas.effective(ctx, holder(ctx), guest), token) == []
    assert ann.read(lambda ctx: quotas.used(ctx, holder(ctx)), token) == []
    allow(ann, QUOTAS, "ann", AccessMask.RIGHT_DS_CONTROL_ACCESS, ExtendedRight.DS_QUERY_SELF_QUOTA.bytes_le)
    assert ann.read(lambda ctx: quotas.used(ctx, holder(ctx)), token) == [b"1"]
    assert ann.read(lambda ctx: quotas.used(ctx, holder(ctx), guest), token) == []
    assert ann.read(lambda ctx: quotas.top_usage(ctx, holder(ctx)), token) == []


def test_other_objects_have_no_quotas_to_show(ann: Corp) -> None:
    box = ann.row("OU=box")
    assert ann.read(lambda ctx: quotas.effective(ctx, box) + quotas.used(ctx, box)) == []


def test_who_uses_most_is_listed_first(ann: Corp) -> None:
    """3.1.1.4.5.24, 3.1.1.3.2.31."""
    make(ann, "one")
    make(ann, "two")
    ann.write(lambda ctx: delete_object(ctx, f"CN=two,OU=box,{DOMAIN_DN}"), SYSTEM)
    found = ann.read(lambda ctx: quotas.top_usage(ctx, holder(ctx)))
    hers = next(one.decode() for one in found if str(ann.token("ann").user) in one.decode())
    assert f"<partitionDN>{DOMAIN_DN}</partitionDN>" in hers
    assert "<quotaUsed>2</quotaUsed>" in hers and "<tombstoneCount>1</tombstoneCount>" in hers
    assert "<totalCount>2</totalCount>" in hers
    used = [int(one.split(b"<quotaUsed>")[1].split(b"<")[0]) for one in found]
    assert used == sorted(used, reverse=True)
    all_of = ann.read(lambda ctx: quotas.top_usage_of_dc(ctx, [ctx.forest.domain_nc, ctx.forest.config_nc]))
    assert len(all_of) <= quotas.TOP_USAGE_RANGE and b"<liveCount>" in all_of[0]


def test_undeletes_are_held_to_the_quota_too(ann: Corp) -> None:
    """3.1.1.5.2.5: a living object counts in full, a deleted one by the factor."""
    ann.modify(
        QUOTAS, replace_values("msDS-DefaultQuota", "1"), replace_values("msDS-TombstoneQuotaFactor", "0")
    )
    gone = ann.row(make(ann, "one"))
    allow(ann, "CN=one,OU=box", "ann", AccessMask.RIGHT_DS_WRITE_PROPERTY)
    ann.write(lambda ctx: delete_object(ctx, f"CN=one,OU=box,{DOMAIN_DN}"), SYSTEM)
    make(ann, "two")
    for dn in ("", "CN=Deleted Objects"):
        full = AccessMask.RIGHT_DS_CONTROL_ACCESS | AccessMask.RIGHT_DS_LIST_CONTENTS
        allow(ann, dn, "ann", full | AccessMask.RIGHT_DS_READ_PROPERTY)
    shown = RequestOptions(confidential=True, show_deleted=True)
    back = (delete_values("isDeleted"), replace_values("distinguishedName", f"CN=one,OU=box,{DOMAIN_DN}"))
    name = f"<GUID={gone.guid.hex()}>"
    assert exceeded(lambda: ann.modify(name, *back, requester=ann.token("ann"), options=shown))
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "2"))
    ann.modify(name, *back, requester=ann.token("ann"), options=shown)


def test_who_is_over_his_quota_deletes_nothing_unless_that_helps(ann: Corp) -> None:
    """3.1.1.5.2.5: delete operations are prevented too, while USAGE stays above MAX-USAGE."""
    make(ann, "one")
    make(ann, "two")
    ann.modify(QUOTAS, replace_values("msDS-DefaultQuota", "1"))
    token = ann.token("ann")

    def delete() -> object:
        return ann.write(lambda ctx: delete_object(ctx, f"CN=one,OU=box,{DOMAIN_DN}"), token)

    assert exceeded(delete)
    ann.modify(QUOTAS, replace_values("msDS-TombstoneQuotaFactor", "0"))
    delete()
