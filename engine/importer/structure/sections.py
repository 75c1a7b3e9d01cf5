"""Which parts of a document give duties, and which entries in them name who is to do them.

A section is judged by what stands in it: labelled leads («Đơn vị chủ trì: …»), a duty table, or entries of which half
at least begin with a body. Its heading decides only where it says so («TỔ CHỨC THỰC HIỆN», «MỤC TIÊU»).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.importer.phrases.agency_lists import doer_in, lead_at_end, placed_owner
from engine.importer.phrases.deadlines import is_dated
from engine.importer.phrases.known import knowing
from engine.importer.phrases.labels import Label, label_of_line
from engine.importer.phrases.marks import Rank
from engine.importer.phrases.owners import (
    Form,
    OwnerLine,
    addressees,
    asked_by,
    is_lead_in,
    owner_line,
    singular,
    spelled_out,
)
from engine.importer.phrases.roles import closes_plan, has_task, speaks_to_all
from engine.importer.structure.duty_tables import Columns, columns_of, continued
from engine.importer.structure.outline import Node, Theme, theme_of, under_topic

_LONGEST_TASK = 2000


def survey(root: Node, issuer: str) -> None:
    """Says of every node who is to do it, what its heading is about, and how much below it names bodies. A name that
    the document writes alone («Phòng Vận tải và Bến bãi») ends there in its sentences."""
    last: Columns | None = None
    nodes = list(root.walk())
    for node in nodes:
        if node.table is not None:
            node.columns = columns_of(node.table) or (continued(node.table, last) if last else None)
            last = node.columns or last
    lines = (owner_line(node.body, headed=_titled(node)) for node in nodes)
    alone = {name.text for line in lines if line and not line.inline for name in line.names}
    asker = spelled_out(issuer)
    with knowing(alone):
        for node in reversed(nodes):
            annotate(node, asker)


def annotate(node: Node, asker: str) -> None:
    """Called for children before parents."""
    if node.paragraph is not None:
        node.theme = theme_of(node.body)
        headed = _titled(node)
        label = label_of_line(node.body)
        body = label[1] if label and label[0] is Label.LEAD else node.body
        asks = (node.mark is None or node.rank is Rank.PART) and addressees(node.body) is not None
        node.owner = None if asks or node.theme is Theme.OTHER else owner_line(body, headed=headed)
        if node.owner is None and headed:
            node.doer = lead_at_end(node.body)
        elif node.owner is None and len(node.body) < _LONGEST_TASK and not node.leads:
            node.doer = doer_in(node.body)
        named = node.owner or node.doer
        single = not (node.announces or node.leads or headed) and len(node.body) < _LONGEST_TASK
        if single and (named is None or asker.startswith(spelled_out(named.names[0].text))):  # the issuer itself
            node.owner = asked_by(asker, node.body) or node.owner
    part = node.parent is None or node.heading or (node.rank is not None and node.rank <= Rank.ROMAN)
    if part or is_lead_in(node.body) or _announced(node):
        inherit_owner(node)
    entries = [child for child in node.children if _counts(child)]
    good = [child for child in entries if child.is_entry or child.gives_duties]
    tables = sum(child.columns is not None for child in node.children)
    node.named = sum(child.named or child.is_entry for child in good) + 2 * tables
    node.gives_duties = bool(tables) or (len(good) > 0 and 2 * len(good) >= len(entries))
    followed = False
    for child in reversed(node.children):
        child.followed = followed
        followed = followed or (child.mark is None and child.owner is not None and not speaks_to_all(child.body))
    for rank in {child.rank for child in node.children}:
        beside = [child for child in node.children if child.rank is rank]
        owned = sum(child.owner is not None for child in beside)
        for turn, child in enumerate(beside, 1):
            child.turn = turn if rank is not None else 0
            child.among = 2 * (owned - (child.owner is not None)) >= len(beside) - 1 > 0


def _announced(node: Node) -> bool:
    """Whether a paragraph of a body under a number announces points that begin like duties («7. Truyền thông», «Sở Y tế
    phối hợp với các xã:»)."""
    first, *points = node.children or (node,)
    told = _begins_with_body(first) and first.mark is None and not first.children
    return told and bool(points) and all(each.opens and each.mark for each in points)


def _begins_with_body(node: Node) -> bool:
    """Whether a sentence of a body announces what follows («Sở Y tế phối hợp với các xã:»)."""
    return node.announces and node.owner is not None and not node.owner.alone


def _titled(node: Node) -> bool:
    """Whether a node is no sentence and something stands below it."""
    return bool(node.children) and not node.ended


def inherit_owner(node: Node, above: OwnerLine | None = None) -> None:
    """Points that name nobody are for those whom the paragraph before them, or the article around them, asks («… yêu
    cầu các bộ, ngành:»)."""
    asked = around = addressees(node.body) or above
    for child in node.children:
        if child.rank is None and asked and _goes_on(child):
            child.owner = replace(asked, rest=child.body)
        elif child.rank is None:
            begins = child.owner if _begins_with_body(child) else None
            asked = (None if child.children else addressees(child.body) or begins) or around
        elif asked and child.gives_duties and child.rank is Rank.NUMBER and not child.is_entry:
            inherit_owner(child, asked)
        elif asked and child.rank > Rank.ROMAN and not (_names_another(child, asked) or child.gives_duties):
            told = child.ended or child.opens
            own = placed_owner(child.body) if child.body.startswith("Các ") and child.ended else None
            titled = bool(child.children) and (child.announces or not child.ended or _is_title(child))
            theirs = replace(asked, form=Form.ALONE) if titled else replace(asked, rest=child.body)
            child.owner = own or (theirs if told else None)


def _names_another(node: Node, asked: OwnerLine) -> bool:
    """Whether a point names itself who is to do it, and not only one of those asked («… Cục Thuế chủ động lập …»)."""
    if node.owner is not None or node.leads or node.doer is None:
        return node.is_entry
    return not {singular(name.text) for name in node.doer.names} <= {singular(name.text) for name in asked.names}


def _goes_on(node: Node) -> bool:
    """Whether a paragraph after a lead-in is one more duty of those whom it asks."""
    told = node.ended and not node.announces and node.opens
    return told and not (node.is_entry or node.children or speaks_to_all(node.body))


def _is_title(node: Node) -> bool:
    """Whether a short sentence over points gives nobody anything to do («2. Đối với việc rà soát hồ sơ.»)."""
    return len(node.body) < 200 and bool(node.marked()) and not node.opens


def _counts(node: Node) -> bool:
    """An entry has a mark, labelled leads, is a body alone on its line, or a paragraph under a topic."""
    alone = (node.owner is not None and node.owner.alone) or (node.is_entry and under_topic(node))
    return node.mark is not None or node.heading or node.leads or alone


def duty_sections(root: Node) -> list[Node]:
    """The nodes whose children give duties, outermost first, in the document's order; the root itself where its
    numbers are the bodies (directives, official letters) or nothing else is."""
    found = [] if _gives_by_number(root) else list(_sections(root))
    articles = all(node.label.startswith("Điều") for node in found)
    if articles and any(node.mark is not None and (is_given(node) or addressees(node.body)) for node in root.children):
        return [root]  # a decision some of whose articles are orders themselves
    orders = [node for node in root.children if node.label.startswith("Điều") and node not in found and is_given(node)]
    if found and orders:
        return [Node(children=orders), *found]  # beside the plan that the decision issues
    given = root.gives_duties and root.named >= 2
    return found or ([root] if given or any(is_given(node) for node in root.walk()) else [])


def is_given(node: Node) -> bool:
    """Whether a paragraph of a document without sections gives a body something to do: «2. Bộ Y tế chủ trì …», «Giao Sở
    Y tế …», «Điều 2. Giao Giám đốc Sở Y tế» with points below, «UBND các xã có trách nhiệm …»."""
    line = node.owner or node.doer
    if line is None or (node.mark is None and closes_plan(node.body)):
        return False
    if line.alone:
        return bool(node.children)
    return node.ended and (line.start > 0 or node.rank is Rank.NUMBER or has_task(line.rest))


def _gives_by_number(root: Node) -> bool:
    """Whether a document has no sections, and most of its numbers are bodies («1. Giám đốc Sở Y tế»), or some are and
    others give duties."""
    numbered = [child for child in root.children if child.rank is Rank.NUMBER]
    parted = any(child.heading or (child.rank is not None and child.rank < Rank.NUMBER) for child in root.children)
    owned = sum(child.is_entry and not child.gives_duties for child in numbered)
    asked = any(child.mark is None and addressees(child.body) for child in root.children)
    given = owned + (asked or owned > 1) * sum(child.gives_duties for child in numbered)
    return not parted and 2 * given > len(numbered) > 1


def _sections(node: Node, *, other: bool = False) -> Iterator[Node]:
    """``other``: under a heading that gives nobody duties («SỐ LƯỢNG ĐỀ NGHỊ KHEN THƯỞNG»)."""
    for child in node.children:
        line, theme = child.owner, child.theme
        led_in = is_lead_in(child.body)
        entry = line is not None and not (line.start and child.gives_duties and not child.ended)
        several = child.gives_duties and child.named >= 2
        dated = any(each.is_entry and _is_dated(each) for each in child.marked())
        ranked = child.heading or (child.rank is not None and child.rank <= Rank.LETTER)
        titled = theme is Theme.DUTIES and ranked and (child.children or ":" in child.body)
        led = any(each.leads or (led_in and each.is_entry) for each in child.children)
        told = (several and not other) or dated or led
        full = (theme is Theme.OPEN and bool(child.children) and told) or any(map(is_order, child.marked()))
        full = full or (several and any(map(_commits, child.walk())))
        if not entry and (titled or full):
            yield child
        else:
            yield from _sections(child, other=other or theme is Theme.OTHER)


def _commits(node: Node) -> bool:
    """Whether a node gives duties under any heading: a labelled lead, a duty table, a body with a last day."""
    return node.leads or node.columns is not None or (node.owner is not None and _is_dated(node))


def _is_dated(node: Node) -> bool:
    return any(is_dated(each.body) for each in (node, *node.children))


def is_order(node: Node) -> bool:
    """Whether an entry gives a body a last day, whatever stands above it («Giao Sở Y tế lập dự toán trước ngày …»)."""
    line = owner_line(node.body) if not node.children else None
    return line is not None and line.start > 0 and not line.alone and is_dated(node.body)
