"""Settings: the only reader of the environment. Every name is ``ZEGA_...``; a ``.env`` beside app.py works too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from zega_core.errors import ConfigError, HomeError

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
ENV_FILE = Path(os.environ.get("ZEGA_ENV_FILE", ROOT / ".env"))

Score = Annotated[float, Field(ge=0, le=10)]


class Settings(BaseSettings):
    """Defaults are the thresholds that the pages name where they act."""

    model_config = SettingsConfigDict(
        env_prefix="ZEGA_", env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Annotated[Path, AfterValidator(lambda path: path.expanduser().resolve())] = ROOT / ".zega"
    database_url: SecretStr | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 8501

    keep_score: Score = 7.0
    story_score: Score = 8.0
    fine_tune_every: Annotated[int, Field(ge=1)] = 50
    conversation_pairs: Annotated[int, Field(ge=5)] = 20
    proof_prompts: Annotated[int, Field(ge=12, le=40)] = 36
    near_duplicate_share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Share of word 5-grams (of the shorter piece) above which a piece is a near duplicate."""

    runs_at_once: Annotated[int, Field(ge=1, le=64)] = 4
    """How many sessions one worker works on at the same time."""
    reconcile_every: Annotated[float, Field(gt=0)] = 60
    """Seconds between two checks for runs that nobody works on."""
    stale_after: Annotated[float, Field(gt=0)] = 60
    """Seconds without a heartbeat after which a run is taken over."""

    api_host: Annotated[str, Field(min_length=1, max_length=255)] = "127.0.0.1"
    """Where the REST API listens; on an address that others can reach it starts only when there are keys."""
    api_port: Annotated[int, Field(ge=1, le=65535)] = 8002
    api_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Requests a minute that one key, or this machine without one, may make."""

    def __hash__(self) -> int:
        return hash((self.home, self.database_url))

    @property
    def uses_postgresql(self) -> bool:
        return self.database_url is not None

    def prepare_home(self) -> Path:
        """Create ``ZEGA_HOME`` and prove that it can be written to; raises HomeError."""
        with self.home_errors():
            self.home.mkdir(parents=True, exist_ok=True)
            (self.home / "logs").mkdir(exist_ok=True)
            with TemporaryFile(dir=self.home) as probe:
                probe.write(b"ok")
        return self.home

    @contextmanager
    def home_errors(self) -> Iterator[None]:
        """Around work on files in ``ZEGA_HOME``: what the system refuses becomes a HomeError."""
        try:
            yield
        except TimeoutError:
            raise  # a lock that somebody holds is no trouble with the folder
        except OSError as error:
            raise HomeError(
                f"ZEGA cannot write to {error.filename or self.home} ({error.strerror or error}). "
                "Give yourself write access and free space there, or choose another folder with ZEGA_HOME."
            ) from error


class ServiceEnvironment(BaseSettings):
    """What the services' own tools read from the environment, or from the same ``.env``. Keys that the writer typed
    into ZEGA are in ``keys.py``."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True)

    ollama_host: str = "http://127.0.0.1:11434"
    groq_api_key: SecretStr | None = None
    groq_base_url: str = "https://api.groq.com"
    google_api_key: SecretStr | None = None
    gemini_api_key: SecretStr | None = None
    google_gemini_base_url: str = "https://generativelanguage.googleapis.com"
    huggingfacehub_api_token: SecretStr | None = None
    hf_token: SecretStr | None = None
    zega_hf_base_url: str = "https://router.huggingface.co/v1"
    zega_openai_base_url: str | None = None
    zega_openai_api_key: SecretStr | None = None


def service_environment() -> ServiceEnvironment:
    """Read anew at each call: it is asked once a run or page."""
    return ServiceEnvironment()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process; raises ConfigError naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "ZEGA_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(f"The setting {name} cannot be used: {first['msg']}. Correct or remove it.") from error
