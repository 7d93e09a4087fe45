"""A real Prometheus that scrapes one address, where it is installed."""

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import PATIENCE, until

CONFIG = """
global: {scrape_interval: 1s}
scrape_configs: [{job_name: captionbot, static_configs: [{targets: ["%s"]}]}]
"""


class PrometheusServer:
    def __init__(self, folder: Path, target: str):
        """target: HOST:PORT whose /metrics it scrapes."""
        if not shutil.which("prometheus"):
            pytest.skip("Prometheus is not installed")
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        config = folder / "prometheus.yml"
        config.write_text(CONFIG % target)
        options = [f"--config.file={config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(["prometheus", *options], stdout=log, stderr=log)
        self._client = httpx.Client(base_url=f"http://{address}", timeout=PATIENCE)
        until(self._is_ready, why=(folder / "log").read_text)

    def _is_ready(self) -> bool:
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of a query now."""
        answer = self._client.get("/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def stop(self) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait()
