"""Old months are put away and had back, from the command line; meanwhile what needs them is refused over HTTP."""

import pytest

from tests.e2e.cli import Cli
from tests.e2e.given import product, received, warehouse


@pytest.fixture
def traded(cli: Cli) -> Cli:
    with cli.served() as api:
        api.given(product(), warehouse(), received("3", on="2026-01-10"), received("4", on="2026-02-10"))
        assert api.rows("/v1/stock/balances")[0]["on_hand"] == "7"
    return cli


def states(cli: Cli) -> dict[str, str]:
    return {each["month"]: each["state"] for each in cli.json("months", "list", "stock")["items"]}


def test_a_month_is_put_away_and_had_back(traded: Cli) -> None:
    assert states(traded) == {"2026-01": "attached", "2026-02": "attached"}
    assert "stock 2026-01 is detached." in traded("months", "detach", "stock", "2026-01").stderr
    assert "detached" in traded("months", "list").stdout
    with traded.served() as api:
        assert api.rows("/v1/stock/balances?as_of=2026-01-31")[0]["on_hand"] == "3"
        answer = api.http.get("/v1/stock/balances", params={"as_of": "2026-01-20"})
        assert answer.status_code == 422
        facts = {name: answer.json()[name] for name in ("code", "register", "month")}
        assert facts == {"code": "detached", "register": "stock", "month": "2026-01"}
    told = traded("diff", "--known-at", "0", "--known-at", "99", "stock", status=1).stderr
    assert "The month 2026-01 of the register stock is detached." in told
    assert traded.json("check", "stock")["violations"] == []
    attached = traded.json("months", "attach", "stock", "2026-01")
    assert attached == {"register": "stock", "month": "2026-01", "state": "attached"}
    assert set(states(traded).values()) == {"attached"}


def test_a_rebuild_has_all_months(traded: Cli) -> None:
    traded("months", "detach", "stock", "2026-01")
    assert traded.json("rebuild", "stock")["differences"] == {}
    assert set(states(traded).values()) == {"attached"}
    traded("generations", "drop")


@pytest.mark.parametrize("action", ["detach", "attach"])
@pytest.mark.parametrize(
    ("register", "month", "status", "told"),
    [
        ("stok", "2026-01", 2, "no register stok; there are payments"),
        ("stock", "2026-13", 2, "2026-13 is not a month"),
        ("stock", "2026-1", 2, "2026-1 is not a month"),
        ("stock", "January", 2, "January is not a month"),
        ("stock", "2020-01", 1, "The register stock has no month 2020-01."),
    ],
)
def test_what_there_is_not_is_told(traded: Cli, action: str, register: str, month: str, status: int, told: str) -> None:
    assert told in " ".join(traded("months", action, register, month, status=status).stderr.replace("│", "").split())
    assert set(states(traded).values()) == {"attached"}


def test_a_new_ledger_has_no_months(cli: Cli) -> None:
    cli.make()
    assert cli.json("months", "list")["items"] == []
    assert "no month 2026-01" in cli("months", "detach", "stock", "2026-01", status=1).stderr
