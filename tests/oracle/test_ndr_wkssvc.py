"""wkssvc as it is on the wire, held against Samba's NDR in both transfer syntaxes."""

from addc.rpc.interfaces.wkssvc.idl import WKSSVC
from tests.kit.ndr_oracle import check_calls, made_up


def test_stubs_are_samba_s() -> None:
    check_calls(WKSSVC, "wkssvc", *made_up(WKSSVC, levels={0: "level"}))
