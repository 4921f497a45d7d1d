"""`licence freeze|unfreeze`: nothing new is reserved on a licence whose balance is under examination.

For the hour in which somebody has found that an account does not add up. Releases and exits go on, since they are
facts; reservations are refused (STATUS_FROZEN) until the examination has ended. The deed stands in the audit trail with
the login that did it and the reason, and `journal verify` compares the trail with the flag.
"""

from __future__ import annotations

from typing import Any

from certex_bridge.kernel.errors import InputError
from certex_bridge.operations.reading import NotFound, write
from certex_bridge.operations.terminal import print_json, say
from certex_bridge.oversight.console.audit import record
from certex_bridge.oversight.console.people import Person, Role

ACTIONS = {True: "licence.frozen", False: "licence.unfrozen"}
"""What the trail says, by what the flag was set to."""

_LOCK = "SELECT frozen FROM licence WHERE licence_id = $1 FOR UPDATE"
_SET = "UPDATE licence SET frozen = $2 WHERE licence_id = $1"
_WORDS = {True: "frozen", False: "not frozen"}


async def operator_of(database: Any) -> Person:
    """Who works here: the login at the database, which is what proves anything on a command line."""
    login = await database.fetchval("SELECT session_user::text")
    return Person(f"{login} (database login)", frozenset({Role.OPERATOR}), subject=f"database login {login}")


def run_freeze(licence_id: str, reason: str, *, frozen: bool, as_json: bool) -> None:
    """Set the flag, and write who did it and why, in one transaction.

    Raises:
        NotFound: the ledger has no such licence.
        InputError: REASON_MISSING; FROZEN_BEFORE when the flag is so already, which a second word would hide.
    """
    if not reason.strip():
        raise InputError("say why", field="reason", code="REASON_MISSING")

    async def act(database: Any) -> str:
        async with database.transaction():
            before = await database.fetchval(_LOCK, licence_id)
            if before is None:
                raise NotFound(f"The ledger has no licence {licence_id}.", field="licence", value=licence_id)
            if before is frozen:
                raise InputError(
                    f"{licence_id} is {_WORDS[frozen]} already", field="licence", value=licence_id, code="FROZEN_BEFORE"
                )
            person = await operator_of(database)
            await database.execute(_SET, licence_id, frozen)
            await record(database, person, ACTIONS[frozen], licence_id, _WORDS[before], reason.strip())
            return person.name

    name = write(act)
    if as_json:
        print_json({"licence": licence_id, "frozen": frozen, "by": name, "reason": reason.strip()})
    elif frozen:
        say(f"{licence_id} is frozen: nothing new is reserved. Releases and exits are booked as before.")
    else:
        say(f"{licence_id} is no longer frozen.")
