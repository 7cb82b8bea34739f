"""A directory full of people: users, groups and one large group, laid straight into a store.

One user and one group are added as any client would; all others are copies of their rows with names, SIDs and
GUIDs of their own, so 100,000 users take seconds. RIDs come out of the RID Manager's pool in one piece.
"""

from typing import Final

from addc.base.ids import Dnt
from addc.base.rng import new_guid
from addc.directory import names, rid_pool
from addc.directory.add import add_object, index_of
from addc.directory.api import Directory
from addc.directory.context import WriteContext
from addc.directory.draft import draft_of
from addc.directory.linked_values import add_value
from addc.directory.stamp import save
from addc.schema import attr
from addc.security.token import SYSTEM
from addc.store.objects import NewObject, ObjectRow
from tests.bench.people import BIG, OU, Size, group_name, memberships, user_name, user_values

_BATCH: Final = 5_000


def fill(directory: Directory, size: Size) -> None:
    """Make OU=People with all that `size` asks for."""
    folder = f"{OU},{directory.forest.domain_dn}"

    def begin(ctx: WriteContext) -> int:
        add_object(ctx, folder, [("objectClass", [b"organizationalUnit"])])
        for dn, cls, values in (
            (f"CN={user_name(0)},{folder}", b"user", user_values(0)),
            (f"CN={group_name(0)},{folder}", b"group", {"sAMAccountName": group_name(0)}),
            (f"CN={BIG},{folder}", b"group", {"sAMAccountName": BIG}),
        ):
            add_object(
                ctx,
                dn,
                [("objectClass", [cls]), *((name, [value.encode()]) for name, value in values.items())],
            )
        return _reserve(ctx, size.users + size.groups)

    first_rid = directory.write_now("bench.begin", SYSTEM, begin)
    for kind, count, offset in (("user", size.users, 0), ("group", size.groups, size.users)):
        for start in range(1, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))

            def batch(
                ctx: WriteContext, kind: str = kind, numbers: range = numbers, rid: int = first_rid + offset
            ) -> None:
                _copies(ctx, folder, kind, numbers, rid)

            directory.write_now("bench.copies", SYSTEM, batch)
    for source, targets in memberships(size):
        for start in range(0, len(targets), _BATCH):
            part = targets[start : start + _BATCH]

            def link(ctx: WriteContext, source: str = source, part: range = part) -> None:
                _link(ctx, folder, source, part)

            directory.write_now("bench.members", SYSTEM, link)


def _reserve(ctx: WriteContext, count: int) -> int:
    """The first of `count` RIDs that nobody else will be given."""
    manager = names.resolve(ctx, f"CN=RID Manager$,CN=System,{ctx.forest.domain_dn}")
    draft = draft_of(ctx, manager)
    low, high = rid_pool.unpack_pool(draft.integer(attr.RID_AVAILABLE_POOL))
    draft.put_integer(attr.RID_AVAILABLE_POOL, rid_pool.pack_pool(low + count, high))
    save(ctx, draft)
    return low


def _row(ctx: WriteContext, folder: Dnt, name: str) -> ObjectRow:
    row = names.child_named(ctx, folder, attr.CN, name)
    assert row is not None, name
    return row


def _copies(ctx: WriteContext, folder_dn: str, kind: str, numbers: range, rid: int) -> None:
    folder = names.resolve(ctx, folder_dn).dnt
    template = _row(ctx, folder, user_name(0) if kind == "user" else group_name(0))
    schema = ctx.schema
    for number in numbers:
        name = user_name(number) if kind == "user" else group_name(number)
        values = user_values(number) if kind == "user" else {"sAMAccountName": name}
        attrs = dict(template.attrs)
        for one, value in values.items():
            attribute = schema.attribute(one)
            assert attribute is not None
            attrs[attribute.att_id] = (value.encode(),)
        usn = ctx.tx.next_usn()
        meta = {
            att: stamp._replace(originating_usn=usn, local_usn=usn) for att, stamp in template.meta.items()
        }
        ctx.tx.insert(
            NewObject(
                parent=folder,
                nc=template.nc,
                rdn_att=attr.CN,
                rdn=name,
                rdn_key=names.rdn_key(schema, attr.CN, name),
                guid=new_guid(ctx.rng).bytes_le,
                sid=bytes(ctx.forest.domain_sid.child(rid + number)),
                instance_type=template.instance_type,
                class_id=template.class_id,
                sd_id=template.sd_id,
                usn_created=usn,
                usn_changed=usn,
                attrs=attrs,
                meta=meta,
                index=index_of(schema, attrs, attr.CN, name),
            )
        )


def _link(ctx: WriteContext, folder_dn: str, source: str, targets: range) -> None:
    folder = names.resolve(ctx, folder_dn).dnt
    group = _row(ctx, folder, source).dnt
    member = ctx.schema.attribute_by_id(attr.MEMBER)
    assert member is not None
    usn = ctx.tx.next_usn()
    for number in targets:
        add_value(ctx, group, member, (_row(ctx, folder, user_name(number)).dnt, b""), usn)
