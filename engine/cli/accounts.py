"""Accounts on the command line: creating the first administrator, and recovering access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.accounts.permissions import ActorRole
from engine.cli.context import Json, open_context, show_list
from engine.errors import NotFound
from engine.text import Text

if TYPE_CHECKING:
    from sqlmodel import Session

accounts_app = typer.Typer(no_args_is_help=True, help="Tài khoản: thêm, xem, khóa, đổi mật khẩu. / Accounts.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The account's mailbox.")]
At = Annotated[str, typer.Option(help="Run as if now were this ISO instant.")]


@accounts_app.command()
def add(
    email: Email,
    role: Annotated[ActorRole, typer.Option(help="The account's role.")],
    agency: Annotated[str, typer.Option(help="The id of the agency it acts for.")],
    label: Annotated[str, typer.Option(help="Display name; never a person's name.")] = "",
    language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
    with_password: Annotated[
        bool, typer.Option("--password", help="Ask for a password; otherwise sign in by link.")
    ] = False,
    at: At = "",
) -> None:
    """Create an account; the first administrator with `--role administrator --agency ID --password`."""
    from engine.accounts import accounts

    ctx = open_context(at)
    password = _new_password() if with_password else ""
    with ctx.database.write() as session:
        account_id = accounts.create(
            session,
            email=email,
            role=role,
            agency_id=agency,
            label=label,
            language=language,
            password=password,
            **ctx.by,
        )
    typer.echo(Text(f"Đã lập tài khoản số {account_id}.", f"Account {account_id} created."))


@accounts_app.command("list")
def list_all(as_json: Json = False) -> None:
    """List every account: id, mailbox, role, agency, whether it is open."""
    from engine.accounts import accounts

    def line(each: accounts.AccountLine) -> str:
        state = "mở/open" if each.active else "khóa/closed"
        return f"{each.id:5} {each.email:40} {each.role:14} {each.agency_id:32} {state}"

    with open_context().database.read() as session:
        show_list(accounts.list_accounts(session), line, as_json=as_json)


@accounts_app.command()
def end(email: Email, at: At = "") -> None:
    """Close an account: its sessions, links and tokens end now."""
    from engine.accounts import accounts

    ctx = open_context(at)
    with ctx.database.write() as session:
        accounts.deactivate(session, _id(session, email), **ctx.by)
    typer.echo(Text("Đã khóa.", "Closed."))


@accounts_app.command()
def password(email: Email, at: At = "") -> None:
    """Set a new password; ends all sessions and API tokens of the account."""
    from engine.accounts import accounts

    ctx = open_context(at)
    new = _new_password()
    with ctx.database.write() as session:
        accounts.set_password(session, _id(session, email), new, **ctx.by)
    typer.echo(Text("Đã đổi mật khẩu.", "Password changed."))


@accounts_app.command()
def factor(email: Email, at: At = "") -> None:
    """Remove an account's second factor, for a lost telephone; signs it out everywhere."""
    from engine.accounts import second_factor, sign_in

    ctx = open_context(at)
    with ctx.database.write() as session:
        account_id = _id(session, email)
        gone = second_factor.remove(session, account_id, **ctx.by)
        sign_in.end_sessions(session, account_id, ctx.now)
    if not gone:
        raise NotFound(Text("Tài khoản này không có lớp xác thực thứ hai.", "This account has no second factor."))
    typer.echo(Text("Đã gỡ lớp xác thực thứ hai.", "The second factor is removed."))


@accounts_app.command()
def signout(email: Email, at: At = "") -> None:
    """End all sessions and API tokens of an account."""
    from engine.accounts import sign_in

    ctx = open_context(at)
    with ctx.database.write() as session:
        count = sign_in.end_sessions(session, _id(session, email), ctx.now)
    typer.echo(Text(f"Đã kết thúc {count} phiên.", f"{count} sessions ended."))


def _id(session: Session, email: str) -> int:
    from engine.accounts import accounts

    found = accounts.find(session, email)
    if found is None:
        raise NotFound(Text(f"Không có tài khoản {email}.", f"There is no account {email}."))
    return found.id


def _new_password() -> str:
    entered: str = typer.prompt("Mật khẩu / Password", hide_input=True, confirmation_prompt="Lặp lại / Again")
    return entered
