"""Requesters with rights that a test gives them, who are no administrators."""

from dataclasses import replace

from addc.directory import rights
from addc.directory.context import WriteContext
from addc.security import sddl
from addc.security.descriptor import Acl
from addc.security.token import Token
from tests.kit.corp import Corp

_EVERYTHING = "CCDCLCSWRPWPDTLOCRSDRCWDWO"


def let(corp: Corp, who: Token, name: str, aces: str = f"(A;CI;{_EVERYTHING};;;{{sid}})") -> None:
    """Put ACEs in SDDL before the others of an object's DACL; {sid} is the requester."""
    extra = sddl.parse("D:" + aces.format(sid=who.user), corp.forest.domain_sid, corp.forest.domain_sid)
    assert extra.dacl is not None

    def work(ctx: WriteContext) -> None:
        row = ctx.tx.get(corp.row(name).dnt)
        assert row is not None
        old = rights.descriptor(ctx, row)
        assert old.dacl is not None and extra.dacl is not None
        new = replace(old, dacl=Acl(old.dacl.revision, (*extra.dacl.aces, *old.dacl.aces)))
        ctx.tx.update(row, sd_id=ctx.tx.put_descriptor(new.pack()))

    corp.write(work)


def delegated(corp: Corp, name: str, place: str) -> Token:
    """A new user who holds every right on an object and on what is made below it."""
    corp.user(name, "Tr0ub4dor&3")
    token = corp.token(name)
    let(corp, token, place)
    return token
