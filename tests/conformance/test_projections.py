from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import InfrastructureFactory, Tracking
from eventsourcing.projection import ProjectionRunner
from eventsourcing.tests import projection as shipped
from eventsourcing.utils import Environment

from infra.postgres.connection import Pool
from infra.postgres.recorders import TrackingRecorder
from tests.conformance.ledger import WithDatabase, WithFactory


class Counters(TrackingRecorder, shipped.EventCountersView):
    """Two sums in a table of the ledger's read schema, moved in the transaction of the tracking."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.table = f"{pool.database.read_schema}.counter"
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {self.table} (name text PRIMARY KEY, events int NOT NULL)")

    def get_created_event_counter(self) -> int:
        return self._count("created")

    def get_subsequent_event_counter(self) -> int:
        return self._count("subsequent")

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._increment("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._increment("subsequent", tracking)

    def _count(self, name: str) -> int:
        return sum(events for (events,) in self._pool.read(f"SELECT events FROM {self.table} WHERE name = %s", (name,)))

    def _increment(self, name: str, tracking: Tracking) -> None:
        with self.transaction(tracking) as cursor:
            cursor.execute(
                f"INSERT INTO {self.table} AS c VALUES (%s, 1) ON CONFLICT (name) DO UPDATE SET events = c.events + 1",
                (name,),
            )


class TestEventCountersView(WithFactory, shipped.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> Counters:
        return self.factory.tracking_recorder(Counters)


class TestEventCountersProjection(WithDatabase, shipped.AggregateEventCountersProjectionTestCase):
    view_class = Counters

    def test_event_counters_projection(self) -> None:
        super().test_event_counters_projection()

        # Another runner goes on where the first has stopped, and what other instances have written is processed.
        with ProjectionRunner(
            application_class=Application,
            projection_class=shipped.AggregateEventCountersProjection,
            view_class=self.view_class,
            env=self.env,
        ):
            aggregate = Aggregate()
            aggregate.trigger_event(event_class=Aggregate.Event)
            write_model = Application(self.env)
            recordings = write_model.save(aggregate)
            environment = Environment(shipped.AggregateEventCountersProjection.name, self.env)
            read_model = InfrastructureFactory.construct(environment).tracking_recorder(self.view_class)
            read_model.wait(write_model.name, recordings[-1].notification.id)
            self.assertEqual(read_model.get_created_event_counter(), 3)
            self.assertEqual(read_model.get_subsequent_event_counter(), 5)


class TestEventSourcedProjection(WithDatabase, shipped.EventSourcedProjectionTestCase):
    pass
