"""The descriptor that a new file or folder gets.

A list that its creator gives stands as it was given. Else entries come down from the folder: marked as
inherited if the folder's own list takes part in automatic inheritance, unmarked (and so untouched by later
changes above) if it does not. No list at all, said aloud, lets everybody in.

Spec: [MS-FSA] 2.1.5.1.1, [MS-DTYP] 2.5.3.4.1, 2.5.3.4.2.
"""

from dataclasses import replace

from addc.security.descriptor import INHERITED, Ace, Acl, Control, SecurityDescriptor
from addc.security.sd_create import FILE, FOLDER, create_sd
from addc.security.token import Token


def new_descriptor(
    above: SecurityDescriptor, given: SecurityDescriptor | None, token: Token, *, folder: bool
) -> SecurityDescriptor:
    """above: the folder's. given: what the creator wants, as far as it may."""
    kind = FOLDER if folder else FILE
    if given is None or not given.control & Control.DP:
        made = create_sd(above, given, token, kind=kind)
        return made if above.control & Control.DI else _unmarked(made)
    bare = replace(given, control=given.control | Control.PD)  # nothing comes down
    made = create_sd(above, bare, token, kind=kind)
    control = made.control & ~int(Control.PD | Control.DI)
    control |= given.control & int(Control.PD | Control.DI)
    if given.dacl is None:
        return replace(made, control=control, dacl=None)
    return replace(made, control=control, dacl=_as_marked(made.dacl, given.dacl))


def _unmarked(made: SecurityDescriptor) -> SecurityDescriptor:
    """The same rights, of its own."""
    assert made.dacl is not None
    aces = tuple(_with(ace, ace.flags & ~INHERITED) for ace in made.dacl.aces)
    return replace(made, control=made.control & ~int(Control.DI), dacl=replace(made.dacl, aces=aces))


def _as_marked(made: Acl | None, given: Acl) -> Acl | None:
    """Entries keep the mark that their giver set, as far as none was split in two."""
    if made is None or len(made.aces) != len(given.aces):
        return made
    pairs = zip(made.aces, given.aces, strict=True)
    return replace(made, aces=tuple(_with(ace, ace.flags | own.flags & INHERITED) for ace, own in pairs))


def _with(ace: Ace, flags: int) -> Ace:
    return ace if flags == ace.flags else replace(ace, flags=flags)
