"""What goes wrong without anybody being surprised: it is told in one line, and the status is 1."""

import psycopg2
from kafka.errors import KafkaError

from api.book import OfAnotherBook
from api.rebuilding import WorkerDied
from commands.ports import Unavailable
from consumers.ports import Ahead, PublisherLost
from consumers.relay import Broken, Misplaced
from domain.refusal import Refusal
from infra.embedded.server import EmbeddedError
from infra.kafka.chain import TopicBroken
from infra.kafka.topic import TopicUnfit
from infra.postgres.fitness import Unfit
from infra.postgres.generations import Dropped, LookedAt
from infra.postgres.migrate import MigrationError, OtherRelease
from infra.postgres.one_rebuild import BeingRebuilt
from infra.sources.source import SourceMissing

EXPECTED = (
    OfAnotherBook,
    EmbeddedError,
    MigrationError,
    OtherRelease,
    Unfit,
    SourceMissing,
    Refusal,
    Unavailable,
    Misplaced,
    Broken,
    TopicUnfit,
    TopicBroken,
    Ahead,
    PublisherLost,
    WorkerDied,
    BeingRebuilt,
    Dropped,
    LookedAt,
    KafkaError,
    psycopg2.OperationalError,
    psycopg2.errors.InsufficientPrivilege,
    OSError,
)
