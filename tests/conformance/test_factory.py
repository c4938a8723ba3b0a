from eventsourcing.tests import persistence as shipped
from eventsourcing.utils import Environment

from infra.postgres.factory import Factory
from infra.postgres.recorders import AggregateRecorder, ApplicationRecorder, ProcessRecorder, TrackingRecorder
from tests.conformance.ledger import WithDatabase


class View(TrackingRecorder):
    """A read model of an application's own."""


class TestFactory(WithDatabase, shipped.InfrastructureFactoryTestCase[Factory]):
    def setUp(self) -> None:
        self.env = Environment(env=self.env)
        super().setUp()

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return AggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return ApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        return TrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return View

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return ProcessRecorder
