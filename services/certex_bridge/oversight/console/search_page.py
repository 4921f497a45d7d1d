"""Search: licences by number or holder, declarations by MRN, LRN or exporter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.oversight.console.people import Person
from certex_bridge.oversight.console.web import Visit, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from certex_bridge.oversight.console.reading import Reading

SHOWN = 50
SHORTEST = 2
"""Fewer characters would list everything."""
LONGEST = 100


class SearchPage:
    """The first page; what it finds is also a fragment, so that it can follow the typing."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def show(self, visit: Visit) -> Response:
        """The form, and what was found."""
        text = visit.asked("q")
        mistake = ""
        if text and not SHORTEST <= len(text) <= LONGEST:
            mistake = "search.short" if len(text) < SHORTEST else "search.long"
        licences, declarations = [], []
        if text and not mistake:
            of_licences, of_customs, of_claims = confinement(visit.person)
            issuer, slash, number = text.partition("/")
            wanted = licence_key(issuer.upper(), number) if slash and len(issuer) == 2 and number.strip() else text
            async with self._reading.picture() as seen:
                licences = await seen.rows("licences", wanted, of_licences, SHOWN + 1)
                licences += [] if licences else await seen.rows("placeholders", wanted, of_licences)
                declarations = await seen.rows("declarations", text, of_customs, of_claims, SHOWN + 1)
        name = "found.html" if visit.fragment else "search.html"
        found: dict[str, Any] = {"licences": licences, "declarations": declarations}
        return page(visit, name, shown=SHOWN, text=text, mistake=mistake, **found)


def confinement(person: Person) -> tuple[str, str, str]:
    """State of the licences, of the declarations, and of the licences in declarations, that a person may see."""
    sight = person.sight
    if sight.everything or not sight.state:
        return "", "", ""
    own = issuing_state(sight.state)
    if sight.customs:
        return "", sight.state, ""
    return own, "", own
