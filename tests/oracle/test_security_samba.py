"""Descriptors, their text and simple access checks against Samba's Python bindings."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

from addc.base.errors import DsError
from addc.codec.ids import Sid
from addc.security import sddl, wellknown
from addc.security.access_check import access_check
from addc.security.descriptor import Ace, Acl, Control, SecurityDescriptor
from addc.security.token import Privilege, Token

DATA = json.loads((Path(__file__).parents[1] / "vectors/MS-DTYP/sddl.json").read_text())
DOMAIN = Sid.parse(DATA["domain_sid"])

PEER = r"""
import json, sys
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba import NTSTATUSError
from samba.security import access_check
job = json.load(sys.stdin)
domain = security.dom_sid(job["domain_sid"])
out = {"packed": [], "printed": [], "granted": []}
for text in job.get("texts", ()):
    out["packed"].append(ndr_pack(security.descriptor.from_sddl(text, domain)).hex())
for blob in job.get("blobs", ()):
    out["printed"].append(ndr_unpack(security.descriptor, bytes.fromhex(blob)).as_sddl(domain))
for blob, sids, privileges, mask in job.get("checks", ()):
    sd = ndr_unpack(security.descriptor, bytes.fromhex(blob))
    token = security.token()
    token.sids = [security.dom_sid(sid) for sid in sids]
    token.num_sids = len(sids)
    if privileges:
        token.set_privilege(security.SEC_PRIV_TAKE_OWNERSHIP)
    try:
        out["granted"].append(access_check(sd, token, mask))
    except NTSTATUSError:
        out["granted"].append(None)
json.dump(out, sys.stdout)
"""


def ask_samba(**job: Any) -> dict[str, Any]:
    job["domain_sid"] = str(DOMAIN)
    done = subprocess.run(
        ["/usr/bin/python3", "-c", PEER], input=json.dumps(job), capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_texts_become_the_same_descriptors() -> None:
    texts = [vector["text"] for vector in DATA["vectors"]]
    blobs = [sddl.parse(text, DOMAIN).pack().hex() for text in texts]
    answer = ask_samba(texts=texts, blobs=blobs)
    for text, packed, printed in zip(texts, answer["packed"], answer["printed"], strict=True):
        ours = sddl.parse(text, DOMAIN)
        theirs = SecurityDescriptor.unpack(bytes.fromhex(packed))
        assert (ours.owner, ours.group) == (theirs.owner, theirs.group), text
        for mine, other in ((ours.dacl, theirs.dacl), (ours.sacl, theirs.sacl)):
            assert (mine and mine.aces) == (other and other.aces), text
        assert sddl.parse(printed, DOMAIN).dacl == ours.dacl, text


def _cases(rng: random.Random) -> list[tuple[SecurityDescriptor, Token, int]]:
    people = [
        *(DOMAIN.child(1100 + i) for i in range(4)),
        wellknown.EVERYONE,
        wellknown.AUTHENTICATED_USERS,
        wellknown.OWNER_RIGHTS,
    ]
    rights = [0x10, 0x20, 0x4, 0x10000, 0x20000, 0x40000, 0x80000]
    cases = []
    for _ in range(3000):
        aces = tuple(
            Ace(
                rng.choice((0, 0, 0, 1)),
                rng.choice((0, 0, 0, 0x08, 0x10)),
                sum(rng.sample(rights, rng.randint(1, 4))),
                rng.choice(people),
            )
            for _ in range(rng.randint(0, 6))
        )
        sd = SecurityDescriptor(
            int(Control.SR | Control.DP), rng.choice(people[:4]), people[0], None, Acl(2, aces)
        )
        user = rng.choice(people[:4])
        sids = frozenset((user, *rng.sample(people[:6], rng.randint(0, 3))))
        privileges = Privilege.SE_TAKE_OWNERSHIP if rng.random() < 0.1 else Privilege(0)
        mask = rng.choice((0x0200_0000, sum(rng.sample(rights, rng.randint(1, 3)))))
        cases.append((sd, Token(user, sids, privileges), mask))
    return cases


def test_simple_access_checks_agree() -> None:
    cases = _cases(random.Random(20260101))  # noqa: S311
    checks = [
        (
            sd.pack().hex(),
            [str(token.user), *(str(sid) for sid in sorted(token.sids) if sid != token.user)],
            token.has(Privilege.SE_TAKE_OWNERSHIP),
            mask,
        )
        for sd, token, mask in cases
    ]
    granted = ask_samba(checks=checks)["granted"]
    for (sd, token, mask), expected in zip(cases, granted, strict=True):
        try:
            ours: int | None = int(access_check(sd, token, mask))
        except DsError:
            ours = None
        # asking for the maximum, an empty grant is refused here and granted as zero there
        theirs = expected or None
        assert ours == theirs, (sddl.format(sd), token, hex(mask))
