"""Damaged messages through engines and services: a small, seeded share of `make fuzz`."""

from collections.abc import Iterator

import pytest

from tests.bench.fuzz import fuzz
from tests.bench.fuzz_subjects import Subject, subjects

COUNT = 4000


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Subject]]:
    with subjects(tmp_path_factory.mktemp("fuzz")) as listed:
        yield {subject.name: subject for subject in listed}


@pytest.mark.parametrize(
    "name",
    [
        "ldap",
        "search",
        "write",
        "cldap",
        "kdc",
        "armor",
        "tickets",
        "strangers",
        "kpasswd",
        "dns",
        "dns_codec",
    ],
)
def test_only_what_the_protocol_allows_comes_out(found: dict[str, Subject], name: str) -> None:
    assert list(fuzz([found[name]], COUNT, seed=20))[-1] == COUNT


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("dns_record", 2000),
        ("zone_file", 100),
        ("tokens", 1500),
        ("values", 100),
        ("pkinit", 400),
        ("proxy", 1000),
    ],
)
def test_decoders_raise_nothing_but_their_own(found: dict[str, Subject], name: str, count: int) -> None:
    assert list(fuzz([found[name]], count, seed=20))[-1] == count


def test_damaged_updates_and_signatures_change_nothing(found: dict[str, Subject]) -> None:
    assert list(fuzz([found["dns_updates"]], 800, seed=20))[-1] == 800


@pytest.mark.parametrize(("name", "count"), [("rpc", 1500), ("stubs", 2500), ("smb", 1500), ("blobs", 2000)])
def test_rpc_and_smb_answer_with_statuses_and_faults(
    found: dict[str, Subject], name: str, count: int
) -> None:
    assert list(fuzz([found[name]], count, seed=20))[-1] == count
