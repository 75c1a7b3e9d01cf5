"""Create channels, renderer and inbound sources from the settings, and what pages are given of letters: the mailer of
sign-in links, the preview. Part of the composition root."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from sqlmodel import Session

from config.settings import ArrivalProof, Settings
from engine.accounts.signed_links import Signer
from engine.admin.first_steps import arrival_keys
from engine.errors import BadInput
from engine.http.app_context import Preview
from engine.rules.targets import Allowed
from engine.store.database import Database
from engine.store.rulebook import read_rulebook
from engine.text import Text
from notifications.contract.channel import Channel
from notifications.delivery import DeliveryContext
from notifications.email.signed_addresses import REPLY, REPLY_ADDRESSES, RETURN_ADDRESSES, signed_address
from notifications.finding_alarm import Operator
from notifications.inbound.fetching import InboundSources
from notifications.inbound.message import MailProof
from notifications.letters.facts import gather
from notifications.letters.renderer import LetterRenderer, RendererSettings
from notifications.letters.sign_in_mailer import EmailSignInMailer, Mail
from notifications.sms.gammu import Gammu
from notifications.webhooks import Sender, WebhookDelivery

if TYPE_CHECKING:
    from notifications.email.smtp import SharedRate


def letter_renderer(settings: Settings, signer: Signer) -> LetterRenderer:
    return LetterRenderer(signer, renderer_settings(settings), custom_folder=settings.templates)


def renderer_settings(settings: Settings) -> RendererSettings:
    return RendererSettings(settings.base_url, settings.reply_to, settings.reply_domain)


def channels(settings: Settings, signer: Signer, database: Database) -> dict[str, Channel]:
    """Channels by name: ``email`` always, ``sms`` if a gateway or Zalo is configured. In demo mode nothing is sent
    outside."""
    by_name: dict[str, Channel] = {"email": email_channel(settings, signer)}
    sms = None if settings.demo else phone_channel(settings, signer, database)
    if sms is not None:
        by_name["sms"] = sms
    return by_name


def sign_in_mailer(current: Callable[[], Settings], signer: Signer) -> EmailSignInMailer:
    """The mailer of sign-in links, on the same e-mail channel as letters. ``current``: the settings in force."""
    renderer = letter_renderer(current(), signer)
    return EmailSignInMailer(lambda: email_channel(current(), signer), renderer, lambda: renderer_settings(current()))


def preview_letter(renderer: LetterRenderer, session: Session, letter_id: int, now: datetime) -> Preview | None:
    """A letter that has not left yet, as it would be sent now; None if nothing in it applies any more. ``session``: may
    be that of a dry run."""
    facts = gather(session, [letter_id], read_rulebook(session), now)[0]
    if facts.empty:
        return None
    letter = renderer.render(facts, now)
    return Preview(letter.subject, letter.text)


def inbound_sources(settings: Settings, signer: Signer) -> InboundSources:
    """The sources of incoming messages; none in demo mode."""
    from notifications.inbound.fetching import Inbox, security_of

    inbox = None
    if settings.imap_host and not settings.demo:
        host, port = settings.mailbox_server
        inbox = Inbox(
            host=host,
            port=port,
            security=security_of(host, port),
            username=settings.imap_username,
            password=settings.imap_password.get_secret_value(),
            ca_file=str(settings.smtp_ca_file or ""),
        )
    proof = MailProof(signer, settings.imap_authserv_id)
    if settings.sms_gateway != "gammu" or settings.demo:
        return InboundSources(proof, inbox, files=settings.files)
    folder = _gammu_dir(settings)
    return InboundSources(proof, inbox, _gammu(settings), folder / "inbox", settings.files)


def short_code_key(settings: Settings, signer: Signer) -> bytes:
    """The secret for short codes; empty if replies by SMS cannot be received: then no codes are issued."""
    return signer.secret("short-codes").encode() if settings.sms_answers else b""


def callback_secrets(signer: Signer) -> list[str]:
    """The secrets of callback URLs that are answered; the first is to be entered at gateways."""
    return [each[:32] for each in signer.secrets("callbacks")]


def callback_addresses(settings: Settings, signer: Signer) -> dict[str, str]:
    """The callback URLs to enter at the gateways, by gateway and purpose; of Kannel its groups."""
    from notifications.sms.replies import KANNEL_GET_URL, kannel_groups

    callbacks_url = f"{settings.base_url}/callbacks/{callback_secrets(signer)[0]}"
    return {
        "kannel.conf": kannel_groups(f"{callbacks_url}/kannel/incoming?{KANNEL_GET_URL}"),
        "esms CallbackUrl": f"{callbacks_url}/esms",
        "speedsms webhook": f"{callbacks_url}/speedsms",
        "zalo webhook": f"{callbacks_url}/zalo",
    }


def alarm_address(settings: Settings, signer: Signer, pages: str) -> str:
    """What automations of Prefect call so that the operator is told; ``pages``: where ours are for Prefect."""
    return (
        f"{pages}/callbacks/{callback_secrets(signer)[0]}/alarm"
        if settings.operator_email or settings.operator_phone
        else ""
    )


def webhook_delivery(settings: Settings, signer: Signer, letters: DeliveryContext) -> WebhookDelivery:
    """Webhooks with the worker's name and patience of letters; in demo mode every message stays here."""
    return WebhookDelivery(
        sender=Sender(Allowed.of(settings.webhook_hosts)),
        signer=signer,
        base_url=settings.base_url,
        worker=letters.worker,
        give_up=letters.give_up,
        quiet=settings.demo,
        stop=letters.stop,
        mark=letters.mark,
    )


