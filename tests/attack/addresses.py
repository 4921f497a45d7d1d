"""Places that no push may reach, in all the ways in which they can be written."""

from __future__ import annotations

from collections.abc import Iterator

from tests.attack.attacks import Address, Attack

_HOSTS = """
localhost LOCALHOST localhost. a.localhost 127.0.0.1 127.1 127.0.1 0 0.0.0.0 2130706433 0x7f000001 0x7f.1 0177.0.0.1
017700000001 127.255.255.254 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 169.254.0.1
100.64.0.1 100.127.255.255 192.0.0.1 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255 192.88.99.1
[::1] [::] [::ffff:127.0.0.1] [::ffff:10.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1]
[64:ff9b::a9fe:a9fe] [64:ff9b:1::7f00:1] [100::1] [2001:db8::1] [2001::1] [2002:7f00:1::] [2002:a00:1::] [fc00::1]
[fd00::1] [fe80::1] [fec0::1] [ff02::1] [0:0:0:0:0:ffff:7f00:0001] [3fff::1]
"""
URLS: dict[str, str] = {
    "nothing": "",
    "no scheme": "example.org/x",
    "plain": "http://example.org/x",
    "file": "file:///etc/passwd",
    "ftp": "ftp://example.org/x",
    "gopher": "gopher://127.0.0.1:6379/_x",
    "dict": "dict://127.0.0.1:11211/",
    "data": "data:text/plain,x",
    "script": "javascript:alert(1)",
    "scheme of its own": "httpss://example.org",
    "user": "https://127.0.0.1@example.org/",
    "user and password": "https://a:b@example.org/",
    "empty user": "https://@example.org/",
    "fragment": "https://example.org/#x",
    "port 0": "https://example.org:0/",
    "port beyond": "https://example.org:65536/",
    "port of words": "https://example.org:x/",
    "no host": "https:///x",
    "only a port": "https://:443/",
    "blank": "https://exam ple.org/",
    "tab": "https://exam\tple.org/",
    "line": "https://example.org/\r\nX: y",
    "NUL": "https://example.org/\x00",
    "full width": "https://\uff11\uff12\uff17.0.0.1/",
    "other dots": "https://127\u30020\u30020\u30021/",
    "circled": "https://\u2460\u2461\u2466.0.0.1/",
    "long": "https://example.org/" + "x" * 600,
    "bracket open": "https://[::1/",
    "zone": "https://[fe80::1%25eth0]/",
    "backslash": "https://example.org\\@127.0.0.1/x y",
}


def attacks() -> Iterator[Attack]:
    """All of them: each must be refused before anything is looked up or connected to."""
    for host in _HOSTS.split():
        yield Attack("push addresses", host, "CALLBACK_URL", Address(f"https://{host}/hook"))
        yield Attack("push addresses", f"{host} with a port", "CALLBACK_URL", Address(f"https://{host}:8443/hook"))
    for name, url in URLS.items():
        yield Attack("push addresses", name, "CALLBACK_URL", Address(url))
