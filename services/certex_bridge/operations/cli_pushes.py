"""Commands around pushes; as thin as those of `cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from certex_bridge.operations.cli_options import JsonFlag

subscriptions_app = typer.Typer(help="Who hears of changes of status, and how that goes.", no_args_is_help=True)
pushes_app = typer.Typer(help="Messages owed to subscribers.", no_args_is_help=True)

SubscriptionId = Annotated[str, typer.Argument(metavar="ID", help="Id, or its beginning as the list shows it.")]


@subscriptions_app.command("list")
def subscriptions_list(
    every: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False, as_json: JsonFlag = False
) -> None:
    """Subscriptions with their address, what they are owed, and since when they fail."""
    from certex_bridge.operations.push_commands import run_subscriptions

    run_subscriptions(every=every, as_json=as_json)


@subscriptions_app.command("pause")
def subscriptions_pause(subscription: SubscriptionId, as_json: JsonFlag = False) -> None:
    """Send nothing for now; what comes meanwhile is kept."""
    from certex_bridge.operations.push_commands import run_change

    run_change("pause", subscription, as_json=as_json)


@subscriptions_app.command("resume")
def subscriptions_resume(subscription: SubscriptionId, as_json: JsonFlag = False) -> None:
    """Send again, beginning with what was missed; also to an address that had answered 410."""
    from certex_bridge.operations.push_commands import run_change

    run_change("resume", subscription, as_json=as_json)


@subscriptions_app.command("retry")
def subscriptions_retry(subscription: SubscriptionId, as_json: JsonFlag = False) -> None:
    """Try at once, without waiting for the pause after the last failure to end."""
    from certex_bridge.operations.push_commands import run_change

    run_change("retry", subscription, as_json=as_json)


@pushes_app.command("list")
def pushes_list(
    subscription: Annotated[str, typer.Option(metavar="ID", help="Of one subscription only.")] = "",
    last: Annotated[int, typer.Option(min=1, help="So many of the newest.")] = 100,
    as_json: JsonFlag = False,
) -> None:
    """The newest pushes, each with its attempts and the last error."""
    from certex_bridge.operations.push_commands import run_pushes

    run_pushes(subscription, last, as_json=as_json)
