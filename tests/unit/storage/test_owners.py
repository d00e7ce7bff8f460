"""Nobody is given or can change another owner's rows: every method of the store, both databases.

The methods are found by looking, not listed: a new one without a row in `owner_cases` fails.
"""

import inspect
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import InputError
from core.storage.db.database import Database
from core.storage.db.schema import metadata
from core.storage.store import Store
from tests.conftest import new_schema
from tests.unit.storage.belongings import Belongings, endow
from tests.unit.storage.owner_cases import CASES, OWN, OWNERLESS, REFUSED, Case

ADA, BOB = "ada-lovelace", "bob-marley"

Rows = list[tuple[str, tuple[object, ...]]]


def public_methods(store: Store) -> Iterator[tuple[str, Callable[..., object]]]:
    """Yield the store's public methods, and those of every part of it that we wrote."""
    parts = [
        (name, part)
        for name, part in vars(store).items()
        if not name.startswith("_") and type(part).__module__.startswith("core.")
    ]
    for prefix, holder in [("", store), *((f"{name}.", part) for name, part in parts)]:
        for name, method in inspect.getmembers(holder, inspect.isroutine):
            if not name.startswith("_"):
                yield prefix + name, method


def test_every_method_serves_one_owner_or_says_why_it_knows_none(store: Store) -> None:
    parameters = {
        name: list(inspect.signature(method).parameters) for name, method in public_methods(store)
    }
    owned = {name for name, names in parameters.items() if "owner" in names}
    assert owned == set(CASES), "a method with an owner needs its cases in owner_cases.CASES"
    assert set(parameters) - owned == set(OWNERLESS), "why does this method know no owner?"
    assert all(parameters[name][0] == "owner" for name in owned)


class World:
    """Two owners with one of everything; Ada has it twice, so that counts tell whose they are."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.store = Store.open(url)
        self._database = Database(url, busy_timeout_s=5)
        self.adas: Belongings = endow(self.store, ADA, 1)
        endow(self.store, ADA, 2)
        self.bobs: Belongings = endow(self.store, BOB, 3)
        if not self._is_postgres:
            self.store.close()  # so that all of it stands in the one file
            shutil.copyfile(url, f"{url}.made")
            self.store = Store.open(url)
        self._ids = {owner: self._ids_of(owner) for owner in (ADA, BOB)}

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()
        self._database.close()

    @property
    def _is_postgres(self) -> bool:
        return self._url.startswith("postgresql")

    def restore(self, rows: Rows) -> None:
        """Put back what was made: the whole file, with its index of words, or each row."""
        if not self._is_postgres:
            self.close()
            Path(self._url).unlink()
            shutil.copyfile(f"{self._url}.made", self._url)
            self.store = Store.open(self._url)
            self._database = Database(self._url, busy_timeout_s=5)
            return
        with self._database.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
            for table in metadata.sorted_tables:
                columns = table.c.keys()
                values = [
                    dict(zip(columns, row, strict=True)) for name, row in rows if name == table.name
                ]
                if values:
                    connection.execute(table.insert(), values)

    def names(self, owner: str, value: object) -> bool:
        """Tell whether something shows an id or a text of this owner's."""
        shown = repr(value)
        return any(mark in shown for mark in self._ids[owner])

    def rows(self, owner: str) -> Rows:
        """Return every row of the database that names this owner or what was theirs."""
        return [row for row in self.all_rows() if self.names(owner, row)]

    def all_rows(self) -> Rows:
        """Return every row of the database."""
        with self._database.read() as connection:
            return [
                (table.name, tuple(row))
                for table in metadata.sorted_tables
                for row in connection.execute(select(table).order_by(*table.primary_key))
            ]

    def _ids_of(self, owner: str) -> frozenset[str]:
        """Return the owner's name and all ids below it, read from the tables themselves."""
        tables = metadata.tables
        ids = {owner}
        with self._database.read() as connection:
            for name, child, foreign in (
                ("conversations", "messages", "conversation_id"),
                ("generations", "pictures", "generation_id"),
            ):
                table, below = tables[name], tables[child]
                top = connection.scalars(select(table.c.id).where(table.c.owner == owner)).all()
                ids.update(top)
                ids.update(connection.scalars(select(below.c.id).where(below.c[foreign].in_(top))))
        return frozenset(ids)


class Worlds:
    """A world on each database, as it was made whenever a test has changed it."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[World, Rows]] = {}

    def take(self, kind: str, new_url: Callable[[], str]) -> World:
        if kind not in self._kept:
            world = World(new_url())
            self._kept[kind] = world, world.all_rows()
        return self._kept[kind][0]

    def give_back(self, kind: str) -> None:
        world, rows = self._kept[kind]
        if world.all_rows() != rows:
            world.restore(rows)
            assert world.all_rows() == rows

    def close_all(self) -> None:
        for world, _ in self._kept.values():
            world.close()


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    made = Worlds()
    yield made
    made.close_all()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(
    request: pytest.FixtureRequest, worlds: Worlds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    def new_url() -> str:
        if request.param == "sqlite":
            return str(tmp_path_factory.mktemp("world") / "inkling.db")
        return new_schema(request.getfixturevalue("postgres"))

    yield worlds.take(request.param, new_url)
    worlds.give_back(request.param)


def attempt(world: World, case: Case, owner: str, mine: Belongings) -> tuple[object, object]:
    """Reach for Ada's; return what that gave, and what was said when it was refused."""
    try:
        return case.act(world.store, owner, mine, world.adas), None
    except InputError as error:
        return REFUSED, (str(error), error.facts)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}-{number}" if number else name)
        for name, cases in CASES.items()
        for number, case in enumerate(cases)
    ],
)
def test_nobody_is_given_or_changes_what_is_anothers(world: World, case: Case) -> None:
    before = world.rows(ADA)
    given, said = attempt(world, case, BOB, world.bobs)
    assert not world.names(ADA, (given, said))
    assert world.rows(ADA) == before
    if case.gets is OWN:
        assert world.names(BOB, given)
    else:
        assert given == case.gets
    if case.gives_its_owner_nothing:
        return
    # The same call is no idle one: its owner gets something for it, or changes something.
    given_to_ada, _ = attempt(world, case, ADA, world.adas)
    assert given_to_ada is not REFUSED
    assert world.names(ADA, given_to_ada) or world.rows(ADA) != before or given_to_ada != case.gets
