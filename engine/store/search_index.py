"""The full-text index of the search page: FTS5 on SQLite, tsvector on PostgreSQL.

Triggers keep it true in the transaction that changes a row, whoever writes it. Words are compared without tone marks
and with d for đ, so that «xây dựng», «xay dung» and «XÂY DỰNG» are one. ``SOURCES`` says what is indexed: another
numbered paper is one more line there. A migration that copies a table drops its triggers on SQLite; ``ensure`` notices
and rebuilds the index from the rows, as ``dondoc db upgrade`` and ``dondoc repair`` do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

PREFIX = "search_"
"""Of its tables, functions and triggers. They are no records: nothing is lost with them."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows of ``table`` as entries of one ``kind``. The SQL expressions speak of a row as ``{r}``; ``when`` limits the
    rows. ``columns``: a change of any of them changes the entry; empty for rows that are only ever appended."""

    kind: str
    table: str
    columns: tuple[str, ...]
    ref: str
    plan: str
    agency: str
    words: tuple[str, ...]
    when: str = ""

    def words_of(self, dialect: str) -> str:
        joined = " || ' ' || ".join(f"coalesce(CAST({_as_in(dialect, each)} AS TEXT), '')" for each in self.words)
        marked = f"'{kind_word(self.kind)} ' || " if dialect == "sqlite" else ""
        return marked + _folded(dialect, joined)


def kind_word(kind: str) -> str:
    """The first word of each entry on SQLite: full-text search meets it with the others. PostgreSQL has an index a
    kind."""
    return f"x{kind}"


def _numbered(kind: str) -> Source:
    """A paper whose number and date are recorded as an event of each assignment it is about."""
    return Source(
        kind="paper",
        table="event",
        columns=(),
        ref="{r}.assignment_id",
        plan="{r}.plan_id",
        agency="(SELECT agency_id FROM assignment WHERE id = {r}.assignment_id)",
        words=("field:detail:number", "field:detail:on"),
        when=f"{{r}}.kind = '{kind}'",
    )


SOURCES = (
    Source(
        kind="plan",
        table="plan",
        columns=("number", "title", "short_title"),
        ref="{r}.id",
        plan="{r}.id",
        agency="''",
        words=("{r}.number", "{r}.title", "{r}.short_title", "{r}.year", "substr(CAST({r}.issued_on AS text), 1, 4)"),
    ),
    Source(
        kind="duty",
        table="duty",
        columns=("citation", "heading", "text", "plan_id"),
        ref="{r}.id",
        plan="{r}.plan_id",
        agency="''",
        words=("{r}.citation", "{r}.text", "{r}.heading"),
    ),
    Source(
        kind="agency",
        table="agency",
        columns=("name", "short", "names", "aliases"),
        ref="{r}.id",
        plan="NULL",
        agency="{r}.id",
        words=("{r}.name", "{r}.short", "{r}.id", "each:names:name", "each:names:short", "all:aliases"),
    ),
    Source(
        kind="contact",
        table="contact",
        columns=("label", "email", "phone", "agency_id"),
        ref="{r}.id",
        plan="NULL",
        agency="{r}.agency_id",
        words=("{r}.label", "{r}.email", "{r}.phone"),
        when="({r}.label || {r}.email || {r}.phone) <> ''",
    ),
    Source(
        kind="letter",
        table="letter_body",
        columns=("subject",),
        ref="{r}.letter_id",
        plan="NULL",
        agency="(SELECT agency_id FROM letter WHERE id = {r}.letter_id)",
        words=("{r}.subject", "{r}.letter_id"),
    ),
    _numbered("paper_recorded"),
    Source(
        kind="paper",
        table="report",
        columns=(),
        ref="{r}.assignment_id",
        plan="(SELECT plan_id FROM assignment WHERE id = {r}.assignment_id)",
        agency="(SELECT agency_id FROM assignment WHERE id = {r}.assignment_id)",
        words=("{r}.paper_number", "{r}.paper_on"),
        when="{r}.paper_number <> ''",
    ),
)
"""Everything that can be found. A further kind of paper with a number of its own: ``_numbered("its event kind")``."""


def is_a_record(name: str | None, kind: str, parents: object) -> bool:
    """For Alembic: the index's tables are none of the records' schema."""
    return kind != "table" or not (name or "").startswith(PREFIX)


def ensure(connection: Connection) -> bool:
    """Build the index if it is missing, incomplete or of another version. Returns whether it was built."""
    if intact(connection):
        return False
    rebuild(connection)
    return True


def intact(connection: Connection) -> bool:
    """Whether the triggers are those of this version, and every plan, duty and agency has its entry."""
    if triggers(connection) != {name for name, _ in _triggers(connection.dialect.name)}:
        return False
    entries = connection.execute(text("SELECT kind, count(*) AS n FROM search_entry GROUP BY kind"))
    counted = {row.kind: row.n for row in entries}
    return all(
        counted.get(each.kind, 0) == connection.scalar(text(f"SELECT count(*) FROM {each.table}"))
        for each in SOURCES
        if each.kind in ("plan", "duty", "agency")
    )


def stand_aside(connection: Connection) -> None:
    """Before migrations: a table that SQLite copies and renames must be named by no trigger, nor may a column that
    PostgreSQL drops. ``ensure`` builds the index again afterwards."""
    _drop_triggers(connection)


def _drop_triggers(connection: Connection) -> None:
    for name in triggers(connection):
        lite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql(f"DROP TRIGGER {name}" if lite else f"DROP FUNCTION {name} CASCADE")


def rebuild(connection: Connection) -> None:
    """Drop the index and build it from the rows, in the caller's transaction."""
    dialect = connection.dialect.name
    _drop_triggers(connection)
    for statement in _statements(dialect):
        connection.exec_driver_sql(statement)