def operator(settings: Settings) -> Operator:
    return Operator(settings.operator_email, settings.operator_phone)


def own_mailbox(settings: Settings, signer: Signer) -> Callable[[str], str] | None:
    """The address of our own mailbox for a letter's key; None where no mailbox is fetched or no relay is set."""
    if settings.demo or settings.arrival_proof is not ArrivalProof.DAILY:
        return None

    def address(key: str) -> str:
        signed = signed_address(REPLY, key, signer.secret(REPLY_ADDRESSES), settings.reply_domain)
        return signed if settings.reply_domain and signed else settings.reply_to or settings.mail_from

    return address


def arrival_link(settings: Settings, signer: Signer) -> Callable[[str], str] | None:
    """The address by which the operator confirms a week's letter; None where our own mailbox proves it, or nobody can
    be asked."""
    if settings.demo or settings.arrival_proof is not ArrivalProof.WEEKLY:
        return None
    return lambda week: f"{settings.base_url}/arrived/{arrival_keys(signer, week)[0]}"


def email_channel(settings: Settings, signer: Signer) -> Mail:
    """The relay, or the Maildir if none is configured or in demo mode, so that nothing is sent by accident."""
    from notifications.email.maildir import Maildir
    from notifications.email.mime import Sender

    if not settings.smtp_host or settings.demo:
        return Maildir(settings.maildir, Sender(settings.mail_from, settings.mail_from_name), delivers=settings.demo)
    from notifications.email.connection import Relay, Security
    from notifications.email.smtp import Email

    return Email(
        Relay(
            host=settings.smtp_host,
            sender=Sender(settings.mail_from, settings.mail_from_name),
            port=settings.smtp_port,
            security=Security(settings.smtp_security),
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value(),
            ca_file=str(settings.smtp_ca_file or ""),
            per_minute=settings.smtp_per_minute,
            bounce_domain=settings.reply_domain,
            bounce_secret=signer.secret(RETURN_ADDRESSES) if settings.reply_domain else "",
        ),
        _shared_rate(settings, signer),
    )


def _shared_rate(settings: Settings, signer: Signer) -> SharedRate | None:
    """Only where other machines share the Prefect server."""
    if not (settings.prefect and settings.prefect_api_url and settings.smtp_per_minute):
        return None
    from workflows.run.prefect_rate import PrefectRate, slots_of
    from workflows.run.prefect_server import auth_of

    slots, _ = slots_of(settings.smtp_per_minute)
    return PrefectRate(api_url=settings.prefect_api_url, auth=auth_of(settings, signer), at_once=max(1, slots // 4))


def phone_channel(settings: Settings, signer: Signer, database: Database) -> Channel | None:
    """What carries letters to telephones: Zalo before the SMS gateway, either alone, or None."""
    sms = sms_channel(settings, signer)
    if not settings.zalo_app_id:
        return sms
    from notifications.sms.zalo import Zalo, ZaloFirst, ZaloTokens, read_templates

    secret, refresh_token = settings.zalo_app_secret.get_secret_value(), settings.zalo_refresh_token.get_secret_value()
    if not secret or not refresh_token:
        raise BadInput(
            Text(
                "Cần DONDOC_ZALO_APP_SECRET và DONDOC_ZALO_REFRESH_TOKEN khi có DONDOC_ZALO_APP_ID.",
                "DONDOC_ZALO_APP_ID needs DONDOC_ZALO_APP_SECRET and DONDOC_ZALO_REFRESH_TOKEN.",
            )
        )
    tokens = ZaloTokens(database, signer, settings.zalo_app_id, secret, refresh_token)
    zalo = Zalo(tokens, read_templates(settings.zalo_templates), production=settings.sms_production)
    return ZaloFirst(zalo, sms)


def sms_channel(settings: Settings, signer: Signer) -> Channel | None:
    """The channel of the configured gateway, None without one. mypy reports a gateway that the settings allow and this
    function does not."""
    password = settings.sms_password.get_secret_value()
    callbacks_url = f"{settings.base_url}/callbacks/{callback_secrets(signer)[0]}"
    match settings.sms_gateway:
        case "":
            return None
        case "kannel":
            from notifications.sms.http_gateways import Kannel

            return Kannel(
                settings.sms_url,
                settings.sms_username,
                password,
                settings.sms_sender,
                report_url=f"{callbacks_url}/kannel/receipt",
            )
        case "gammu":
            return _gammu(settings)
        case "esms":
            from notifications.sms.http_gateways import Esms

            return Esms(
                settings.sms_username,
                password,
                settings.sms_sender,
                production=settings.sms_production,
                callback_url=f"{callbacks_url}/esms",
            )
        case "speedsms":
            from notifications.sms.http_gateways import SpeedSms

            return SpeedSms(password, settings.sms_sender, production=settings.sms_production)
        case unknown:
            assert_never(unknown)


def _gammu(settings: Settings) -> Gammu:
    folder = _gammu_dir(settings)
    return Gammu(folder / "outbox", folder / "sent", folder / "error")


def _gammu_dir(settings: Settings) -> Path:
    if settings.sms_gammu_dir is None:
        raise BadInput(
            Text(
                "Cần DONDOC_SMS_GAMMU_DIR: thư mục có outbox, sent, error, inbox của gammu-smsd.",
                "Set DONDOC_SMS_GAMMU_DIR: the folder with gammu-smsd's outbox, sent, error and inbox.",
            )
        )
    return settings.sms_gammu_dir
