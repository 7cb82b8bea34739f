"""An extension of the size of a mail server's product, over LDAP and by file: how long each takes.

Run as `python -m tests.bench.schema_extension [attributes=2000] [classes=500] [workers=2]`; provisions a
forest in a temporary folder, serves it on loopback, sends every record as one request over LDAPS, one after
another, and then the same file with `addc schema import` into a second forest. One JSON line at the end.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from addc.codec.ldif import parse
from addc.ldap import messages as m
from tests.kit.extension import extension, plain
from tests.kit.served import ADDC, DOMAIN_DN, LdapLine, provision_below, start

LDAPS = 636


def send_all(line: LdapLine, text: str) -> tuple[int, float]:
    """How many requests, and the seconds that the slowest took."""
    count, slowest_s = 0, 0.0
    for record in plain(list(parse(text)), DOMAIN_DN):
        request: m.Request
        if record.kind == "add":
            request = m.AddRequest(
                record.dn, tuple(m.PartialAttribute(name, values) for name, values in record.attributes)
            )
        else:
            request = m.ModifyRequest(
                record.dn,
                tuple(
                    m.Change(part.op, m.PartialAttribute(part.attribute, part.values))
                    for part in record.modifications
                ),
            )
        began = time.monotonic()
        answer = line.ask(request)
        slowest_s = max(slowest_s, time.monotonic() - began)
        assert isinstance(answer, m.LdapResultFields) and answer.result_code == 0, (record.dn, answer)
        count += 1
    return count, slowest_s


def main() -> None:
    settings = {"attributes": 2000, "classes": 500, "workers": 2}
    settings |= {name: int(value) for name, value in (word.split("=") for word in sys.argv[1:])}
    text = extension(settings["attributes"], settings["classes"])
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder)
        data_dir = provision_below(scene)
        shutil.copytree(data_dir, scene / "second")
        served = start(data_dir, "--workers", str(settings["workers"]))
        with LdapLine(served.ports.of(LDAPS), tls=True) as line:
            line.bind()
            began = time.monotonic()
            count, slowest_s = send_all(line, text)
            over_ldap_s = time.monotonic() - began
        assert served.stop() == 0
        began = time.monotonic()
        started = start(data_dir)
        ready_s = time.monotonic() - began
        assert started.stop() == 0
        path = scene / "extension.ldf"
        path.write_text(text)
        began = time.monotonic()
        command = [*ADDC, "schema", "import", str(path), "--data-dir", str(scene / "second")]
        subprocess.run(command, check=True, capture_output=True)
        by_file_s = time.monotonic() - began
    figures = {
        "requests": count,
        "over_ldap_s": round(over_ldap_s, 1),
        "slowest_request_s": round(slowest_s, 3),
        "by_file_s": round(by_file_s, 1),
        "ready_again_s": round(ready_s, 2),
    }
    print(json.dumps(settings | figures))


if __name__ == "__main__":
    main()
