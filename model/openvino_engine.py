"""The network on a CPU, through OpenVINO and without PyTorch: the graph is built here from the stored weights."""

import logging
import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from model.checkpoint import StoredModel
from model.engine import cores, cpu_lanes, cpu_streams
from model.errors import DamagedModel
from model.openvino_decoders import DECODERS, Decoder
from model.openvino_encoders import encoder
from model.openvino_graph import Graph
from model.openvino_runtime import compile_graph, openvino, opset
from model.quantization import Quantization

log = logging.getLogger(__name__)

Arrays = dict[str, np.ndarray]

# Photos that the encoder looks at together: more make it no faster. A search gains from all it gets, because its steps
# cost a quarter of a millisecond however few there are.
ENCODED = 16


class OpenVinoEngine:
    """See engine.py for the two calls. They may come from any thread; so many run at the same time, others wait.

    A batch on one core of two gives 1.3 times the photos a second of one that keeps both cores waiting for each other
    after every layer; a lone photo takes as long either way.
    """

    precision: Literal["int8", "f32"]  # what runs

    def __init__(
        self,
        stored: StoredModel,
        *,
        precision: Literal["auto", "int8", "f32"] = "auto",
        streams: int | None = None,
    ):
        """auto: int8 if the model folder says how to quantise its encoder, else float32, four times slower.

        Raises DamagedModel when weights are missing, or int8 is asked for and cannot be had.
        streams: of each of the two calls, how many run at the same time; see engine.cpu_streams.
        """
        if stored.encoder is None:
            raise DamagedModel("the model folder has no encoder.safetensors, so it cannot look at photos")
        ranges = _ranges(stored, precision)
        self.precision = "f32" if ranges is None else "int8"
        decoder = DECODERS[stored.config.decoder](Graph(stored.decoder, ranges), stored.config)
        self._state = decoder.state()
        photos, memory = _encode_graph(stored, decoder, ranges)
        streams = streams or cpu_streams()
        self.lanes = cpu_lanes()
        self._encode = _Compiled([photos], memory, streams)
        self._step = _Compiled(*_step_graph(decoder, memory, self._state), streams, short=True)

    def encode(self, photos: np.ndarray) -> tuple[Arrays, Arrays]:
        """Pixels to what the decoder looks at, and the state before the first word. Every array is the caller's own."""
        memory: Arrays = {}
        for start in range(0, len(photos), ENCODED):
            part = slice(start, start + ENCODED)
            with self._encode.run({"photos": np.ascontiguousarray(photos[part])}) as outputs:
                for name, values in outputs.items():
                    if name not in memory:
                        memory[name] = np.empty((len(photos), *values.shape[1:]), values.dtype)
                    memory[name][part] = values
        return memory, {name: np.repeat(value, len(photos), 0) for name, value in self._state.items()}

    def step(self, tokens: np.ndarray, memory: Arrays, state: Arrays) -> tuple[np.ndarray, Arrays, np.ndarray | None]:
        """One word further, for each beam of each photo."""
        before = {f"state.{name}": value for name, value in state.items()}
        with self._step.run({"tokens": tokens} | memory | before) as views:
            outputs = {name: values.copy() for name, values in views.items()}
        new = {name: outputs[f"state.{name}"] for name in state}
        return outputs["log_probs"], new, outputs.get("attention")


class _Compiled:
    """A graph with named inputs and outputs, ready to run for so many threads at once; others wait."""

    def __init__(self, inputs: list[Any], outputs: Mapping[str, Any], streams: int, *, short: bool = False):
        """short: it runs for a millisecond or so, in the thread that calls it.

        To wake a thread of OpenVINO's for that, maybe on another core, takes a tenth more. But what runs in its caller
        runs one by one, so that there is a graph for each.
        """
        model = openvino.Model([opset.result(node) for node in outputs.values()], inputs, "captionbot")
        self._inputs = [parameter.get_friendly_name() for parameter in inputs]
        self._outputs = list(outputs)
        if short:
            threads = max(1, cores() // streams)
            graphs = [compile_graph(model, streams=0, threads=threads) for _ in range(streams)]
        else:
            graphs = [compile_graph(model, streams=streams)] * streams
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()  # what has just run is in the cache
        for graph in graphs:
            self._free.put(graph.create_infer_request())

    @contextmanager
    def run(self, arrays: Arrays) -> Iterator[Arrays]:
        """The outputs by name, to be copied before the context ends: then another call may overwrite them.

        OpenVINO's own call with arrays takes a tenth of a millisecond more, and a search makes one for each word.
        """
        request = self._free.get()
        try:
            for number, name in enumerate(self._inputs):  # shared: they are read where they are
                request.set_input_tensor(number, openvino.Tensor(arrays[name], shared_memory=True))
            request.start_async()
            request.wait()
            yield {name: request.get_output_tensor(number).data for number, name in enumerate(self._outputs)}
        finally:
            self._free.put(request)


def _ranges(stored: StoredModel, precision: str) -> Mapping[str, tuple[float, float]] | None:
    """Ranges for int8, or None for float32."""
    if precision == "f32":
        return None
    if stored.quantization is not None:
        return Quantization.from_json(stored.quantization, stored.encoder or {}).ranges
    if precision == "int8":
        raise DamagedModel(
            "the model folder has no quantization.json, so int8 is not to be had; run captionbot quantize"
        )
    log.warning("model %s has no quantization.json: it runs in float32, several times slower", stored.version)
    return None


def _encode_graph(stored: StoredModel, decoder: Decoder, ranges: Mapping[str, tuple[float, float]] | None) -> Any:
    """From pixels to the decoder's memory, in one graph: input, outputs."""
    graph = Graph(stored.encoder or {}, ranges)
    photos, pixels = graph.photos(stored.config.photo_size)
    return photos, decoder.start(encoder(graph, stored.config.encoder, pixels))


def _step_graph(decoder: Decoder, memory: Mapping[str, Any], before: Arrays) -> tuple[list[Any], dict[str, Any]]:
    """From a word to the log-probabilities of the next: inputs, outputs."""
    tokens = opset.parameter([-1, -1], np.int64, name="tokens")
    seen = {name: opset.parameter(node.partial_shape, node.element_type, name=name) for name, node in memory.items()}
    state = {
        name: opset.parameter([-1, -1, *(size or -1 for size in value.shape[2:])], value.dtype, name=f"state.{name}")
        for name, value in before.items()
    }
    readout, new, attention = decoder.step(tokens.output(0), _outputs(seen), _outputs(state))
    outputs = {"log_probs": decoder.log_probs(readout)} | {f"state.{name}": node for name, node in new.items()}
    if attention is not None:
        outputs["attention"] = attention
    return [tokens, *seen.values(), *state.values()], outputs


def _outputs(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameter.output(0) for name, parameter in parameters.items()}
