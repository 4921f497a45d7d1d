"""Makes .venv with the locked packages, on a machine that may have nothing but Python's standard library.

    python3 tools/bootstrap.py [GROUP…]     groups are the files of requirements/ (default: everything)
    python3 tools/bootstrap.py --uv         only find or fetch uv, and print where it is

Uses uv from the PATH, or else fetches the wheel named in requirements/uv.txt from the package index you use (settings
of uv and pip, their environment variables and proxies are honoured), checks its sha256, unpacks it into .cache/uv.
Nothing outside the project folder and uv's own download cache is touched. Also runs on old Pythons, to say so.
"""

from __future__ import annotations

import configparser
import hashlib
import html.parser
import io
import json
import os
import platform
import shutil
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = ROOT / "requirements"
CACHE = ROOT / ".cache" / "uv"
GROUPS = ("runtime", "build", "embedded", "test", "lint", "bench", "docs", "ops", "browser")
MINIMUM = (3, 11)
TIMEOUT_SECONDS = 60


class SetupFailed(Exception):
    """Told to the user as one sentence."""


def pip_setting(name: str) -> str:
    """A value of pip's [global] section: environment first, then its files from the nearest to the farthest."""
    value = os.environ.get("PIP_" + name.upper().replace("-", "_"), "")
    config_home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    files = [Path.home() / ".pip/pip.conf", config_home / "pip/pip.conf", Path("/etc/pip.conf")]
    if os.environ.get("PIP_CONFIG_FILE"):
        files.insert(0, Path(os.environ["PIP_CONFIG_FILE"]))
    for file in files:
        if value:
            break
        parser = configparser.RawConfigParser()
        try:
            parser.read(str(file), encoding="utf-8")
            value = parser.get("global", name, fallback="")
        except (OSError, configparser.Error):
            continue
    return value.strip()


def index_url() -> str:
    """Address of the package index, as uv or pip are told; otherwise the Python Package Index."""
    named = (os.environ.get(name, "") for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"))
    default = "https://" + ".".join(("pypi", "org")) + "/simple"
    return (next(filter(None, named), "") or pip_setting("index-url") or default).rstrip("/") + "/"


def certificate_file() -> str:
    """A bundle of certificate authorities named by the user, or nothing."""
    names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    candidates = [os.environ.get(name, "") for name in names] + [pip_setting("cert")]
    return next((path for path in candidates if path and Path(path).is_file()), "")


def download(url: str, accept: str = "*/*") -> tuple[bytes, str, str]:
    """The body, its content type and the final address.

    Raises:
        SetupFailed: with what to do about it.
    """
    context = ssl.create_default_context(cafile=certificate_file() or None)
    request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "certex-bridge-setup"})
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    host = urllib.parse.urlsplit(url).hostname or url
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.read(), answer.headers.get_content_type(), answer.geturl()
    except urllib.error.HTTPError as error:
        raise SetupFailed(f"{host} answered {error.code} to the request for uv.") from error
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise SetupFailed(
                f"the certificate of {host} cannot be verified: install the system's certificate authorities "
                "(Debian: apt-get install ca-certificates) or name a bundle in SSL_CERT_FILE."
            ) from error
        raise SetupFailed(
            f"{host} cannot be reached ({reason}): connect the network, set https_proxy, name your own package index "
            "in PIP_INDEX_URL, or install uv yourself."
        ) from error


class _Links(html.parser.HTMLParser):
    """The files of an index page in the older HTML form."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect address and sha256 of each link."""
        address = dict(attrs).get("href") or ""
        if tag == "a" and "#sha256=" in address:
            target, _, digest = address.partition("#sha256=")
            self.files.append((target, digest))


def index_files(project: str) -> list[tuple[str, str]]:
    """Address and sha256 of every file of a project on the index."""
    accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
    body, content_type, page = download(index_url() + project + "/", accept)
    if content_type.endswith("+json"):
        files = [(file["url"], file["hashes"].get("sha256", "")) for file in json.loads(body)["files"]]
    else:
        parser = _Links()
        parser.feed(body.decode("utf-8", "replace"))
        files = parser.files
    return [(urllib.parse.urljoin(page, address), digest) for address, digest in files]


def pinned(lock: Path) -> tuple[str, set[str]]:
    """Version and accepted sha256 sums of the one package in a lock file."""
    words = lock.read_text(encoding="utf-8").replace("\\", " ").split()
    prefix = "--hash=sha256:"
    return words[0].split("==")[1], {word[len(prefix) :] for word in words if word.startswith(prefix)}


