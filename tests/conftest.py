"""What all test files share: fixtures, which are registered here, and what happens where something is not installed."""

import functools
import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.shapes import draw, write_shapes

# Before NumPy and PyTorch are imported. Networks in tests are small: threads would mostly wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A shell lets its background jobs ignore SIGINT, and processes that are started here would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Each client of HTTP reads the certificates that it trusts, many milliseconds long. Nothing here is fetched by HTTPS.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("support") / "nobody.pem")

# Where fixtures are: test files use them by name and import none. A module stands below those that it imports.
pytest_plugins = [
    "tests.support.database",  # sqlite_file, postgresql_url, database_url, engine, sessions, session, store
    "tests.support.mounted_store",  # disk
    "tests.support.redis_server",  # redis_server, job_queue
    "tests.support.postgresql_server",  # postgresql_files, postgresql_server
    "tests.support.processes",  # bundled, embedded, distributed
    "tests.support.pgbouncer",  # pgbouncer
    "tests.support.failover",  # pair
    "tests.support.learning_parts",  # plain_data, features, plain_model, recorded_feedback, finetuned_run
    "tests.support.distillation_parts",  # sources
    "tests.support.service_parts",  # queued, notifier, new_service, service, worker, anns, in_chat
    "tests.support.worker_parts",  # tiny_model
    "tests.support.pipeline_bench",  # captioner, bench
    "tests.support.telegram_world",  # telegram, new_telegram_world, telegram_world
    "tests.support.telegram_client",  # bot
    "tests.support.discord_world",  # discord, discord_world, discord_settings, message_content_intent, photo
    "tests.support.chat_people",  # ada, bob
    "tests.support.web_client",  # web_settings, new_client, client
    "tests.support.web_site",  # site, ann, ben
    "tests.support.browser",  # browser, open_page, page, card
]

ROOT = Path(__file__).resolve().parent.parent
OPTIONAL = {"matplotlib", "openvino", "pycocoevalcap", "tensorboard", "torch", "torchvision", "tqdm"}  # by extras


class TestFile(pytest.Module):
    """A test file. It is skipped, and the summary says why, where something that it imports comes with an extra."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        try:
            return super().collect()
        except self.CollectError as error:
            cause = error.__cause__
            if isinstance(cause, ModuleNotFoundError) and str(cause.name).partition(".")[0] in OPTIONAL:
                pytest.skip(f"{cause.name} is not installed", allow_module_level=True)
            raise


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    return TestFile.from_parent(parent, path=module_path)


NEEDS = {  # fixture -> the marks of tests that use it, directly or through others
    "browser": ("browser",),
    "distributed": ("slow",),
    "embedded": ("slow",),
    "pair": ("postgres",),
    "pgbouncer": ("postgres",),
    "plain_model": ("slow", "torch"),
    "postgresql_server": ("postgres",),
    "postgresql_url": ("postgres",),
    "redis_server": ("redis",),
    "site": ("slow",),
    "tiny_model": ("torch",),
}
PARAMETER_NEEDS = {"postgresql": ("postgres",), "distributed": ("postgres", "redis")}  # of database_url, of site
SLOW_SECONDS = 900
# They wait for leases and outages for long. Begun first, they do so while others use the processor.
WAITING = ("test_worker.py", "test_faults.py", "test_outage_log.py", "test_up.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Of `-n auto`: two more than there are cores, for many tests wait for a server or for a timer."""
    return (os.cpu_count() or 1) + 2


@functools.cache
def uses_torch(module: ModuleType) -> bool:
    """It imports PyTorch, or something from a module that does."""
    sources = {
        getattr(value, "__module__", None) or getattr(value, "__name__", None) for value in vars(module).values()
    }
    return "torch" in vars(module) or any("torch" in vars(sys.modules[name]) for name in sources if name in sys.modules)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they use, so that `-m "not slow and not postgres"` leaves out what it says."""
    for item in items:
        assert isinstance(item, pytest.Function)
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        marks = {mark for name in item.fixturenames for mark in NEEDS.get(name, ())}
        marks |= {mark for value in parameters if isinstance(value, str) for mark in PARAMETER_NEEDS.get(value, ())}
        if uses_torch(item.module):
            marks.add("torch")
        for mark in sorted(marks):
            item.add_marker(mark)
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS))
    items.sort(key=lambda item: item.path.name not in WAITING)


def pytest_collection_finish() -> None:
    """What was imported stays, so that garbage is collected in no time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def nothing_left_open() -> Iterator[None]:
    """What a file leaves open is an error in it: at its end garbage is collected, and not sometime in another file."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def flickr8k() -> Path:
    """The folder with Flickr8k; the test is skipped where it is not."""
    folder = Path(os.environ.get("CAPTIONBOT_TEST_DATA") or ROOT / "../shared/data/flickr8k").resolve()
    if not (folder / "Flickr8k.token.txt").is_file():
        pytest.skip(f"Flickr8k is not in {folder}; set CAPTIONBOT_TEST_DATA to the folder that has it")
    return folder


@pytest.fixture(scope="session")
def photo_bytes() -> Callable[..., bytes]:
    """photo_bytes("PNG", shape="square", colour="blue", size=(40, 30)): a small photo, encoded in memory."""

    def encode(format: str = "JPEG", **drawing: object) -> bytes:
        buffer = io.BytesIO()
        draw(**drawing).save(buffer, format)  # type: ignore[arg-type]
        return buffer.getvalue()

    return encode


@pytest.fixture
def tiny_dataset(tmp_path: Path) -> Path:
    """A custom data set of eight coloured shapes, two captions each: six to train, two to validate."""
    return write_shapes(tmp_path / "shapes")


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, one for all tests: not to be changed."""
    return write_shapes(tmp_path_factory.mktemp("data") / "shapes")
