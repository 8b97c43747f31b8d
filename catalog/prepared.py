"""Reads and writes whose SQL is made once: the few statements of every shopper's request, and those of long tables.

Django builds a statement anew for each run, which costs several times what the database needs to answer it. Here a
queryset is compiled once with stand-ins for its values and then run with the real ones; columns, joins, conversions and
both database engines stay Django's own. For anything that is not on every page, a plain queryset is the better text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections, models

#: Stand-ins: numbers and texts that no row has.
_FIRST_NUMBER = 9_100_000_000_000_000_000
_TEXT = "\ue000stand-in-{}"
Value = int | str | Sequence[int]


@dataclass(frozen=True)
class _Compiled:
    sql: str
    constants: tuple[Any, ...]
    #: Place in the parameters → place in the values.
    slots: tuple[tuple[int, int], ...]
    converters: tuple[tuple[int, tuple[Callable[..., Any], ...], Any], ...]


class PreparedRead:
    """A ``values_list`` queryset, given as a function of its values: numbers, texts, or lists of numbers.

    A list is filled up to the next power of two with its last number, so that few lengths need a statement of their own.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Any, Any]]) -> None:
        self._build = build
        self._compiled: dict[tuple[Any, ...], _Compiled] = {}

    def rows(self, *values: Value) -> list[tuple[Any, ...]]:
        """The rows for these values; none where a list is empty."""
        return [self.converted(row) for row in self.raw(*values)]

    def raw(self, *values: Value) -> list[tuple[Any, ...]]:
        """The same rows as the database's driver gives them, for a reader that converts only those that are new."""
        database = connections[DEFAULT_DB_ALIAS]  # itself: the usual stand-in for it looks it up at each access
        flat: list[Any] = []
        shape: list[Any] = [database.vendor]
        for value in values:
            if isinstance(value, int | str):
                flat.append(value)
                shape.append(type(value))
            elif not value:
                return []
            else:
                size = 1 << (len(value) - 1).bit_length()
                flat += [*value, *[value[-1]] * (size - len(value))]
                shape.append(size)
        key = tuple(shape)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = self._compile(key)
        parameters = list(compiled.constants)
        for place, slot in compiled.slots:
            parameters[place] = flat[slot]
        with database.cursor() as cursor:
            cursor.execute(compiled.sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def converted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """A raw row with every value as its field has it. How depends on the columns alone, not on the values asked for."""
        compiled = next(iter(self._compiled.values()))
        if not compiled.converters:
            return row
        values, database = list(row), connections[DEFAULT_DB_ALIAS]
        for place, steps, column in compiled.converters:
            value = values[place]
            for step in steps:
                value = step(value, column, database)
            values[place] = value
        return tuple(values)

    def _compile(self, key: tuple[Any, ...]) -> _Compiled:
        stand_ins: dict[Any, int] = {}

        def stand_in(kind: type) -> Any:
            slot = len(stand_ins)
            value = _FIRST_NUMBER + slot if kind is int else _TEXT.format(slot)
            stand_ins[value] = slot
            return value

        arguments = [
            [stand_in(int) for _ in range(kind)] if isinstance(kind, int) else stand_in(kind) for kind in key[1:]
        ]
        compiler = self._build(*arguments).query.get_compiler(connection=connections[DEFAULT_DB_ALIAS])
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([entry[0] for entry in compiler.select])
        return _Compiled(
            sql=sql,
            constants=tuple(parameters),
            slots=tuple((place, stand_ins[value]) for place, value in enumerate(parameters) if value in stand_ins),
            converters=tuple((place, tuple(steps), column) for place, (steps, column) in converters.items()),
        )


class PreparedRows:
    """Whole rows of a model, found by a prepared read. ``build`` gives the queryset.

    Its annotations come along, and the rows that the foreign keys named in ``related`` lead to.
    """

    def __init__(
        self,
        model: type[models.Model],
        build: Callable[..., Any],
        *,
        annotations: Sequence[str] = (),
        related: Sequence[str] = (),
    ) -> None:
        self._model, self._annotations, self._related = model, annotations, related
        self._read = PreparedRead(lambda *values: build(*values).values_list(*self._columns))

    @cached_property
    def _others(self) -> dict[str, type[models.Model]]:
        fields = {name: self._model._meta.get_field(name) for name in self._related}
        return {name: cast(type[models.Model], field.related_model) for name, field in fields.items()}

    @cached_property
    def _columns(self) -> list[str]:
        others = [f"{key}__{name}" for key, model in self._others.items() for name in _names_of(model)]
        return [*_names_of(self._model), *self._annotations, *others]

    def first(self, *values: Value) -> Any:
        """The first row as an instance, or None."""
        rows = self._read.rows(*values)
        if not rows:
            return None
        columns = iter(rows[0])
        instance = _row_of(self._model, columns)
        for name in self._annotations:
            setattr(instance, name, next(columns))
        for key, model in self._others.items():
            setattr(instance, key, _row_of(model, columns))
        return instance


def _row_of(model: type[models.Model], columns: Iterator[Any]) -> models.Model | None:
    """The next columns as a row of the model; None where a foreign key leads nowhere."""
    names = _names_of(model)
    values = list(islice(columns, len(names)))
    return model.from_db(DEFAULT_DB_ALIAS, names, values) if any(value is not None for value in values) else None


@cache
def _names_of(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def insert(rows: Sequence[models.Model]) -> None:
    """Insert a few new rows of one model in one statement; a key that the database gives out is not read back."""
    if not rows:
        return
    model, database = type(rows[0]), connections[DEFAULT_DB_ALIAS]
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    quote = database.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
    values = [field.get_db_prep_save(field.pre_save(row, True), database) for row in rows for field in fields]
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES {places}"  # noqa: S608 - our own names
    with database.cursor() as cursor:
        cursor.execute(statement, values)


def update(rows: Sequence[models.Model], names: Collection[str]) -> None:
    """Write some fields of many rows that are there, by one statement run for each; in the caller's transaction.

    ``bulk_update`` writes one long CASE for every field, which takes several times as long to build as this to run.
    """
    if not rows:
        return
    model, database = type(rows[0]), connections[DEFAULT_DB_ALIAS]
    fields = [field for field in model._meta.concrete_fields if field.name in names]
    quote, key = database.ops.quote_name, model._meta.pk
    assert key is not None
    columns = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    statement = f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE {quote(str(key.column))} = %s"  # noqa: S608 - ours
    values = [
        [*(field.get_db_prep_save(getattr(row, field.attname), database) for field in fields), row.pk] for row in rows
    ]
    with database.cursor() as cursor:
        cursor.executemany(statement, values)
