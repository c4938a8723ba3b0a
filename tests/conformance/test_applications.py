from eventsourcing.tests import application as shipped

from tests.conformance.ledger import WithDatabase


class TestApplication(WithDatabase, shipped.ApplicationTestCase):
    pass


class TestExampleApplication(WithDatabase, shipped.ExampleApplicationTestCase):
    expected_factory_topic = "infra.postgres.factory:Factory"
