from eventsourcing.tests import persistence as shipped

from infra.postgres.recorders import (
    AggregateRecorder,
    ApplicationRecorder,
    ProcessRecorder,
    SnapshotRecorder,
    TrackingRecorder,
)
from tests.conformance.ledger import WithFactory


class TestAggregateRecorder(WithFactory, shipped.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder()


class TestSnapshotRecorder(WithFactory, shipped.AggregateRecorderTestCase):
    def create_recorder(self) -> SnapshotRecorder:
        return self.factory.aggregate_recorder(purpose="snapshots")


class TestApplicationRecorder(WithFactory, shipped.ApplicationRecorderTestCase[ApplicationRecorder]):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestProcessRecorderAsApplicationRecorder(TestApplicationRecorder):
    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()


class TestTrackingRecorder(WithFactory, shipped.TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        return self.factory.tracking_recorder()


class TestProcessRecorderAsTrackingRecorder(TestTrackingRecorder):
    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()


class TestProcessRecorder(WithFactory, shipped.ProcessRecorderTestCase):
    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()


class TestNonInterleavingNotificationIDs(WithFactory, shipped.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()


class TestNonInterleavingNotificationIDsOfProcesses(WithFactory, shipped.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()