def _statements(dialect: str) -> Iterator[str]:
    lite = dialect == "sqlite"
    if lite:
        yield "DROP TABLE IF EXISTS search_text"
        yield "DROP TABLE IF EXISTS search_entry"
        yield (
            "CREATE TABLE search_entry (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, ref TEXT NOT NULL, "
            "plan_id INTEGER, agency_id TEXT, words TEXT NOT NULL)"
        )
    else:
        yield "DROP TABLE IF EXISTS search_entry"
        yield _PG_FOLD
        yield (
            "CREATE TABLE search_entry (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, kind text NOT NULL, "
            "ref text NOT NULL, plan_id integer, agency_id text, words text NOT NULL, "
            "vector tsvector GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED)"
        )
    yield from (_fill(dialect, each) for each in SOURCES)
    yield "CREATE INDEX search_entry_ref ON search_entry (kind, ref)"
    if lite:
        yield (
            "CREATE VIRTUAL TABLE search_text USING fts5(words, content='search_entry', content_rowid='id', "
            "tokenize='unicode61 remove_diacritics 2')"
        )
        yield "INSERT INTO search_text(search_text) VALUES ('rebuild')"
    else:
        for kind in dict.fromkeys(each.kind for each in SOURCES):
            part = f"WHERE kind = '{kind}'"
            yield f"CREATE INDEX search_entry_{kind} ON search_entry USING gin (vector) {part}"
    yield from (statement for _, statement in _triggers(dialect))


# Tone marks are the combining characters of NFD; đ has none. Whatever is no letter or digit separates words.
_PG_FOLD = """CREATE OR REPLACE FUNCTION search_folded(said text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT regexp_replace(lower(translate(regexp_replace(normalize(said, NFD), '[\u0300-\u036f]', '', 'g'), 'Đđ', 'dd')),
'[^a-z0-9]+', ' ', 'g') $$"""


def _folded(dialect: str, expression: str) -> str:
    """On SQLite the tokenizer takes the tone marks away."""
    if dialect == "postgresql":
        return f"search_folded({expression})"
    return f"replace(replace({expression}, 'Đ', 'd'), 'đ', 'd')"


