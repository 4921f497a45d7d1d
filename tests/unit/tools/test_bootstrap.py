"""The set-up for machines without uv: which index, which wheel, and nothing unverified."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import json
import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "bootstrap.py"
SETTINGS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "XDG_CONFIG_HOME")


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script as a module, on a machine without settings and with an empty home."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    return module


@functools.cache
def wheel() -> bytes:
    """A wheel whose program is a few words."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("uv-9.9.9.data/scripts/uv", "#!/bin/sh\necho uv 9.9.9\n")
    return packed.getvalue()


@pytest.fixture(params=["json", "html"])
def index(request: pytest.FixtureRequest, bootstrap: ModuleType) -> Iterator[str]:
    """A package index on loopback that speaks one of the two forms."""
    digest = hashlib.sha256(wheel()).hexdigest()
    name = "uv-9.9.9-py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = "application/octet-stream", wheel()
            if self.path == "/simple/uv/" and request.param == "json":
                kind = "application/vnd.pypi.simple.v1+json"
                body = json.dumps({"files": [{"url": f"../../{name}", "hashes": {"sha256": digest}}]}).encode()
            elif self.path == "/simple/uv/":
                kind, body = "text/html", f'<a href="/{name}#sha256={digest}">{name}</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
        server.shutdown()
        thread.join()


@pytest.fixture
def pinned(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A lock that accepts the wheel."""
    lock = tmp_path / "uv.txt"
    lock.write_text(f"uv==9.9.9 \\\n    --hash=sha256:{hashlib.sha256(wheel()).hexdigest()}\n", "utf-8")
    monkeypatch.setattr(bootstrap, "LOCKS", tmp_path)
    monkeypatch.setattr(bootstrap.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return lock


def test_a_verified_wheel_is_unpacked_and_runs(
    bootstrap: ModuleType, index: str, pinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index)
    program = bootstrap.fetch_uv()
    assert os.access(program, os.X_OK)
    assert program.read_text("utf-8").endswith("echo uv 9.9.9\n")


def test_a_wheel_with_another_sum_is_never_used(
    bootstrap: ModuleType, index: str, pinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index)
    address = f"{index}/uv-9.9.9-py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl"
    digest = next(iter(bootstrap.pinned(pinned)[1]))
    monkeypatch.setattr(bootstrap, "index_files", lambda _: [(address, digest)])
    monkeypatch.setattr(bootstrap, "download", lambda *_: (b"something else", "", ""))
    with pytest.raises(bootstrap.SetupFailed, match="does not have the sha256"):
        bootstrap.fetch_uv()
    assert not (bootstrap.CACHE / "uv").exists()


def test_a_wheel_the_lock_does_not_name_is_not_there(
    bootstrap: ModuleType, index: str, pinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index)
    pinned.write_text("uv==9.9.9 \\\n    --hash=sha256:" + "0" * 64 + "\n", "utf-8")
    with pytest.raises(bootstrap.SetupFailed, match="install uv yourself"):
        bootstrap.fetch_uv()


def test_an_unreachable_index_is_one_sentence(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(bootstrap.SetupFailed, match="cannot be reached") as caught:
        bootstrap.download("http://127.0.0.1:1/simple/uv/")
    assert "\n" not in str(caught.value)


def test_the_index_is_the_one_of_uv_then_of_pip(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert bootstrap.index_url().startswith("https://")
    config = tmp_path / "home" / ".config" / "pip"
    config.mkdir(parents=True)
    (config / "pip.conf").write_text("[global]\nindex-url = https://mirror.example/simple/\n", "utf-8")
    assert bootstrap.index_url() == "https://mirror.example/simple/"
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    assert bootstrap.index_url() == "https://environment.example/simple/"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert bootstrap.index_url() == "https://uv.example/simple/"


@pytest.mark.parametrize(
    ("system", "machine", "library", "tag", "fits"),
    [
        ("linux", "x86_64", "glibc", "manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("linux", "aarch64", "glibc", "manylinux_2_17_aarch64", True),
        ("linux", "x86_64", "glibc", "musllinux_1_1_x86_64", False),
        ("linux", "x86_64", "", "musllinux_1_1_x86_64", True),
        ("linux", "x86_64", "glibc", "manylinux_2_17_i686", False),
        ("darwin", "arm64", "", "macosx_11_0_arm64", True),
        ("darwin", "x86_64", "", "macosx_11_0_arm64", False),
        ("win32", "AMD64", "", "win_amd64", False),
    ],
)
def test_the_wheel_fits_the_machine(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    machine: str,
    library: str,
    tag: str,
    fits: bool,
) -> None:
    monkeypatch.setattr(bootstrap.sys, "platform", system)
    monkeypatch.setattr(bootstrap.platform, "machine", lambda: machine)
    monkeypatch.setattr(bootstrap.platform, "libc_ver", lambda: (library, ""))
    assert bootstrap.suits_this_machine(f"uv-9.9.9-py3-none-{tag}.whl") is fits


def test_an_old_python_is_told_so(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "MINIMUM", (99, 0))
    assert bootstrap.main([]) == 1
    assert "Python 3.11 or later is needed" in capsys.readouterr().err
