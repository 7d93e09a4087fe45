"""The service that all front-ends use. Its calls are synchronous; async callers use `asyncio.to_thread`.

Each call is one transaction. A person is identified by a key such as "web:SESSION", "telegram:USER" or "discord:USER",
a caption by its public id, which is short enough for a button. Mistakes of people raise a UserError, whose text can be
shown to them.

A caption belongs to the sender of its photo. Other people may vote on it, correct it or ask for another one only in the
chat that shows it: there the front-end passes the key of the `chat`. The web page has no chats. For everybody else the
caption does not exist (NotFound).
"""

from bots.service.admin import Admin
from bots.service.api_keys import ApiKeys
from bots.service.base import Backend
from bots.service.captions import Captions
from bots.service.deliver import Deliveries
from bots.service.devices import Devices
from bots.service.feedback import Feedback
from bots.service.maintenance import Maintenance
from bots.service.people import Chats, People
from bots.service.submit import Submissions
from db.engine import close


class CaptionService:
    """All calls, grouped by concern. `notifier` notifies front-ends of finished captions."""

    def __init__(self, backend: Backend):
        self.submissions = Submissions(backend)
        self.captions = Captions(backend)
        self.deliveries = Deliveries(backend)
        self.feedback = Feedback(backend)
        self.people = People(backend)
        self.chats = Chats(backend)
        self.devices = Devices(backend)
        self.admin = Admin(backend)
        self.api_keys = ApiKeys(backend)
        self.backend, self.notifier = backend, backend.notifier

    def maintenance(self) -> Maintenance:
        """A new thread for periodic tasks. At least one process must start it."""
        return Maintenance(self.backend)

    def close(self) -> None:
        """Close the connections to the database. The service must not be used any more."""
        close(self.backend.engine)
