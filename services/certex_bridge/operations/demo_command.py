"""The demo: a day of the European Union, played on the bridge from licence to exit, and verified at the end."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certex_bridge.laboratory.cases import make_cases, sent_of
from certex_bridge.laboratory.clearance import Split, split_day
from certex_bridge.laboratory.collect import CERTIFICATES, OUTCOMES, write_documents
from certex_bridge.laboratory.day import make_day, with_records
from certex_bridge.laboratory.publish import Published, Sender
from certex_bridge.operations import demo_report
from certex_bridge.operations.demo_cases import case_results, settle_by_hand
from certex_bridge.operations.demo_clearance import Clearance, as_rows, callers_of, clearance
from certex_bridge.operations.demo_facts import gather_facts
from certex_bridge.operations.demo_report import DOCUMENTS_WRITTEN, DemoResult, HttpResult, Verdict, WaveTime
from certex_bridge.operations.demo_screen import bars, step
from certex_bridge.operations.demo_servers import Servers
from certex_bridge.operations.demo_watch import Watch
from certex_bridge.operations.gateway_beside import gateway_beside
from certex_bridge.operations.running import running
from certex_bridge.operations.terminal import console, count, say
from certex_bridge.platform.logs import configure_logging
from certex_bridge.platform.metrics import bridge_version
from certex_bridge.platform.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.laboratory.cases import Case
    from certex_bridge.laboratory.clearance import Step
    from certex_bridge.operations.composition import Bridge
    from certex_bridge.operations.demo_screen import Bars

ROLES: Collection[str] = ("intake", "worker", "relay")


_GATEWAY: dict[str, Any] = {
    "roles": (*ROLES, "gateway"), "http_host": "127.0.0.1", "http_port": 0, "gateway_auth": "none",
    "callers_file": None, "http_ssl_certfile": None, "http_ssl_keyfile": None, "http_ssl_client_cafile": None,
    "push_private_networks": True, "console_auth": "local",
    # A check shares one process with all other roles here, and each of them may be busy for longer than 50 ms.
    "gateway_check_budget_ms": 5_000, "gateway_database_wait_ms": 5_000,
}  # fmt: skip
"""The demo's gateway is for this machine only and asks for no proof, whatever the environment says."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the person at the terminal asked for."""

    licences: int
    declarations: int
    seed: int
    keep: bool
    out: Path


