"""What descriptor new files get. Spec: [MS-FSA] 2.1.5.1.1, [MS-DTYP] 2.5.3.4.1."""

from addc.security import sddl
from addc.security.token import SYSTEM
from addc.smb.new_descriptors import new_descriptor

_ABOVE = "O:BAG:BAD:{}(A;OICI;FA;;;BA)(A;CI;FR;;;AU)"


def made(above: str, given: str | None = None, *, folder: bool = False) -> str:
    wanted = None if given is None else sddl.parse(given)
    return sddl.format(new_descriptor(sddl.parse(above), wanted, SYSTEM, folder=folder))


def test_entries_come_down_marked_below_a_list_that_inherits_automatically() -> None:
    assert made(_ABOVE.format("AI")).endswith("D:AI(A;ID;FA;;;BA)")
    assert made(_ABOVE.format("AI"), folder=True).endswith("D:AI(A;OICIID;FA;;;BA)(A;CIID;FR;;;AU)")


def test_entries_come_down_unmarked_below_any_other_list() -> None:
    assert made(_ABOVE.format("")).endswith("D:(A;;FA;;;BA)")


def test_a_list_that_its_creator_gives_stands_as_it_is() -> None:
    """In its order and with its marks; nothing from above is added."""
    for above in ("", "AI"):
        assert made(_ABOVE.format(above), "D:AI(A;ID;FA;;;WD)(A;;FR;;;AU)").endswith(
            "D:AI(A;ID;FA;;;WD)(A;;FR;;;AU)"
        )
        assert made(_ABOVE.format(above), "D:(A;;FR;;;AU)").endswith("D:(A;;FR;;;AU)")
        assert made(_ABOVE.format(above), "D:P(A;;FR;;;AU)").endswith("D:P(A;;FR;;;AU)")


def test_no_list_said_aloud_lets_everybody_in() -> None:
    given = sddl.parse("D:NO_ACCESS_CONTROL")
    assert new_descriptor(sddl.parse(_ABOVE.format("AI")), given, SYSTEM, folder=False).dacl is None
