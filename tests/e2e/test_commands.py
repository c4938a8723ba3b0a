"""POST /v1/commands: taken, repeated, refused."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.api import Api, problem
from tests.e2e.given import (
    client,
    deal,
    invoice,
    moved,
    payment,
    pipeline,
    product,
    received,
    shipped,
    touched,
    warehouse,
)


def test_a_command_is_answered_with_where_its_events_stand(api: Api) -> None:
    answer = api.send(client("C1", command_id="k1", effective_at="2026-03-01T12:00:00+03:00"))
    assert answer.status_code == 201
    assert answer.json() == {
        "command_id": "k1",
        "position": 1,
        "events": [
            {
                "position": 1,
                "type": "client.registered",
                "stream": "client-C1",
                "version": 1,
                "effective_at": "2026-03-01T09:00:00+00:00",
            }
        ],
    }


def test_the_position_is_that_of_the_last_event(api: Api) -> None:
    api.given(client(), invoice("I1", "300.00", due="2026-06-10"))
    [paid] = api.given(payment("Z1", "100.00", allocate="oldest"))
    assert [event["type"] for event in paid["events"]] == ["payment.received", "payment.allocated"]
    assert paid["position"] == paid["events"][-1]["position"] == 4


def test_an_id_that_is_left_out_is_made_and_told(api: Api) -> None:
    [first, second] = api.given(*({"type": "client.register", "name": name} for name in ("Anna", "Bert")))
    assert first["made"].keys() == second["made"].keys() == {"client"}
    assert first["made"] != second["made"]
    assert api.ask(f"/v1/clients/{first['made']['client']}")["name"] == "Anna"
    assert first["command_id"] != second["command_id"]


def test_whatever_a_command_may_leave_out_is_told_in_a_repeat_too(api: Api) -> None:
    api.given(client(), product(), warehouse(), warehouse("W2"), pipeline("sales", "forward", "new"))
    api.given(received("9", on="2026-03-01"), invoice("I1", "300.00", due="2026-06-10"))
    of_stock = {"product": "P1", "quantity": "1"}
    money = {"client": "C1", "amount": "1.00", "currency": "EUR"}
    for kind, command in {
        "product": product(),
        "warehouse": warehouse(),
        "pipeline": pipeline("", "forward", "new"),
        "deal": {"type": "deal.open", "client": "C1", "pipeline": "sales"},
        "interaction": touched("C1", "call", on="2026-03-01"),
        "invoice": {"type": "invoice.issue", "due_on": "2026-06-10", **money},
        "credit_note": {"type": "invoice.credit", "invoice": "I1", "amount": "1.00", "reason": "late"},
        "payment": {"type": "payment.receive", "allocate": "oldest", **money},
        "reservation": {"type": "stock.reserve", "warehouse": "W1", **of_stock},
        "order": {"type": "stock.order", "warehouse": "W1", **of_stock},
        "transfer": {"type": "stock.dispatch", "from_warehouse": "W1", "to_warehouse": "W2", **of_stock},
    }.items():
        left_out = {name: given for name, given in command.items() if name != kind} | {"command_id": kind}
        [first, again] = api.given(left_out, left_out)
        assert first["made"].keys() == {kind}
        assert again == first
    assert "made" not in api.given(client("C2"))[0]


def test_a_repeat_is_answered_the_same_and_does_nothing(api: Api) -> None:
    first = api.send(client(command_id="k1"))
    again = api.send(client(command_id="k1"))
    assert "idempotent-replay" not in first.headers
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == first.json()
    assert api.log_size() == 1


def test_a_made_id_is_the_same_in_a_repeat(api: Api) -> None:
    command = {"type": "client.register", "name": "Anna", "command_id": "k1"}
    assert api.send(command).json() == api.send(command).json()


def test_the_header_idempotency_key_is_the_command_id(api: Api) -> None:
    first = api.send(client(), headers={"Idempotency-Key": "k1"})
    assert first.json()["command_id"] == "k1"
    assert api.send(client(command_id="k1")).headers["idempotent-replay"] == "true"
    assert api.send(client(command_id="k1"), headers={"Idempotency-Key": "k1"}).status_code == 200


def test_a_header_and_a_body_that_differ_are_refused(api: Api) -> None:
    answer = api.send(client(command_id="k1"), headers={"Idempotency-Key": "k2"})
    assert problem(answer, 422, "invalid")["field"] == "command_id"


def test_a_command_id_used_for_another_request_is_refused(api: Api) -> None:
    api.given(client("C1", command_id="k1"))
    api.refused(client("C2", command_id="k1"), 409, "command_id_reused")


def test_numbers_written_differently_are_the_same_request_where_they_are_equal(api: Api) -> None:
    api.given(product(), warehouse(), received("5", on="2026-05-01", command_id="k1"))
    assert api.send(received(5, on="2026-05-01", command_id="k1")).status_code == 200


def test_a_rule_s_refusal_tells_its_facts(api: Api) -> None:
    api.given(product(), warehouse(), received("10", on="2026-01-01"), shipped("8", on="2026-01-05"))
    api.given(received("10", on="2026-01-20"))
    facts = api.refused(shipped("5", on="2026-01-10"), 422, "insufficient_stock")
    assert (facts["available"], facts["shortfall"], facts["on"]) == ("2", "3", "2026-01-10")


def test_a_backdated_issue_may_not_make_a_later_day_negative(api: Api) -> None:
    api.given(product(), warehouse(), received("10", on="2026-01-01"), shipped("8", on="2026-01-05"))
    facts = api.refused(shipped("3", on="2026-01-03"), 422, "insufficient_stock")
    assert (facts["shortfall"], facts["on"]) == ("1", "2026-01-05")


def test_a_stage_that_the_policy_forbids_is_refused(api: Api) -> None:
    api.given(client(), pipeline("sales", "strict", "A", "B", "C"), deal("X", "sales", "100.00", on="2026-05-01"))
    facts = api.refused(moved("X", "C", on="2026-05-02"), 422, "stage_not_allowed")
    assert (facts["current"], facts["stage"], facts["policy"]) == ("A", "C", "strict")


def test_a_payment_cannot_pay_more_than_is_open(api: Api) -> None:
    api.given(client(), invoice("I1", "50.00", due="2026-06-10"))
    wanted = [{"invoice": "I1", "amount": "60.00"}]
    facts = api.refused(payment("Z1", "100.00", allocate=wanted), 422, "over_allocation")
    assert (facts["open"], facts["shortfall"]) == ("50.00", "10.00")


def test_the_same_thing_twice_is_refused(api: Api) -> None:
    api.given(client(), invoice("I1", "10.00", due="2026-06-10"))
    api.refused(client(), 422, "already_exists")
    api.refused(invoice("I1", "20.00", due="2026-06-10"), 422, "already_exists")


def test_what_is_not_there_is_not_found(api: Api) -> None:
    facts = api.refused(invoice("I1", "10.00", due="2026-06-10", client="nobody"), 404, "not_found")
    assert (facts["kind"], facts["id"]) == ("client", "nobody")


@pytest.mark.parametrize("body", [b"", b"{", b"{'type': 1}", b'{"type": "client.register"', b"\xff\xfe", b'"\\ud800"'])
def test_what_is_not_json_is_malformed(shared: Api, body: bytes) -> None:
    problem(shared.http.post("/v1/commands", content=body), 400, "malformed")


@pytest.mark.parametrize("body", ["[]", '"client.register"', "null", "1"])
def test_what_is_not_an_object_is_malformed(shared: Api, body: str) -> None:
    problem(shared.http.post("/v1/commands", content=body), 400, "malformed")


@pytest.mark.parametrize("type", ["client.registered", "", None, 1, {}])
def test_an_unknown_type_is_refused_and_the_known_ones_are_told(shared: Api, type: object) -> None:
    assert "client.register" in shared.refused({"type": type}, 422, "unknown_command")["known"]


def test_an_unknown_field_is_refused_by_its_name(shared: Api) -> None:
    facts = shared.refused(client(nickname="Anni"), 422, "invalid")
    assert "nickname" in facts["errors"][0]


@pytest.fixture(scope="module")
def goods(shared: Api) -> Api:
    shared.given(product(scale=3), warehouse())
    return shared


@pytest.mark.parametrize(
    "quantity", [1.5, 1.0, 1e3, "1e3", "1E+3", "NaN", "Infinity", "1,5", "١", " 1", "", True, None]
)
def test_a_decimal_that_is_not_plain_is_refused(goods: Api, quantity: object) -> None:
    goods.refused(received(quantity, on="2026-05-01"), 422, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        '{"type": "stock.receive", "product": "P1", "warehouse": "W1", "quantity": "5", "quantity": "5000"}',
        '{"type":"stock.receive","product":"P1","warehouse":"W1","quantity":5,"quant\\u0069ty":5000}',
    ],
)
def test_a_quantity_that_stands_twice_is_malformed(goods: Api, body: str) -> None:
    before = goods.log_size()
    assert problem(goods.http.post("/v1/commands", content=body), 400, "malformed")["field"] == "quantity"
    assert goods.log_size() == before


def test_what_is_too_deep_is_malformed(goods: Api) -> None:
    for depth in (300, 965, 5_000):
        body = '{"type": ' + "[" * depth + "]" * depth + "}"
        problem(goods.http.post("/v1/commands", content=body), 400, "malformed")


def test_nothing_has_no_sign(api: Api) -> None:
    api.given(client(), pipeline("sales", "free", "A"), deal("X", "sales", "-0.00", on="2026-05-01"))
    assert api.events()[-1]["payload"]["amount"] == "0.00"


@pytest.mark.parametrize("when", ["2026-05-01T12:00:00.1234567Z", "2026-05-01T12:00:00.123456789+02:00"])
def test_a_time_finer_than_is_kept_is_refused(goods: Api, when: str) -> None:
    goods.refused(client(effective_at=when), 422, "invalid")
    for parameter in ("as_of", "known_at"):
        problem(goods.http.get("/v1/clients", params={parameter: when}), 422, "invalid")


def test_a_parameter_that_stands_twice_is_refused(goods: Api) -> None:
    answer = goods.http.post("/v1/commands?dry_run=true&dry_run=false", json=client())
    problem(answer, 422, "invalid")


@pytest.mark.parametrize("quantity", ["0", "-1", 0, "1234567890123456"])
def test_a_quantity_out_of_range_is_refused(goods: Api, quantity: object) -> None:
    goods.refused(received(quantity, on="2026-05-01"), 422, "invalid")


def test_more_places_than_the_currency_or_the_product_has_are_refused_not_rounded(api: Api) -> None:
    api.given(client(), product(scale=1), warehouse())
    assert api.refused(invoice("I1", "10.005", due="2026-06-10"), 422, "invalid")["places"] == 2
    assert api.refused(received("1.25", on="2026-05-01"), 422, "invalid")["places"] == 1
    yen = {**invoice("I2", "10.5", due="2026-06-10"), "currency": "JPY"}
    assert api.refused(yen, 422, "invalid")["places"] == 0
    api.given(invoice("I3", "10.500", due="2026-06-10"), received("1.50", on="2026-05-01"))


@pytest.mark.parametrize("id", ["a b", "", "x" * 65, "a/b", "a\n", "a\x00"])
def test_an_id_out_of_the_alphabet_is_refused(shared: Api, id: str) -> None:
    shared.refused(client(id), 422, "invalid")


@pytest.mark.parametrize("id", ["x" * 64, "Анна", "客户-1", "a.b_c:d-1"])
def test_ids_are_the_caller_s_own(shared: Api, id: str) -> None:
    shared.given(client(id))
    assert shared.ask(f"/v1/clients/{id}")["client"] == id


@pytest.mark.parametrize("when", ["2026-05-01", "2026-05-01T12:00:00", "1700-01-01T00:00:00Z", "soon"])
def test_a_time_without_its_offset_or_out_of_the_calendar_is_refused(shared: Api, when: str) -> None:
    shared.refused(client(effective_at=when), 422, "invalid")


def test_a_dry_run_decides_and_appends_nothing(api: Api) -> None:
    answer = api.send(client(command_id="k1"), dry_run="true")
    assert answer.status_code == 200
    assert answer.json()["position"] is None
    assert answer.json()["events"][0] | {"position": None} == {
        "position": None,
        "type": "client.registered",
        "stream": "client-C1",
        "version": 1,
        "effective_at": answer.json()["events"][0]["effective_at"],
    }
    assert api.log_size() == 0
    api.given(client(command_id="k1"))
    assert api.send(client(), dry_run="true").json()["code"] == "already_exists"


def test_a_dry_run_of_a_known_id_says_so(api: Api) -> None:
    first = api.send(client(command_id="k1"))
    again = api.send(client(command_id="k1"), dry_run="true")
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == first.json()
    problem(api.send(client("C2", command_id="k1"), dry_run="true"), 409, "command_id_reused")


def test_a_version_that_is_not_expected_is_a_conflict(api: Api) -> None:
    api.given(product(), warehouse(), received("1", on="2026-05-01", expected_version=0))
    facts = api.refused(received("1", on="2026-05-01", expected_version=0), 409, "conflict")
    assert (facts["version"], facts["expected_version"]) == (1, 0)
    api.given(received("1", on="2026-05-01", expected_version=1))


def test_reason_correlation_and_command_id_stay_with_the_event(api: Api) -> None:
    api.given(client(command_id="k1", reason="asked by phone", correlation_id="call-7"))
    metadata = api.events()[0]["metadata"]
    assert metadata == {"command_id": "k1", "reason": "asked by phone", "correlation_id": "call-7"}


def test_text_comes_back_as_it_was_given(api: Api) -> None:
    name = "\\N \\t «Ünïcödé» 'quoted' \"twice\" 客户 🧾 %s {x}"
    note = "tab\tline\nreturn\r\\ \x1f end"
    api.given(client(name=name, attributes={"note": note}))
    card = api.ask("/v1/clients/C1")
    assert (card["name"], card["attributes"]) == (name, {"note": note})


class TestABodyOverTheLimit:
    @pytest.fixture
    def small(self, serve: Callable[..., Api]) -> Api:
        return serve(max_body_bytes=2_000)

    def test_is_refused_by_its_announced_length(self, small: Api) -> None:
        answer = small.send(client(name="x" * 3_000))
        assert problem(answer, 413, "too_large")["limit"] == 2_000

    def test_is_refused_without_one(self, small: Api) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(30):
                yield b" " * 100

        answer = small.http.post("/v1/commands", content=chunks())
        problem(answer, 413, "too_large")

    def test_leaves_the_server_well(self, small: Api) -> None:
        small.send(client(name="x" * 3_000))
        small.given(client())
