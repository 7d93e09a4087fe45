"""The key that signs the cookies of the web page: SECRET_KEY, or when embedded one that is made once and kept."""

import os
import secrets
from pathlib import Path

from settings import Settings, WrongSetting


def secret_key(settings: Settings) -> str:
    """Raises WrongSetting when several processes share the work and SECRET_KEY is missing: each would make its own."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    if not settings.embedded:
        raise WrongSetting(
            "SECRET_KEY is not set; it should be a long random text, the same for all web processes: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return _kept(settings.data_dir / "secret_key")


def _kept(path: Path) -> str:
    """The file's content; whoever comes first writes it, whole, readable by nobody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)  # fails where another process was quicker: its key is taken
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
