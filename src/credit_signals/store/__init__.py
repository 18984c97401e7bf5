"""The results store (SQLAlchemy 2): the only package that imports sqlalchemy."""

from credit_signals.store.memory_store import MemoryStore
from credit_signals.store.sqlalchemy_store import SqlStore

__all__ = ["MemoryStore", "SqlStore"]
