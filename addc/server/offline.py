"""The directory of a data folder, for commands that work on it beside a running server or without one."""

from pathlib import Path

from addc.directory.api import Directory
from addc.provision.forest import secret_attributes
from addc.schema.loader import load_base
from addc.server.config import read_secret_key, read_site_config
from addc.store.engine import Store


def open_directory(data_dir: Path) -> Directory:
    """Open the forest of a data folder; the caller closes it.

    Raises UserError where there is none, or where its key cannot be read.
    """
    site = read_site_config(data_dir)
    schema = load_base()
    return Directory(Store.open(site.database, read_secret_key(data_dir), secret_attributes(schema)), schema)
