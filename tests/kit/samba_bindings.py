"""Samba's Python bindings as an oracle: they belong to the system's Python, so a child process runs them."""

import json
import subprocess
from typing import Final

_SYSTEM_PYTHON: Final = "/usr/bin/python3"
_TIMEOUT_S: Final = 60
_HEAD: Final = """
import json, sys
from samba.ndr import ndr_pack, ndr_unpack
given = json.load(sys.stdin)
"""
_TAIL: Final = """
json.dump(answer, sys.stdout)
"""


def ask_samba(script: str, given: object) -> dict[str, object]:
    """What `script` puts into `answer`; it finds `given`, ndr_pack and ndr_unpack. Bytes travel as hex."""
    done = subprocess.run(
        [_SYSTEM_PYTHON, "-c", _HEAD + script + _TAIL],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer
