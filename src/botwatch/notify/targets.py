"""Where a message may go: never to an address of the inside, unless the settings name its network.

Whoever configures a channel, or a receiver that answers with a redirect, could otherwise make this server ask
machines that only it can reach. The addresses of a name are looked up once, all of them are checked, and
one of them is connected to; so a name that changes its answer between check and use gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Final

from botwatch.errors import SettingError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Said to be public, and yet answered by the machine's own cloud.
_METADATA: Final = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "fd00:ec2::254", "100.100.100.200")))
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_TO_4: Final = ipaddress.ip_network("2002::/16")


class TargetRefused(Exception):
    """The message says which address, and which setting would allow it."""


@dataclass(frozen=True, slots=True)
class Targets:
    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, text: str) -> Targets:
        """Networks parted by commas, as in `10.0.0.0/8, 127.0.0.1`."""
        try:
            return cls(tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()))
        except ValueError:
            raise SettingError("notify_networks: expected networks such as 10.0.0.0/8, 127.0.0.1") from None

    def check(self, host: str, address: str) -> None:
        found = ipaddress.ip_address(address.partition("%")[0])
        if any(found in network for network in self.allowed):
            return
        if _inside(found):
            raise TargetRefused(
                f"{host} leads to {found}, an address of the inside; add its network to the setting "
                "notify_networks if that is meant"
            )

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, each checked. OSError where the name has none."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            self.check(host, address)
        return addresses


def _inside(address: Address) -> bool:
    """Also an inner IPv4 address that comes dressed as IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None and (_inside(inner) or address in _TO_4):
            return True
        if inner is not None:
            return False
    return address in _METADATA or not address.is_global or address.is_multicast or address.is_reserved
