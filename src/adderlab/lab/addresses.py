"""Where the lab listens, and by which names it may be spoken to.

Rules: it listens on this machine alone unless another address is named. A request is refused whose
``Host`` is not a name of this machine: a page of another site that had its own name point here (DNS
rebinding) sends that name. A socket is refused whose ``Origin`` is not the address that it is
opened at, so no page of another site opens one.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
import sys
from dataclasses import dataclass
from typing import Final

from adderlab.errors import OptionError

LOOPBACK: Final = "127.0.0.1"
FIRST_PORT: Final = 8250
PORTS_TRIED: Final = 50
LARGEST_PORT: Final = 65_535
_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:@/\s]+))(?::[0-9]{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """An open socket with the name and the port that it is reached by.

    Attributes:
        socket: it is bound, and nobody listens to it yet.
        host: as it was asked for.
        port: as it was found to be free.
        is_loopback: whether this machine alone reaches it.
    """

    socket: socket.socket
    host: str
    port: int
    is_loopback: bool

    @property
    def address(self) -> str:
        """The beginning of its addresses: ``http://127.0.0.1:8250``."""
        host = self.host
        try:
            number = ipaddress.ip_address(host)
        except ValueError:
            return f"http://{host}:{self.port}"
        if number.is_unspecified:  # every address of this machine: this is one of them
            number = ipaddress.ip_address(LOOPBACK if number.version == 4 else "::1")
        return (
            f"http://[{number}]:{self.port}"
            if number.version == 6
            else f"http://{number}:{self.port}"
        )

    def is_served(self, host: str) -> bool:
        """Return whether a ``Host`` header names this machine."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = (match[1] or match[2]).lower()
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            own = socket.gethostname().lower()
            others = set() if self.is_loopback else {self.host.lower(), own, f"{own}.local"}
            return name in {"localhost", *others}
        return number.is_loopback or not self.is_loopback  # nobody's name points to a number


def is_same_origin(origin: str, host: str) -> bool:
    """Return whether a page was loaded from where it opens a socket."""
    return origin.lower() == f"http://{host.lower()}"


def place_for(host: str = LOOPBACK, port: int | None = None) -> Place:
    """Return a place to listen at.

    Args:
        host: an address or a name of this machine.
        port: 0 for any that is free; left out, the first free one from :data:`FIRST_PORT` on.

    Raises:
        OptionError: the host is none of this machine's, or the port can't be had.
    """
    if port is not None and not 0 <= port <= LARGEST_PORT:
        raise OptionError(f"got {port}", where="port", remedy=f"give a port up to {LARGEST_PORT}")
    first = FIRST_PORT if port is None else port
    place = _bound(host, first)
    if place is not None:
        return place
    ports = range(first + 1, min(first + PORTS_TRIED, LARGEST_PORT + 1))
    place = next((other for other in (_bound(host, number) for number in ports) if other), None)
    if place is None:
        raise OptionError(
            f"the ports {first} to {ports.stop - 1} are in use",
            where="port",
            remedy="give another, or 0 for any",
        )
    if port is not None:
        place.socket.close()
        raise OptionError(
            f"port {port} is in use", where="port", remedy=f"give {place.port}, which is free"
        )
    return place


def _bound(host: str, port: int) -> Place | None:
    """Return a socket at this port; ``None`` where the port is in use."""
    if not host:  # it would mean every address
        raise _no_host(host, "it is empty")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise _no_host(host, str(error)) from None
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # where the port would be shared
            server.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
        server.listen()  # else another may still take it
    except OSError as error:
        server.close()
        if error.errno == errno.EADDRINUSE:
            return None
        if error.errno == errno.EADDRNOTAVAIL:
            raise _no_host(host, error.strerror or "") from None
        raise OptionError(
            f"port {port} can't be opened ({error.strerror})",
            where="port",
            remedy=f"leave it out, or give one from {FIRST_PORT} on",
        ) from None
    number = ipaddress.ip_address(str(address[0]).partition("%")[0])
    return Place(server, host, server.getsockname()[1], number.is_loopback)


def _no_host(host: str, reason: str) -> OptionError:
    return OptionError(
        f"{host[:100]!r} is no address of this machine ({reason})",
        where="host",
        remedy=f"leave it out for {LOOPBACK}, or give 0.0.0.0 for every address",
    )
