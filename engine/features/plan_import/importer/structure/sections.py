"""Which parts of a document give duties, and which entries in them name who is to do them.

A section is judged by what stands in it: labelled leads («Đơn vị chủ trì: …»), a duty table, or entries of which half
at least begin with a body. Its heading decides only where it says so («TỔ CHỨC THỰC HIỆN», «MỤC TIÊU»).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from engine.features.plan_import.importer.base.model import Origin
from engine.features.plan_import.importer.phrases.agency_lists import closes_plan, doer_in, has_task, placed_owner
from engine.features.plan_import.importer.phrases.deadlines import is_dated
from engine.features.plan_import.importer.phrases.labels import Label, knowing, label_of_line
from engine.features.plan_import.importer.phrases.marks import Rank
from engine.features.plan_import.importer.phrases.owners import (
    Form,
    OwnerLine,
    addressees,
    asked_by,
    owner_line,
    singular,
    spelled_out,
)
from engine.features.plan_import.importer.structure.duty_tables import Columns, columns_of, continued
from engine.features.plan_import.importer.structure.outline import Node, Theme, is_part, theme_of, under_topic

_LONGEST_TASK = 2000


def survey(root: Node, issuer: str) -> None:
    """Records for every node who is assigned it, what its heading is about, and how many entries below it name
    agencies. A name that the document writes alone («Phòng Vận tải và Bến bãi») ends there in its sentences."""
    nodes = list(root.walk())
    _find_columns(nodes)
    lines = (owner_line(node.body, headed=_titled(node)) for node in nodes)
    alone = {name.text for line in lines if line and not line.inline for name in line.names}
    asker = spelled_out(issuer)
    with knowing(alone):
        for node in reversed(nodes):
            annotate(node, asker)


def _find_columns(nodes: Iterable[Node]) -> None:
    """The columns of each duty table; a table without heads may go on with those of the one before it."""
    last: Columns | None = None
    for node in nodes:
        if node.table is not None:
            node.columns = columns_of(node.table) or (continued(node.table, last) if last else None)
            last = node.columns or last


def annotate(node: Node, asker: str) -> None:
    """Called for children before parents. ``asker``: the issuer, as ``spelled_out``."""
    if node.paragraph is not None:
        node.theme = theme_of(node.body)
        node.owner = _first_named(node)
        node.doer = None if node.owner else _named_later(node)
        node.owner = _asked_by_issuer(node, asker) or node.owner
    if node.parent is None or _heads_part(node):
        inherit_owner(node)
    _weigh_entries(node)
    _compare_siblings(node.children)


def _first_named(node: Node) -> OwnerLine | None:
    """The bodies that a paragraph or its label of who leads begins with."""
    label = label_of_line(node.body)
    asks = (node.mark is None or node.rank is Rank.PART) and addressees(node.body) is not None
    if asks or node.theme is Theme.OTHER:
        return None
    return owner_line(label[1] if label and label[0] is Label.LEAD else node.body, headed=_titled(node))


def _named_later(node: Node) -> OwnerLine | None:
    """The bodies that other words of a paragraph say are to do it."""
    sentence = len(node.body) < _LONGEST_TASK and not node.leads and not _titled(node)
    return doer_in(node.body) if sentence else None


def _asked_by_issuer(node: Node, asker: str) -> OwnerLine | None:
    """Whom the issuer asks in a sentence that names nobody before, or the issuer itself."""
    if node.announces or node.leads or _titled(node) or len(node.body) >= _LONGEST_TASK:
        return None
    named = node.owner or node.doer
    own = named is None or asker.startswith(spelled_out(named.names[0].text))
    return asked_by(asker, node.body) if own else None


def _weigh_entries(node: Node) -> None:
    """How many entries below a node name bodies, and whether half of them do or give duties."""
    entries = [child for child in node.children if _counts(child)]
    good = [child for child in entries if child.is_entry or child.gives_duties]
    tables = sum(child.columns is not None for child in node.children)
    node.named = sum(child.named or child.is_entry for child in good) + 2 * tables
    node.gives_duties = bool(tables) or (len(good) > 0 and 2 * len(good) >= len(entries))


def _compare_siblings(nodes: Sequence[Node]) -> None:
    """Which of the points with its kind of mark each is, and whether most beside it name bodies."""
    for rank in {node.rank for node in nodes}:
        beside = [node for node in nodes if node.rank is rank]
        owned = sum(node.owner is not None for node in beside)
        for turn, node in enumerate(beside, 1):
            node.turn = turn if rank is not None else 0
            node.among = 2 * (owned - (node.owner is not None)) >= len(beside) - 1 > 0


def _heads_part(node: Node) -> bool:
    """Whether a node is the heading of a section."""
    return node.heading or (node.rank is not None and node.rank <= Rank.ROMAN)


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
        if child.rank is not None:
            if asked is not None:
                _inherit_in_point(child, asked)
        else:
            asked = _asks_what_follows(child) or around


def _asks_what_follows(node: Node) -> OwnerLine | None:
    """Whom a paragraph asks to do the points after it."""
    if node.children:
        return None
    return addressees(node.body) or (node.owner if _begins_with_body(node) else None)


def _inherit_in_point(node: Node, asked: OwnerLine) -> None:
    if node.gives_duties and node.rank is Rank.NUMBER and not node.is_entry:
        inherit_owner(node, asked)
    elif not (is_part(node) or node.gives_duties or _names_another(node, asked)):
        own = placed_owner(node.body) if node.body.startswith("Các ") and node.ended else None
        node.owner = own or _inherited(node, asked)


def _inherited(node: Node, asked: OwnerLine) -> OwnerLine | None:
    """Those asked above as the owners of a point: of its own words, or of the points below where it is their title."""
    if not (node.ended or node.opens):
        return None
    titled = bool(node.children) and (node.announces or not node.ended)
    asked = replace(asked, origin=Origin.ABOVE)
    return replace(asked, form=Form.ALONE) if titled else replace(asked, rest=node.body)


def _names_another(node: Node, asked: OwnerLine) -> bool:
    """Whether a point names itself who is to do it, and not only one of those asked («… Cục Thuế chủ động lập …»)."""
    if node.owner is not None or node.leads or node.doer is None:
        return node.is_entry
    return not {singular(name.text) for name in node.doer.names} <= {singular(name.text) for name in asked.names}


def _counts(node: Node) -> bool:
    """An entry has a mark, labelled leads, is a body alone on its line, or a paragraph under a topic."""
    alone = (node.owner is not None and node.owner.alone) or (node.is_entry and under_topic(node))
    return node.mark is not None or node.heading or node.leads or alone


def duty_sections(root: Node) -> list[Node]:
    """The nodes whose children give duties, outermost first, in the document's order; the root itself where its
    numbers are the bodies (directives, official letters) or nothing else is."""
    found = [] if _gives_by_number(root) else list(_sections(root))
    if all(map(_is_article, found)) and any(map(_orders_itself, root.children)):
        return [root]  # a decision some of whose articles are orders themselves
    orders = [node for node in root.children if _is_article(node) and node not in found and is_given(node)]
    if found and orders:
        return [Node(children=orders), *found]  # beside the plan that the decision issues
    given = (root.gives_duties and root.named >= 2) or any(map(is_given, root.walk()))
    return found or ([root] if given else [])


def _is_article(node: Node) -> bool:
    return node.label.startswith("Điều")


def _orders_itself(node: Node) -> bool:
    return node.mark is not None and (is_given(node) or addressees(node.body) is not None)


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
    if any(map(_heads_part, root.children)):
        return False
    numbered = [child for child in root.children if child.rank is Rank.NUMBER]
    owned = sum(child.is_entry and not child.gives_duties for child in numbered)
    asked = any(child.mark is None and addressees(child.body) for child in root.children)
    given = owned + (asked or owned > 1) * sum(child.gives_duties for child in numbered)
    return 2 * given > len(numbered) > 1


def _sections(node: Node, *, other: bool = False) -> Iterator[Node]:
    """``other``: under a heading that gives nobody duties («SỐ LƯỢNG ĐỀ NGHỊ KHEN THƯỞNG»)."""
    for child in node.children:
        if not _is_owned(child) and (_is_duty_title(child) or _holds_duties(child, other=other)):
            yield child
        else:
            yield from _sections(child, other=other or child.theme is Theme.OTHER)


def _is_owned(node: Node) -> bool:
    """Whether a node is an entry of a body, not a title over entries («Giao các đơn vị sau»)."""
    line = node.owner
    return line is not None and not (line.start and node.gives_duties and not node.ended)


def _is_duty_title(node: Node) -> bool:
    """Whether a heading says that duties are given below it, or after its colon."""
    ranked = node.heading or (node.rank is not None and node.rank <= Rank.LETTER)
    return node.theme is Theme.DUTIES and ranked and bool(node.children or ":" in node.body)


def _holds_duties(node: Node, *, other: bool) -> bool:
    """Whether what stands below a heading gives duties, though the heading does not say so."""
    several = node.gives_duties and node.named >= 2
    if node.theme is Theme.OPEN and node.children and ((several and not other) or _says_who(node)):
        return True
    return any(map(is_order, node.marked())) or (several and any(map(_commits, node.walk())))


def _says_who(node: Node) -> bool:
    """Whether a point has a labelled lead, or a body with a last day."""
    if any(each.leads for each in node.children):
        return True
    return any(each.is_entry and _is_dated(each) for each in node.marked())


def _commits(node: Node) -> bool:
    """Whether a node gives duties under any heading: a labelled lead, a duty table, a body with a last day."""
    return node.leads or node.columns is not None or (node.owner is not None and _is_dated(node))


def _is_dated(node: Node) -> bool:
    return any(is_dated(each.body) for each in (node, *node.children))


def is_order(node: Node) -> bool:
    """Whether an entry gives a body a last day, whatever stands above it («Giao Sở Y tế lập dự toán trước ngày …»)."""
    line = owner_line(node.body) if not node.children else None
    return line is not None and line.start > 0 and not line.alone and is_dated(node.body)
