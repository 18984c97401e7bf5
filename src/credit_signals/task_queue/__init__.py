"""Redis Streams between crawlers and workers; the only package that imports redis."""

from credit_signals.task_queue.base import Delivery, QueueStatus, TaskQueue
from credit_signals.task_queue.embedded import EmbeddedRedis, find_redis_server
from credit_signals.task_queue.memory_queue import MemoryBroker, MemoryQueue
from credit_signals.task_queue.options import QueueOptions
from credit_signals.task_queue.redis_queue import RedisQueue

__all__ = [
    "Delivery",
    "EmbeddedRedis",
    "MemoryBroker",
    "MemoryQueue",
    "QueueOptions",
    "QueueStatus",
    "RedisQueue",
    "TaskQueue",
    "find_redis_server",
]
