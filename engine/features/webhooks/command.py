"""Webhooks on the command line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import Json, open_context, show_list
from engine.rules.typed_day import iso_day
from engine.terms import WebhookEvent
from engine.text import Text

if TYPE_CHECKING:
    from config.settings import Settings
    from engine.accounts.signed_links import Signer
    from engine.rules.targets import Allowed

webhooks_app = typer.Typer(
    no_args_is_help=True, help="Webhook: báo sự kiện cho hệ thống khác. / Telling other systems."
)

WebhookId = Annotated[int, typer.Argument(metavar="WEBHOOK", help="The webhook's number.")]
At = Annotated[str, typer.Option(help="Run as if now were this ISO instant.")]


@webhooks_app.command("list")
def list_all(as_json: Json = False) -> None:
    """List every webhook: number, whether it works, messages delivered, waiting and given up, address."""
    from engine.features.webhooks.subscriptions import WebhookLine, webhooks
    from engine.queries.system.log import answer

    def line(each: WebhookLine) -> str:
        state = "tắt/off" if not each.active else "lỗi/failing" if each.failing else "bật/on"
        counts = f"{each.delivered:7} {each.owed:7} {each.lost:7}"
        why = f"\n      {answer(each.why)}" if each.why else ""
        return f"{each.id:5} {state:12} {counts} {each.url} {each.label}{why}"

    with open_context().database.read() as session:
        show_list(webhooks(session), line, as_json=as_json)


@webhooks_app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are posted to.")],
    label: Annotated[str, typer.Option(help="A name to recognise it by.")] = "",
    event: Annotated[list[WebhookEvent], typer.Option(help="Tell only this event; may be given several times.")] = [],  # noqa: B006
    at: At = "",
) -> None:
    """Add an address and print its number and secret. The secret is shown once."""
    from engine.features.webhooks import subscriptions as webhooks

    ctx = open_context(at)
    with ctx.database.write() as session:
        webhook_id, secret = webhooks.add(
            session, _signer(ctx.settings), _allowed(ctx.settings), url=url, label=label, events=event, **ctx.by
        )
    typer.echo(Text(f"Đã thêm webhook số {webhook_id}.", f"Webhook {webhook_id} added."))
    typer.echo(secret)


@webhooks_app.command("test")
def send_test(webhook: WebhookId, at: At = "") -> None:
    """Queue a test message; `dondoc once webhooks` or a running server sends it."""
    from engine.features.webhooks import subscriptions as webhooks

    ctx = open_context(at)
    with ctx.database.write() as session:
        webhooks.send_test(session, webhook, now=ctx.now)
    typer.echo(Text("Tin thử đã vào hàng chờ.", "The test is queued."))


@webhooks_app.command()
def switch(
    webhook: WebhookId, on: Annotated[bool, typer.Option("--on/--off", help="On or off.")] = True, at: At = ""
) -> None:
    """Switch a webhook on or off."""
    from engine.features.webhooks import subscriptions as webhooks

    ctx = open_context(at)
    with ctx.database.write() as session:
        webhooks.switch(session, webhook, active=on, **ctx.by)
    typer.echo(Text("Đã bật.", "Switched on.") if on else Text("Đã tắt.", "Switched off."))


@webhooks_app.command()
def secret(webhook: WebhookId, at: At = "") -> None:
    """Make a new secret and print it; the last one signs beside it for a day."""
    from engine.features.webhooks import subscriptions as webhooks

    ctx = open_context(at)
    with ctx.database.write() as session:
        typer.echo(webhooks.change_secret(session, _signer(ctx.settings), webhook, **ctx.by))


@webhooks_app.command()
def again(
    webhook: WebhookId,
    since: Annotated[str, typer.Option(help="Events since this day, like 2021-06-25.")],
    delivered: Annotated[bool, typer.Option(help="The delivered ones too.")] = False,
    at: At = "",
) -> None:
    """Queue messages again that were given up, since a day."""
    from datetime import time

    from engine.features.webhooks import subscriptions as webhooks
    from engine.rules.calendar import instant

    ctx = open_context(at)
    begins = instant(iso_day(since), time())
    with ctx.database.write() as session:
        count = webhooks.send_again(session, webhook, since=begins, delivered_too=delivered, **ctx.by)
    typer.echo(Text(f"{count} tin vào hàng chờ.", f"{count} messages queued."))


@webhooks_app.command()
def remove(webhook: WebhookId, at: At = "") -> None:
    """Remove a webhook and all of its messages."""
    from engine.features.webhooks import subscriptions as webhooks

    ctx = open_context(at)
    with ctx.database.write() as session:
        webhooks.remove(session, webhook, **ctx.by)
    typer.echo(Text("Đã xóa.", "Removed."))


def _signer(settings: Settings) -> Signer:
    from engine.accounts.key_ring import load_keys
    from engine.accounts.signed_links import Signer
    from engine.store.database import Database

    return Signer(partial(load_keys, settings, Database(settings.database)))


def _allowed(settings: Settings) -> Allowed:
    from engine.rules.targets import Allowed

    return Allowed.of(settings.webhook_hosts)
