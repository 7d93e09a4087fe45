"""Import OpenVINO with its telemetry off. No other module imports it directly.

`import openvino` reports to Google Analytics and leaves files in ~/intel, unless openvino_telemetry cannot be imported:
then OpenVINO uses a stub of its own that does nothing. So this module makes that import fail, in this process only,
whatever is installed.
"""

import sys
from typing import Any, Literal

from model.engine import cores

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402
from openvino import opset15 as opset  # noqa: E402

__all__ = ["compile_graph", "openvino", "opset"]

# Where only the weights are quantised, OpenVINO rounds activations at run time; this many in a row share one scale.
GROUP = 128


def compile_graph(
    model: openvino.Model, *, streams: int = 1, threads: int | None = None, precision: Literal["f32", "bf16"] = "f32"
) -> openvino.CompiledModel:
    """Compile a graph for this machine's CPU.

    Args:
        model: the graph.
        streams: requests that may run at the same time; they share the threads. 0: one request, which runs in the
            thread that calls.
        threads: one per core by default.
        precision: of what is not quantised.
    """
    options: dict[str, Any] = {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": threads or max(cores(), streams),
        "ENABLE_CPU_PINNING": False,  # several graphs, and several processes, would be pinned to the same core
        "INFERENCE_PRECISION_HINT": precision,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP,
    }
    return openvino.Core().compile_model(model, "CPU", options)
