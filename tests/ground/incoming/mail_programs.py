"""Answers to a letter as ten mail programs write them: what they quote, above or below, in which encoding.

    raw = BY_PROGRAM["outlook"](Reply(letter=message, sender="dm@xa.example", text="Đã nhận.", number=1))

After what the programs send; a letter is quoted whole, with its links.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, parsedate_to_datetime

_TCVN3_LETTERS = "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵĂÂÊÔƠƯĐ"
_TCVN3_BYTES = (
    "b5b6b7b8b9a8bbbcbdbec6a9c7c8c9cacbaecccecfd0d1aad2d3d4d5d6d7d8dcdddedfe1e2e3e4abe5e6e7e8e9aceaebecedeeeff1f2f3f4"
    "adf5f6f7f8f9fafbfcfdfea1a2a3a4a5a6a7"
)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """``letter``: what is answered, as it came. ``files``: name and bytes of each. ``authenticated``: what the relay
    wrote about the sender, "" for nothing."""

    letter: EmailMessage
    sender: str
    text: str
    number: int = 1
    files: Sequence[tuple[str, bytes]] = ()
    authenticated: str = ""

    @property
    def letter_text(self) -> str:
        body = self.letter.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    @property
    def letter_html(self) -> str:
        body = self.letter.get_body(("html",))
        return str(body.get_content()) if body is not None else f"<pre>{html.escape(self.letter_text)}</pre>"

    @property
    def writer(self) -> str:
        """Whose letter it is, as programs name them: «Theo dõi nhiệm vụ <nhacviec@so.example>»."""
        return str(self.letter["From"]).replace('"', "")

    def message(self) -> EmailMessage:
        made = EmailMessage()
        if self.authenticated:
            made["Authentication-Results"] = self.authenticated
        made["From"] = f"Đầu mối <{self.sender}>"
        made["To"] = str(self.letter["Reply-To"] or self.letter["From"])
        made["Subject"] = f"Re: {self.letter['Subject']}"
        made["Date"] = format_datetime(parsedate_to_datetime(str(self.letter["Date"])))
        made["Message-ID"] = f"<{self.number}@may.example>"
        made["In-Reply-To"] = made["References"] = str(self.letter["Message-ID"])
        return made

    def finished(self, made: EmailMessage) -> bytes:
        kinds = {"pdf": ("application", "pdf"), "jpg": ("image", "jpeg")}
        word = ("application", "vnd.openxmlformats-officedocument.wordprocessingml.document")
        for name, raw in self.files:
            main, sub = kinds.get(name.rpartition(".")[2], word)
            made.add_attachment(raw, maintype=main, subtype=sub, filename=name)
        return made.as_bytes()


def _marked(text: str, width: int = 0) -> str:
    """Quoted with «>»; lines that are longer than ``width`` are cut as phones cut them."""
    lines = []
    for line in text.splitlines():
        while width and len(line) > width:
            cut = line.rfind(" ", 0, width)
            cut = cut if cut > 0 else width
            lines.append(f"> {line[:cut]}")
            line = line[cut:].strip()
        lines.append(f"> {line}".rstrip())
    return "\n".join(lines)


def _paragraphs(text: str, tag: str) -> str:
    return "".join(f"<{tag}>{html.escape(line) or '<br>'}</{tag}>" for line in text.split("\n"))


def _gmail(reply: Reply) -> bytes:
    made, said = reply.message(), f"Vào Th 5, 3 thg 6, 2021 vào lúc 07:30 {reply.writer} đã viết:"
    made.set_content(f"{reply.text}\n\n{said}\n\n{_marked(reply.letter_text)}\n", cte="quoted-printable")
    made.add_alternative(
        f'<div dir="ltr">{_paragraphs(reply.text, "div")}</div><br><div class="gmail_quote"><div dir="ltr" '
        f'class="gmail_attr">{html.escape(said)}<br></div><blockquote class="gmail_quote">{reply.letter_html}'
        "</blockquote></div>",
        subtype="html",
    )
    return reply.finished(made)


def _android(reply: Reply) -> bytes:
    made = reply.message()
    name, _, address = reply.writer.partition(" <")
    said = f"Vào Th 5, 3 thg 6, 2021 lúc 07:30 {name}\n<{address} đã viết:"
    made.set_content(f"{reply.text}\n\n{said}\n\n{_marked(reply.letter_text, 70)}\n", cte="base64")
    return reply.finished(made)


def _outlook(reply: Reply) -> bytes:
    made, subject = reply.message(), str(reply.letter["Subject"])
    head = [
        f"From: {reply.writer}",
        "Sent: Thursday, June 3, 2021 7:30 AM",
        f"To: {reply.sender}",
        f"Subject: {subject}",
    ]
    made.set_content("\n\n".join(reply.text.split("\n")) + "\n\n \n\n" + "\n".join(head) + f"\n\n{reply.letter_text}")
    quoted = "<br>".join(f"<b>{line.partition(':')[0]}:</b>{html.escape(line.partition(':')[2])}" for line in head)
    made.add_alternative(
        "<html><head><style><!-- p.MsoNormal {margin:0} --></style></head><body><div class=WordSection1>"
        + "".join(
            f"<p class=MsoNormal><span\nstyle='font-size:11.0pt'>{html.escape(line)}</span></p>"
            for line in reply.text.split("\n")
        )
        + "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal>"
        f"{quoted}</p></div>{reply.letter_html}</div></body></html>",
        subtype="html",
    )
    return reply.finished(made)


def _owa(reply: Reply) -> bytes:
    """HTML alone, nothing marked as a quotation."""
    made, subject = reply.message(), str(reply.letter["Subject"])
    made.set_content(
        f'<html><body><div style="font-family:Calibri">{_paragraphs(reply.text, "div")}</div><div id="appendonsend">'
        '</div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font '
        f'face="Calibri"><b>Từ:</b> {html.escape(reply.writer)}<br><b>Đã gửi:</b> Thứ Năm, 3 tháng 6 2021 7:30 SA<br>'
        f"<b>Đến:</b> {reply.sender}<br><b>Chủ đề:</b> {html.escape(subject)}</font></div>"
        f"<div>{reply.letter_html}</div></body></html>",
        subtype="html",
        cte="base64",
    )
    return reply.finished(made)


def _thunderbird(reply: Reply) -> bytes:
    """The answer below the quotation."""
    made = reply.message()
    said = f"Vào 03/06/2021 07:30, {reply.writer.partition(' <')[0]} đã viết:"
    made.set_content(f"{said}\n{_marked(reply.letter_text)}\n\n{reply.text}\n", params={"format": "flowed"})
    return reply.finished(made)


def _zimbra(reply: Reply) -> bytes:
    made, subject = reply.message(), str(reply.letter["Subject"])
    head = f"Từ: {reply.writer}\nTới: {reply.sender}\nĐã gửi: Thứ năm, 3 Tháng 6, 2021 07:30:00\nChủ đề: {subject}"
    made.set_content(f"{reply.text}\n\n----- Thư gốc -----\n{head}\n\n{reply.letter_text}", cte="quoted-printable")
    made.add_alternative(
        f'<div style="font-family: arial">{_paragraphs(reply.text, "div")}<br><hr id="zwchr"><div><b>Từ: </b>'
        f"{html.escape(reply.writer)}<br></div>{reply.letter_html}</div>",
        subtype="html",
    )
    return reply.finished(made)


def _iphone(reply: Reply) -> bytes:
    made, said = reply.message(), f"Vào ngày 3 thg 6, 2021, lúc 07:30, {reply.writer} đã viết:"
    quoted = _marked(f"{said}\n\n{reply.letter_text}").replace("> \n", ">\n")
    made.set_content(f"{reply.text}\n\nĐã gửi từ iPhone của tôi\n\n{quoted}\n", cte="quoted-printable")
    return reply.finished(made)


def _yahoo(reply: Reply) -> bytes:
    """The letter's text stands below without marks."""
    made = reply.message()
    said = f"    Vào Thứ Năm, 3 tháng 6, 2021 lúc 07:30:00 GMT+7, {reply.writer} đã viết:  "
    made.set_content(f" {reply.text}\n\n{said}\n \n {reply.letter_text}", cte="base64")
    made.add_alternative(
        f'<div class="yahoo-style-wrap">{_paragraphs(reply.text, "div")}</div><div id="yahoo_quoted_1" '
        f'class="yahoo_quoted"><div>{html.escape(said)}</div>{reply.letter_html}</div>',
        subtype="html",
    )
    return reply.finished(made)