def _as_in(dialect: str, expression: str) -> str:
    """``field:column:name`` of a JSON object, ``each:column:name`` of each object of a JSON list, ``all:column`` of a
    list of strings."""
    how, _, rest = expression.partition(":")
    column, _, name = rest.partition(":")
    lite = dialect == "sqlite"
    if how == "field":
        return f"json_extract({{r}}.{column}, '$.{name}')" if lite else f"{{r}}.{column} ->> '{name}'"
    if how == "each":
        if lite:
            return f"(SELECT group_concat(json_extract(value, '$.{name}'), ' ; ') FROM json_each({{r}}.{column}))"
        return f"(SELECT string_agg(value ->> '{name}', ' ; ') FROM json_array_elements({{r}}.{column}))"
    if how == "all":
        if lite:
            return f"(SELECT group_concat(value, ' ; ') FROM json_each({{r}}.{column}))"
        return f"(SELECT string_agg(value, ' ; ') FROM json_array_elements_text({{r}}.{column}))"
    return expression


INTO = "INSERT INTO search_entry (kind, ref, plan_id, agency_id, words) SELECT"


def _fill(dialect: str, source: Source) -> str:
    """All rows at once; a paper once an agency, however many of its duties it is about."""
    values = (source.plan, source.agency, source.words_of(dialect))
    ref = f"CAST({source.ref} AS TEXT)"
    once = source.kind == "paper"
    chosen = ", ".join((f"'{source.kind}'", f"min({ref})" if once else ref, *values))
    where = f" WHERE {source.when}" if source.when else ""
    grouped = " GROUP BY 3, 4, 5" if once else ""
    return f"{INTO} {chosen} FROM {source.table} AS r{where}{grouped}".format(r="r")


def _add(dialect: str, source: Source) -> str:
    values = (source.plan, source.agency, source.words_of(dialect))
    chosen = ", ".join((f"'{source.kind}'", f"CAST({source.ref} AS TEXT)", *values))
    conditions = [source.when] if source.when else []
    if source.kind == "paper":
        same = " AND ".join(
            f"{column} = {value}" for column, value in zip(("plan_id", "agency_id", "words"), values, strict=True)
        )
        conditions.append(f"NOT EXISTS (SELECT 1 FROM search_entry WHERE kind = 'paper' AND {same})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{INTO} {chosen}{where}".format(r="NEW")


def _triggers(dialect: str) -> Iterator[tuple[str, str]]:
    """(name, CREATE statement) of each trigger. The name ends with a digest of what it does."""
    make = _lite if dialect == "sqlite" else _pg
    for table, deed, when, guard, body in _deeds(dialect):
        digest = hashlib.sha256(f"{when}{guard}{body}".encode()).hexdigest()[:8]
        name = f"search_{table}_{deed}_{digest}"
        yield name, make(name, when, table, guard, body)


def _deeds(dialect: str) -> Iterator[tuple[str, str, str, str, str]]:
    """(table, deed, event, condition, body)."""
    if dialect == "sqlite":
        add = "INSERT INTO search_text(rowid, words) VALUES (NEW.id, NEW.words)"
        remove = "INSERT INTO search_text(search_text, rowid, words) VALUES ('delete', OLD.id, OLD.words)"
        yield "search_entry", "added", "INSERT", "", add
        yield "search_entry", "removed", "DELETE", "", remove
    for each in SOURCES:
        added, when = _add(dialect, each), each.when
        removed = (
            f"DELETE FROM search_entry WHERE kind = '{each.kind}' AND ref = CAST({each.ref.format(r='OLD')} AS TEXT)"
        )
        yield each.table, "added", "INSERT", when.format(r="NEW"), added
        yield each.table, "removed", "DELETE", when.format(r="OLD"), removed
        if each.columns:
            yield each.table, "changed", f"UPDATE OF {', '.join(each.columns)}", "", f"{removed}; {added}"


def _lite(name: str, when: str, table: str, guard: str, body: str) -> str:
    condition = f"WHEN {guard} " if guard else ""
    return f"CREATE TRIGGER {name} AFTER {when} ON {table} {condition}BEGIN {body}; END"


def _pg(name: str, when: str, table: str, guard: str, body: str) -> str:
    condition = f"WHEN ({guard}) " if guard else ""
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body}; RETURN NULL; END $$; "
        f"CREATE OR REPLACE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW {condition}EXECUTE FUNCTION {name}()"
    )


def triggers(connection: Connection) -> set[str]:
    """The names of the triggers that are there."""
    if connection.dialect.name == "sqlite":
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'search_%'"
    else:
        asked = (
            "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname LIKE 'search_%' AND c.relnamespace = current_schema()::regnamespace"
        )
    return set(connection.scalars(text(asked)))
