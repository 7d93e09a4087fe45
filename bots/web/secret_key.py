"""The key that signs session cookies: SECRET_KEY, or with `captionbot up` one that is generated once and stored."""

import os
import secrets
from pathlib import Path

from db.private_files import make_private_folder
from settings import Settings, WrongSetting
from settings.messages import sentence


def secret_key(settings: Settings) -> str:
    """The key, which all web processes must share.

    Raises:
        WrongSetting: SECRET_KEY is missing although there may be several web processes; each would generate its own.
            Or DATA_DIR cannot be written.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    if not settings.embedded:
        raise WrongSetting(
            "SECRET_KEY is not set; it should be a long random text, the same for all web processes: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    try:
        return _stored_key(settings.data_dir / "secret_key")
    except OSError as error:
        reason = f"a folder that can be written ({error.strerror})"
        raise WrongSetting(sentence("DATA_DIR", str(settings.data_dir), reason)) from None


def _stored_key(path: Path) -> str:
    """The content of the file. The first process generates it, complete and readable by its owner alone."""
    make_private_folder(path.parent)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)  # fails if another process was faster; then that one's key is used
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