def _roundcube(reply: Reply) -> bytes:
    """The answer below the quotation, whose long lines are cut."""
    made = reply.message()
    said = f"Vào 2021-06-03 07:30, {reply.writer.partition(' <')[0]} đã viết:"
    made.set_content(f"{said}\n{_marked(reply.letter_text, 72)}\n\n{reply.text}\n", params={"format": "flowed"})
    return reply.finished(made)


def _foxmail(reply: Reply) -> bytes:
    """Typed in an old font: bytes of TCVN3, announced as Western letters; the quotation stays as it was."""
    made = reply.message()
    typed = tcvn3(reply.text).decode("latin-1")
    links = "\n".join(re.findall(r"https?://\S+", reply.letter_text))
    plain = f"{typed}\n\n------------------ Original ------------------\nFrom: x <x@so.example>\n\n{links}\n"
    made.set_content(plain, charset="iso-8859-1", cte="8bit")
    return reply.finished(made)


def tcvn3(text: str) -> bytes:
    """The bytes of a text in TCVN 5712:1993 (VN3), as old Vietnamese fonts show it."""
    codes = dict(zip(_TCVN3_LETTERS, bytes.fromhex(_TCVN3_BYTES), strict=True))
    return bytes(codes.get(letter, ord(letter) & 0xFF) for letter in text)


BY_PROGRAM: Mapping[str, Callable[[Reply], bytes]] = {
    "gmail": _gmail,
    "android": _android,
    "outlook": _outlook,
    "owa": _owa,
    "thunderbird": _thunderbird,
    "zimbra": _zimbra,
    "iphone": _iphone,
    "yahoo": _yahoo,
    "roundcube": _roundcube,
    "foxmail": _foxmail,
}
