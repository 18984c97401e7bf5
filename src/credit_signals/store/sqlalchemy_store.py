"""The results store on SQLite or Postgres."""

from __future__ import annotations

from credit_signals.store.base import SchemaChange
from credit_signals.store.crawl_part import CrawlPart
from credit_signals.store.database import Database
from credit_signals.store.listing_part import ListingPart
from credit_signals.store.migrating import migrate
from credit_signals.store.reading_part import ReadingPart
from credit_signals.store.registry_part import RegistryPart
from credit_signals.store.result_part import ResultPart
from credit_signals.store.retention_part import RetentionPart
from credit_signals.store.run_part import RunPart


class SqlStore(RunPart, CrawlPart, ReadingPart, ResultPart, ListingPart, RegistryPart, RetentionPart):
    """A ResultsStore at a URL: `sqlite:////folder/store.db` or `postgresql://user:password@host/database`.

    Nothing is opened before the first use; each process opens its own connections. Raises ConfigurationError for a URL
    that is neither.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def __repr__(self) -> str:
        return f"SqlStore({self._database.name})"

    def migrate(self) -> SchemaChange:
        """Bring the schema up to date; processes that call it at once take turns.

        Raises StoreUnavailable, and StoreError for the schema of a later version.
        """
        return migrate(self._database)

    def close(self) -> None:
        """Close connections."""
        self._database.close()
