"""Which network addresses may be connected to: the check behind the protection from server-side request forgery."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address, ip_network

# The registries' "not globally reachable" plus what a crawler has no business with. `is_global` knows most of them, but
# its table differs between Python releases, so those that matter are written out.
REFUSED_V4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598; holds a cloud's metadata service (100.100.100.200)
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; holds the metadata services of most clouds (169.254.169.254)
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # the host's service address in one cloud, outside every private block
    )
)
REFUSED_V6 = tuple(
    ip_network(block)
    for block in (
        "::/128",
        "::1/128",
        "100::/64",  # discard
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",  # unique local
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052
NAT64_LOCAL = ip_network("64:ff9b:1::/48")  # RFC 8215
V4_COMPATIBLE = ip_network("::/96")
ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, third word of the interface identifier


def refusal(address: str) -> str | None:
    """Why an address (text form) may not be connected to, or None.

    IPv4 addresses inside IPv6 ones (mapped, 6to4, Teredo, NAT64, ISATAP, IPv4-compatible) are judged too.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "not an address"
    if isinstance(parsed, IPv4Address):
        return _refusal_v4(parsed)
    inner = next((reason for reason in map(_refusal_v4, _embedded_v4(parsed)) if reason), None)
    return f"{inner} inside IPv6" if inner else _refusal_v6(parsed)


def _refusal_v6(address: IPv6Address) -> str | None:
    if address.ipv4_mapped or address in NAT64:
        return None  # leads to the inner address, judged before
    refused = bool(address.scope_id) or address in NAT64_LOCAL or any(address in block for block in REFUSED_V6)
    return "not a public address" if refused or not address.is_global else None


def _refusal_v4(address: IPv4Address) -> str | None:
    refused = any(address in block for block in REFUSED_V4) or not address.is_global
    return "not a public address" if refused else None


def _embedded_v4(address: IPv6Address) -> list[IPv4Address]:
    found: list[IPv4Address | None] = [address.ipv4_mapped, address.sixtofour]
    if address.teredo:
        found += list(address.teredo)
    number = int(address)
    low = IPv4Address(number & 0xFFFFFFFF)
    if address in NAT64 or address in V4_COMPATIBLE or (number >> 32) & 0xFFFFFFFF in ISATAP:
        found.append(low)
    return [inner for inner in found if inner is not None]
