"""How much memory tiny files take that unfold to large pictures: `python -m tests.decoding_memory [UPLOADS]` (Linux).

Each upload is a transparent PNG of 48 megapixels in 0.2 MB; 12 threads check them at once, as the page and the bots do.
"""

import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from bots.service.photo_check import check_photo

PROCESS = Path("/proc/self")


def memory(kind: str) -> int:
    """Of this process, in MB: VmRSS now, VmHWM at its peak."""
    found = re.search(kind + r":\s+(\d+) kB", (PROCESS / "status").read_text())
    assert found is not None
    return int(found[1]) // 1000


def main(uploads: int = 12) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (8000, 6000)).save(buffer, "PNG")
    (PROCESS / "clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(check_photo, uploads * [buffer.getvalue()]))
    print(f"{before} MB before, {memory('VmHWM')} MB at the peak, {memory('VmRSS')} MB after {uploads} uploads")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
