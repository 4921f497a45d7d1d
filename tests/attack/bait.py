"""A file and an address that no attack may lead anybody to: whoever connects is counted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECRET = "never-to-be-told-7f3a91"


class Bait:
    """What attacks name as `{file}` and `{url}`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "bait.txt"
        self.file.write_text(SECRET, "utf-8")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._listening.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()

    def put_into(self, raw: bytes) -> bytes:
        """The bytes with file and address in their places."""
        if b"{file}" not in raw and b"{url}" not in raw:
            return raw
        url = f"http://127.0.0.1:{self.port}/bait"
        return raw.replace(b"{file}", str(self.file).encode()).replace(b"{url}", url.encode())

    def close(self) -> None:
        """Listen no longer."""
        self._listening.close()


@contextmanager
def bait(folder: Path) -> Iterator[Bait]:
    """For one block."""
    made = Bait(folder)
    try:
        yield made
    finally:
        made.close()