def run_demo(options: DemoOptions) -> int:
    """Play the demo; returns the exit status: 0 when the verifier is satisfied, else 1.

    Raises:
        BridgeError: a server could not be started or reached, or the bridge made no progress.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    # What roles and libraries say belongs into a file; on the screen it would tear the progress bars.
    with (options.out / "demo.log").open("w", encoding="utf-8") as log:
        configure_logging(Settings.load(log_level="WARNING"), log)
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            return runner.run(_demo(options))


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop of `serve`: uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _demo(options: DemoOptions) -> int:
    from certex_bridge.operations.composition import Bridge

    began = time.monotonic()
    say(f"[bold]certex-bridge {bridge_version()}[/]  a day of the European Union: from licence to exit\n")
    with step("laboratory") as said:
        day = make_day(licences=options.licences, declarations=options.declarations, seed=options.seed, day=yesterday())
        split = split_day(day)
        cases = make_cases(day.day)
        split = replace(split, records=with_records(split.records, sent_of(cases)))
        said.append(
            f"{count(options.licences)} licences, {count(options.declarations)} declarations, {len(cases)} cases, "
            f"seed {options.seed}"
        )
    async with AsyncExitStack() as stack:
        settings, named = await _prepare(stack)
        bridge = Bridge(settings)
        roles = await stack.enter_async_context(running(bridge, ROLES))
        with step("gateway") as said:
            callers = callers_of(split.declarations)
            address = await stack.enter_async_context(gateway_beside(bridge, callers=callers))
            said.append(f"{address}, {count(len(split.declarations))} declarations over HTTP")
        customs = await stack.enter_async_context(clearance(address, callers))
        played = _Played(split, cases, time.monotonic() - began)
        result = await _play(bridge, played, customs, roles, options)
        demo_report.show(result)
        _write_summary(result, options.out)
        if options.keep:
            await _keep(settings, bridge.pool, roles, tell_address=not named, gateway=address)
    return 0 if result.ok else 1


def yesterday() -> date:
    """The day that is played: over everywhere in the Union, so that nothing lies in the future."""
    return (datetime.now(UTC) - timedelta(days=1)).date()


async def _prepare(stack: AsyncExitStack) -> tuple[Settings, bool]:
    """Servers, schema, topics; and whether the database is one that the environment named."""
    from certex_bridge.platform.kafka import ensure_topics
    from certex_bridge.platform.migrations import migrate
    from certex_bridge.platform.postgres import ssl_argument

    found = Servers(stack, Settings.load())
    with step("PostgreSQL") as said:
        database = await found.database()
        said.append(database.shown)
    with step("Kafka") as said:
        broker = await found.broker()
        said.append(broker.shown)
    settings = Settings.load(
        database_url=database.address, kafka_bootstrap_servers=broker.address, topics_create=True,
        push_keys=secrets.token_hex(32), **_GATEWAY,
    )  # fmt: skip
    with step("schema and topics") as said:
        applied = await migrate(database.address, ssl=ssl_argument(settings, database.address))
        report = await ensure_topics(settings)
        said.append(f"{applied} migrations applied, {len(report.created)} topics created")
    return settings, database.named


@dataclass(frozen=True, slots=True)
class _Played:
    """What is played."""

    split: Split
    cases: tuple[Case, ...]
    set_up_seconds: float


async def _play(
    bridge: Bridge, played: _Played, customs: Clearance, roles: asyncio.Task[None], options: DemoOptions
) -> DemoResult:
    say()
    split = played.split
    watch = Watch(bridge.pool)
    began = time.monotonic()
    await customs.subscribe()
    published, waves = await _play_waves(bridge, split, customs, watch, roles)
    with step("settled by hand") as said:
        before = await settle_by_hand(bridge, played.cases)
        await watch.settle(roles)
        said.append("an undecided declaration, by declaration identify")
    seconds = time.monotonic() - began
    with step("documents") as said:
        written = await _write_documents(bridge, options.out)
        said.append(f"{', '.join(f'{number} {name}' for name, number in written.items())} in {options.out}")
    facts = await gather_facts(bridge.pool, published)
    results = await case_results(bridge.pool, played.cases, before)
    verdict = await _verify(bridge)
    folders = {str(options.out / name): number for name, number in written.items()}
    pushes = customs.receiver
    http = HttpResult(
        as_rows(customs.made), dict(pushes.kinds()), dict(pushes.refused), len(split.declarations), customs.seconds
    )
    return DemoResult(
        split.records,
        facts,
        tuple(waves),
        verdict,
        options.seed,
        seconds,
        played.set_up_seconds,
        folders,
        http,
        results,
    )


async def _play_waves(
    bridge: Bridge, split: Split, customs: Clearance, watch: Watch, roles: asyncio.Task[None]
) -> tuple[list[Published], list[WaveTime]]:
    """Wave after wave: its records until they are taken in, then its calls; at the end wait for everything."""
    published: list[Published] = []
    waves: list[WaveTime] = []
    with bars() as screen:
        async with Sender(bridge.settings) as sender:
            for wave, calls in zip(split.records.waves, split.calls, strict=True):
                total = len(wave.messages)
                bar = screen.wave(wave.name, total)
                began = time.monotonic()
                sent = await sender.send(wave.messages)
                watch.sent(sent)
                await watch.settle(
                    roles, lambda depths, bar=bar, total=total: bar.at(total - depths.unread),  # type: ignore[misc]  # mypy does not know the type of a default of a lambda
                    done=lambda depths: not depths.unread,
                )  # fmt: skip
                waves.append(WaveTime(wave.name, total, time.monotonic() - began))
                bar.finished(waves[-1].seconds)
                published += sent
                await _clear(screen, wave.name, calls, customs)
        await customs.at_the_desk()
        await watch.settle(roles)
    return published, waves


async def _clear(screen: Bars, name: str, calls: Sequence[Step], customs: Clearance) -> None:
    if not calls:
        return
    bar = screen.wave(f"{name.partition(':')[0]}: over HTTP", len(calls), "events")
    began = time.monotonic()
    await customs.clear(calls, bar.at)
    bar.finished(time.monotonic() - began)


async def _write_documents(bridge: Bridge, out: Path) -> dict[str, int]:
    return {
        name: await write_documents(bridge.settings, topic, out / name, DOCUMENTS_WRITTEN)
        for name, topic in (("certificates", CERTIFICATES), ("outcomes", OUTCOMES))
    }


async def _verify(bridge: Bridge) -> Verdict:
    from certex_bridge.operations.verify import verify
    from certex_bridge.platform.postgres import ssl_argument

    began = time.monotonic()
    with step("verifier") as said:
        settings = bridge.settings
        url = settings.database_url.get_secret_value()
        report = await verify(url, ssl=ssl_argument(settings, url))
        checks = tuple((check.name, check.ok, check.examined, check.detail) for check in report.checks)
        said.append(f"{len(checks)} checks")
    return Verdict(report.ok, checks, time.monotonic() - began)


def _write_summary(result: DemoResult, out: Path) -> None:
    document = demo_report.as_document(result)
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    (out / "demo.json").write_text(text + "\n", "utf-8")


async def _keep(settings: Settings, pool: Any, roles: asyncio.Task[None], *, tell_address: bool, gateway: str) -> None:
    """Leave everything running until Ctrl-C; tell how to reach it."""
    say("\nEverything stays running until Ctrl-C. In another terminal:\n")
    if tell_address:  # the embedded server's password opens nothing but this demo's own database
        console().print(f"  export CERTEX_DATABASE_URL={settings.database_url.get_secret_value()}", soft_wrap=True)
    else:
        say("  with the same CERTEX_DATABASE_URL as here:")
    console().print(f"  export CERTEX_KAFKA_BOOTSTRAP_SERVERS={settings.kafka_bootstrap_servers}", soft_wrap=True)
    for command in await _examples(pool):
        say(f"  certex-bridge {command}")
    say(f"\nThe gateway listens on {gateway} and takes the caller's word for who it is:\n")
    for path in await _reads(pool):
        line = f"  curl -H 'Certex-Caller: NSW.BE' -H 'Certex-Member-State: BE' {gateway}{path}"
        console().print(line, soft_wrap=True, markup=False)
    console().print(f"\nThe console for people: {gateway}/console\n", soft_wrap=True, markup=False)
    try:
        await asyncio.shield(roles)
    except asyncio.CancelledError:  # Ctrl-C: what remains to be said is the verifier's verdict
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        say("Stopping.")


async def _examples(pool: Any) -> list[str]:
    """Commands that show something on what was just played."""
    busiest = await pool.fetchval("SELECT licence_id FROM licence ORDER BY lv DESC, licence_id LIMIT 1")
    adjusted = await pool.fetchval("SELECT decl_id FROM claim WHERE outcome = 'OK_ADJUSTED' ORDER BY decl_id LIMIT 1")
    commands = ["journal verify"]
    if adjusted:
        commands.insert(0, f"declaration show {adjusted}")
    if busiest:
        noon = f"{yesterday().isoformat()}T12:00"
        commands = [f"licence show {busiest}", f"licence history {busiest}", f"licence at {busiest} {noon}", *commands]
    return commands


async def _reads(pool: Any) -> list[str]:
    """Addresses that show something on what was just played."""
    licence = await pool.fetchval("SELECT licence_id FROM licence ORDER BY lv DESC, licence_id LIMIT 1")
    declaration = await pool.fetchval(
        "SELECT decl_id FROM claim WHERE state = 'CONSUMED' AND substr(decl_id, 3, 2) = 'BE' ORDER BY decl_id LIMIT 1"
    )
    found = {"licences": licence, "declarations": declaration}
    return ["/openapi.json", *(f"/v1/{kind}/{name}" for kind, name in found.items() if name)]
