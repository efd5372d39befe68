"""Networks from files that are not ours: arrays by name, layers in JSON, gates of a netlist.

One format a file; :mod:`readers` is the table of them.
"""

from adderlab.nets.importing.network_file import Imported, NetworkFile

__all__ = ["Imported", "NetworkFile"]
