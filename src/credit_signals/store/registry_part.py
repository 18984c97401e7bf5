"""Registered readers and the history of promotions in SQL."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from credit_signals.domain import Promotion, RegisteredReader, present_reader_id
from credit_signals.store.database import Database
from credit_signals.store.rules import check_promotion, merge_reader
from credit_signals.store.tables import promotions, readers


class RegistryPart:
    """The reader methods of SqlStore."""

    _database: Database

    def register_reader(self, reader: RegisteredReader) -> RegisteredReader:
        """Keep a reader; the kept one is given. Raises StoreError when the id stands for another."""
        return self._database.write(lambda connection: self._register(connection, reader))

    def _register(self, connection: Connection, reader: RegisteredReader) -> RegisteredReader:
        row = {"id": reader.id, "registered_at": reader.registered_at, "reader": reader.model_dump(mode="json")}
        if self._database.add(connection, readers, row):
            return reader
        held = select(readers.c.reader).where(readers.c.id == reader.id).with_for_update()
        merged = merge_reader(RegisteredReader.model_validate(connection.scalars(held).one()), reader)
        change = update(readers).where(readers.c.id == reader.id).values(reader=merged.model_dump(mode="json"))
        connection.execute(change)
        return merged

    def reader(self, reader_id: str) -> RegisteredReader | None:
        """A registered reader, or None."""
        with self._database.reading() as connection:
            found = connection.scalars(select(readers.c.reader).where(readers.c.id == reader_id)).first()
        return RegisteredReader.model_validate(found) if found else None

    def readers(self) -> list[RegisteredReader]:
        """All registered readers, in the order of their registration."""
        with self._database.reading() as connection:
            found = list(connection.scalars(select(readers.c.reader).order_by(readers.c.registered_at, readers.c.id)))
        return [RegisteredReader.model_validate(each) for each in found]

    def present_reader(self) -> RegisteredReader | None:
        """The reader that the latest decision left at work, or None: that of the settings."""
        return self.reader(present_reader_id(self.promotions()))

    def record_promotion(self, promotion: Promotion) -> None:
        """Add a decision to the history. Raises StoreError; see base.ResultsStore."""

        def record(connection: Connection) -> None:
            while True:
                history = _history(connection)
                if promotion.id in {each.id for each in history}:
                    return
                check_promotion(promotion, history, set(connection.scalars(select(readers.c.id))))
                row = {
                    "number": len(history) + 1,
                    "id": promotion.id,
                    "promotion": promotion.model_dump(mode="json"),
                }
                if self._database.add(connection, promotions, row):
                    return  # else another process wrote that number meanwhile: judged again with what it wrote

        self._database.write(record)

    def promotions(self) -> list[Promotion]:
        """All decisions, oldest first."""
        with self._database.reading() as connection:
            return _history(connection)


def _history(connection: Connection) -> list[Promotion]:
    found = connection.scalars(select(promotions.c.promotion).order_by(promotions.c.number))
    return [Promotion.model_validate(each) for each in found]
