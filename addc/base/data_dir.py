"""Names of what lies in a forest's data folder: provision writes them, the server reads them."""

from typing import Final

CONFIG_NAME: Final = "config.json"
DATABASE_NAME: Final = "directory.db"
KEY_NAME: Final = "secrets.key"
CA_NAME: Final = "tls/ca.pem"
CERTIFICATE_NAME: Final = "tls/server.pem"
CERTIFICATE_KEY_NAME: Final = "tls/server.key"
KDC_CERTIFICATE_NAME: Final = "tls/kdc.crt"
KDC_KEY_NAME: Final = "tls/kdc.key"
KRB5_CONF_NAME: Final = "krb5.conf"
KEYTAB_NAME: Final = "run/acceptor.keytab"
STATUS_NAME: Final = "run/status.json"
