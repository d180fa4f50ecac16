"""What the operator decides: where things lie, which address, which database. A person's wish is a column instead."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from WATERHOLE_* variables and a .env file; the defaults make a laptop work."""

    model_config = SettingsConfigDict(env_prefix="WATERHOLE_", env_file=".env", extra="ignore")

    home: Path = Field(Path("var"), description="Folder of the embedded database and of all files.")
    database_url: SecretStr | None = Field(None, description="postgresql://...; empty means SQLite under home.")
    host: str = "127.0.0.1"
    port: int = 8000
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    proxy_addresses: str = Field(
        "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
        description="Whose X-Forwarded headers are believed with --behind-proxy; any other sender's are ignored.",
    )
    allowed_hosts: str = Field("", description="Host names (',' between them) that people use; empty: see hosts.")
    import_roots: str = Field("", description="Folders (':' between them) a project admin may import from.")
    free_space_floor_mb: int = Field(500, description="Uploads and imports stop below this, so that labels still fit.")
    deleted_kept_days: float = Field(
        7, ge=0, description="What is deleted can be brought back for so many days; then its files go."
    )
    max_photo_mb: int = Field(200, description="A single file larger than this is refused at upload.")
    decoder_processes: int = Field(
        0, ge=0, description="Child processes that open photos; 0: as many as suit the machine."
    )
    vectors_float16: bool = Field(
        False,
        description="The worker packs a project's vectors as float16: half the memory; their own files stay float32.",
    )
    worker_name: str = Field("worker-1", description="Stable per worker; a restarted worker takes its jobs up again.")
    log_format: str = Field("text", description="text or json")

    @property
    def url(self) -> str:
        """The SQLAlchemy address of the database."""
        if self.database_url is None or not self.database_url.get_secret_value():
            return f"sqlite:///{self.home.resolve() / 'waterhole.sqlite'}"
        url = self.database_url.get_secret_value()
        for short in ("postgres://", "postgresql://"):
            if url.startswith(short):
                return "postgresql+psycopg://" + url[len(short) :]
        return url

    @property
    def store(self) -> Path:
        """The folder of photos, previews, crops, vectors and checkpoints."""
        return self.home.resolve() / "store"

    @property
    def weights(self) -> Path:
        """The folder of weights that projects may choose beside the shipped ones; `fetch-weights` puts them there."""
        return self.home.resolve() / "weights"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach this server over https."""
        return self.behind_proxy or self.tls_cert is not None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in ("127.0.0.1", "localhost", "::1")

    @property
    def hosts(self) -> list[str]:
        """Host headers that are answered. On loopback only its own names, against pages that rebind theirs to 127.0.0.1."""
        if self.allowed_hosts:
            named = [name.strip() for name in self.allowed_hosts.split(",") if name.strip()]
            return [*named, "127.0.0.1"]  # a health check asks by number; no page can rebind a number
        return ["127.0.0.1", "localhost", "[::1]"] if self.is_loopback and not self.behind_proxy else ["*"]
