"""What the KDC remembers of the authorities that the forest trusts."""

from typing import cast

from addc.kdc.lookup_certificates import trust_store
from addc.security.crypto.trust_chain import RevocationList
from tests.kit.corp import Corp


def test_lists_that_were_read_anew_are_never_taken_for_the_former(corp_sqlite: Corp) -> None:
    """A tuple that is gone leaves its identity to the next one: that must not be what is remembered."""

    def kept(number: int) -> int:
        one = (cast(RevocationList, ("list", number)),)
        return id(corp_sqlite.read(lambda ctx: trust_store(ctx, one)))

    assert len({kept(number) for number in range(20)}) == 20
