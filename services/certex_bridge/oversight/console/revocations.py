"""Sessions that ended before their time: by logout, or because the roles they were begun with are others now.

A session itself is only in its cookie, which a copy outlives; what ended is kept in the database, for all gateways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.canonical import sha256_hex

if TYPE_CHECKING:
    from certex_bridge.oversight.console.people import Person
    from certex_bridge.oversight.console.sessions import Session

_FOR_EVER = 1e18
_OVER = "SELECT coalesce(bool_or($3 < before), false) FROM console_session WHERE subject IN ($1, $2)"
_END = """
INSERT INTO console_session AS known (subject, roles, before) VALUES ($1, $2, $3)
ON CONFLICT (subject) DO UPDATE SET roles = EXCLUDED.roles, before = EXCLUDED.before, changed_at = now()
"""
_LOGIN = """
INSERT INTO console_session AS known (subject, roles, before) VALUES ($1, $2, 0)
ON CONFLICT (subject) DO UPDATE SET roles = EXCLUDED.roles, changed_at = now(),
    before = CASE WHEN known.roles = EXCLUDED.roles THEN known.before ELSE $3 END
"""
_FORGET = (
    "DELETE FROM console_session WHERE subject LIKE 'session %' AND changed_at < now() - make_interval(secs => $1)"
)


class Revocations:
    """What ended, on the server's side."""

    def __init__(self, longest_seconds: float) -> None:
        """A session that is older than `longest_seconds` has ended by the clock and need not be kept."""
        self._longest = longest_seconds

    async def is_over(self, database: Any, session: Session) -> bool:
        """Whether a person's session has ended."""
        assert session.person is not None
        over: bool = await database.fetchval(_OVER, _session(session), _person(session.person.identity), session.since)
        return over

    async def end(self, database: Any, session: Session) -> None:
        """End one session, whoever still has its cookie."""
        await database.execute(_END, _session(session), "", _FOR_EVER)
        await database.execute(_FORGET, self._longest)

    async def end_all(self, database: Any, identity: str, now: float) -> None:
        """End every session that a person has begun until now: the issuer gives them no role any more."""
        await database.execute(_END, _person(identity), "", now)

    async def logged_in(self, database: Any, person: Person, now: float) -> None:
        """A person logs in: sessions begun before with other roles or for another state end."""
        roles = " ".join([*sorted(person.roles), person.member_state])
        await database.execute(_LOGIN, _person(person.identity), roles, now)


def _session(session: Session) -> str:
    return f"session {sha256_hex(session.number.encode())}"


def _person(identity: str) -> str:
    return f"person {identity}"
