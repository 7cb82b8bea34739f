"""Fills a stopped Samba domain with the people of a bench, by Samba's own database layer.

Run by the system's Python as `python3 samba_fill.py SMB.CONF DOMAIN_DN USERS GROUPS BIG SMALL`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from people import BIG, OU, Size, group_name, memberships, user_name, user_values  # type: ignore[import-not-found]
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB


def main() -> None:
    conf, domain_dn, *counts = sys.argv[1:]
    size = Size(*map(int, counts))
    settings = LoadParm()
    settings.load(conf)
    database = SamDB(session_info=system_session(), lp=settings)
    folder = f"{OU},{domain_dn}"
    database.transaction_start()
    database.add({"dn": folder, "objectClass": "organizationalUnit"})
    for number in range(size.users):
        values = {**user_values(number), "userPrincipalName": f"{user_name(number)}@peer.example.com"}
        database.add({"dn": f"CN={user_name(number)},{folder}", "objectClass": "user", **values})
    for name in (BIG, *map(group_name, range(size.groups))):
        database.add({"dn": f"CN={name},{folder}", "objectClass": "group", "sAMAccountName": name})
    for source, members in memberships(size):
        text = f"dn: CN={source},{folder}\nchangetype: modify\nadd: member\n"
        database.modify_ldif(text + "".join(f"member: CN={user_name(n)},{folder}\n" for n in members))
    database.transaction_commit()


if __name__ == "__main__":
    main()