def suits_this_machine(filename: str) -> bool:
    """Whether a wheel's platform tag fits this operating system, processor and C library."""
    if not filename.endswith(".whl"):
        return False
    tag = filename[:-4].rsplit("-", 1)[1]
    machine = platform.machine().lower()
    machines = {"amd64": "x86_64", "arm64": "aarch64"}
    machine = machines.get(machine, machine)
    if sys.platform == "darwin":
        return tag.startswith("macosx") and tag.endswith("arm64" if machine == "aarch64" else machine)
    family = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return sys.platform == "linux" and family in tag and tag.endswith(machine)


def fetch_uv() -> Path:
    """Fetch the pinned wheel, verify it, unpack the program."""
    version, accepted = pinned(LOCKS / "uv.txt")
    print(f"fetching uv {version} …", flush=True)
    start = f"uv-{version}-"
    files = [(address, digest) for address, digest in index_files("uv") if digest in accepted]
    for address, digest in files:
        name = urllib.parse.unquote(urllib.parse.urlsplit(address).path.rsplit("/", 1)[-1])
        if name.startswith(start) and suits_this_machine(name):
            body = download(address)[0]
            if hashlib.sha256(body).hexdigest() != digest:
                raise SetupFailed(f"{name} does not have the sha256 pinned in requirements/uv.txt: it is not used.")
            return unpack_uv(body, version)
    raise SetupFailed(
        f"your package index has no wheel of uv {version} for {sys.platform} {platform.machine()} "
        "with a pinned sha256: install uv yourself."
    )


def unpack_uv(wheel: bytes, version: str) -> Path:
    """Write the program out of the wheel, at once or not at all."""
    CACHE.mkdir(parents=True, exist_ok=True)
    target, fresh = CACHE / "uv", CACHE / f"uv.{os.getpid()}"
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        fresh.write_bytes(archive.read(f"uv-{version}.data/scripts/uv"))
    fresh.chmod(fresh.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    fresh.replace(target)
    return target


def find_uv() -> Path:
    """A uv that runs: the user's own, one fetched earlier, or a fresh one."""
    candidates = [shutil.which("uv") or "", str(Path.home() / ".local/bin/uv"), str(CACHE / "uv")]
    for candidate in filter(None, candidates):
        try:
            # "pip install --group" and friends are not needed, but a uv from 2024 lacks options used below.
            done = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=True, timeout=60)
        except (OSError, subprocess.SubprocessError):
            continue
        numbers = done.stdout.split()[1].split(".")[:2]
        if tuple(map(int, numbers)) >= (0, 6):
            return Path(candidate)
    return fetch_uv()


def uv_environment() -> dict[str, str]:
    """The environment for uv, which does not read pip's settings: hand over the index and the certificates."""
    environment = dict(os.environ, VIRTUAL_ENV=str(VENV))
    for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        environment.pop(name, None)
    environment["UV_DEFAULT_INDEX"] = index_url()
    if certificate_file():
        environment["SSL_CERT_FILE"] = certificate_file()
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    environment.setdefault("UV_NATIVE_TLS", "true")  # the same under its older name
    return environment


def run_uv(uv: Path, arguments: list[str], what: str) -> None:
    """Run uv quietly; on failure say what could not be done, after uv's own words."""
    done = subprocess.run([str(uv), "--quiet", *arguments], env=uv_environment(), cwd=str(ROOT), check=False)
    if done.returncode:
        raise SetupFailed(f"{what} (uv's message is above).")


def make_venv(groups: list[str]) -> None:
    """Make .venv when it is missing or broken, and install the locked groups and the project itself."""
    uv = find_uv()
    python = VENV / "bin" / "python"
    if not python.exists() or subprocess.run([str(python), "-c", ""], check=False).returncode:
        shutil.rmtree(str(VENV), ignore_errors=True)
        venv = ["venv", "--no-project", "--python", sys.executable, str(VENV)]
        run_uv(uv, venv, "the folder .venv could not be made")
    locks = [part for group in groups for part in ("--requirement", f"requirements/{group}.txt")]
    print(f"installing the locked packages ({', '.join(groups)}) …", flush=True)
    run_uv(uv, ["pip", "install", "--require-hashes", *locks], "the locked packages could not be installed")
    editable = ["pip", "install", "--no-deps", "--no-build-isolation", "--editable", "."]
    run_uv(uv, editable, "the project was not installed")


def main(arguments: list[str]) -> int:
    """Entry point; 0, or 1 after one sentence on standard error."""
    groups = [name for name in arguments if name != "--uv"] or list(GROUPS)
    try:
        if sys.version_info < MINIMUM:
            found = ".".join(map(str, sys.version_info[:2]))
            raise SetupFailed(f"Python 3.11 or later is needed and {sys.executable} is {found}: name one in PYTHON=….")
        if "--uv" in arguments:
            print(find_uv())
        else:
            make_venv(groups)
    except SetupFailed as error:
        print(f"certex-bridge set-up: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
