"""A client's address, as log-ins are counted by it."""

from ipaddress import IPv6Address, ip_address, ip_network

IPV6_PREFIX = 64
"""Bits of an IPv6 address that tell one household from another: within it a client chooses 2^64 addresses freely."""


def to_counted_address(host: str) -> str:
    """An IPv4 address, the /64 network of an IPv6 address, or the text itself if it is no address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address.packed, IPV6_PREFIX), strict=False))
    return str(address)
