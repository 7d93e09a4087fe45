"""Settings from the environment or `.env`. Nothing else reads them; .env.example explains each one.

Read where a process starts: `settings = read_settings()`. Relative paths are relative to the
project root, not to the working directory.
"""

from settings.settings import Settings, read_settings
from settings.values import ROOT, WrongSetting

__all__ = ["ROOT", "Settings", "WrongSetting", "read_settings"]
