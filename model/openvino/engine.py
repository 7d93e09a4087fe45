"""The OpenVINO engine: encoder and decoder on a CPU, without PyTorch.

The graphs are built by hand from the safetensors that PyTorch trained, so that one set of weights serves both engines
and serving needs no PyTorch. The alternative is openvino.convert_model on the PyTorch modules when a model is bundled.
It was measured with the bundled model on one busy core (OpenVINO 2026.4, batches of 16, 3 beams, best of several runs):

                            by hand           converted
    encoder, float32        6.7 photos/s      6.5 photos/s
    encoder, int8           66 photos/s       49 photos/s, from a quantised copy of the PyTorch encoder (70 lines more)
    step, 16 photos         2.4 ms (int8)     7.2 ms (float32; by hand in float32 4.5 ms)
    step, 1 photo           0.8 ms (int8)     1.7 ms (float32; by hand in float32 1.3 ms)
    files                   none              42 to 60 MB beside the 60 MB of weights that PyTorch still needs

So it would replace 450 lines with about 150, but serving would be slower and the model folder nearly twice as large.
"""

import logging
import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from model.engine import cores, cpu_lanes, cpu_streams
from model.errors import DamagedModel, one_line
from model.model_folder import StoredModel
from model.openvino.decoders import DECODERS, Decoder
from model.openvino.encoders import encoder, encoder_graph
from model.openvino.layers import Graph
from model.openvino.quantization import Quantization
from model.openvino.runtime import compile_graph, openvino, opset

log = logging.getLogger(__name__)

Arrays = dict[str, np.ndarray]

# Photos that are encoded at once; more are not faster. A search runs on the whole batch, because each of its steps
# takes a quarter of a millisecond even for few photos.
ENCODER_BATCH = 16


class OpenVinoEngine:
    """An engine.Engine. Its methods may be called from any thread; `streams` calls run at the same time, others wait.

    Two batches with one core each give 1.3 times the photos per second of one batch on two cores, which wait for each
    other after every layer; a lone photo takes the same time either way.
    """

    precision: Literal["int8", "f32"]  # that runs

    def __init__(
        self,
        stored: StoredModel,
        *,
        precision: Literal["auto", "int8", "f32"] = "auto",
        streams: int | None = None,
    ):
        """Build and compile the graphs.

        Args:
            stored: a model folder in memory.
            precision: auto is int8 if the model folder has a quantization.json, else f32, which is four times slower.
            streams: calls of each method that run at the same time; see engine.cpu_streams.

        Raises:
            DamagedModel: weights are missing or do not fit config.json, or quantization.json is missing for int8.
        """
        if stored.encoder is None:
            raise DamagedModel("the model folder has no encoder.safetensors, so it cannot encode photos")
        quantization = _quantization(stored, precision)
        ranges = quantization.ranges if quantization else None
        self.precision = "int8" if quantization else "f32"
        streams = streams or cpu_streams()
        self.lanes = cpu_lanes()
        try:
            decoder = DECODERS[stored.config.decoder](Graph(stored.decoder, ranges), stored.config)
            self._state = decoder.state()
            photos, memory = _encode_graph(stored, decoder, quantization)
            self._encode = _Compiled([photos], memory, streams)
            self._step = _Compiled(*_step_graph(decoder, memory, self._state), streams, short=True)
        except (RuntimeError, ValueError, IndexError) as error:  # of OpenVINO and NumPy: shapes that do not fit
            raise DamagedModel(f"the weights do not fit config.json ({one_line(error)})") from None
        if (words := stored.decoder["words.weight"].shape[0]) != stored.config.vocabulary_size:
            raise DamagedModel(f"the weights do not fit config.json: they have {words} words")

    def encode(self, photos: np.ndarray) -> tuple[Arrays, Arrays]:
        """Photos uint8 (B, H, W, 3) -> memory and state, see engine.Engine. The arrays belong to the caller."""
        memory: Arrays = {}
        for start in range(0, len(photos), ENCODER_BATCH):
            part = slice(start, start + ENCODER_BATCH)
            with self._encode.run({"photos": np.ascontiguousarray(photos[part])}) as outputs:
                for name, values in outputs.items():
                    if name not in memory:
                        memory[name] = np.empty((len(photos), *values.shape[1:]), values.dtype)
                    memory[name][part] = values
        return memory, {name: np.repeat(value, len(photos), 0) for name, value in self._state.items()}

    def step(self, tokens: np.ndarray, memory: Arrays, state: Arrays) -> tuple[np.ndarray, Arrays, np.ndarray | None]:
        """Tokens int64 (B, K) -> log-probabilities (B, K, V), next state, attention (B, K, R) or None."""
        before = {f"state.{name}": value for name, value in state.items()}
        with self._step.run({"tokens": tokens} | memory | before) as views:
            outputs = {name: values.copy() for name, values in views.items()}
        new = {name: outputs[f"state.{name}"] for name in state}
        return outputs["log_probs"], new, outputs.get("attention")


class _Compiled:
    """A compiled graph with named inputs and outputs. `streams` threads may run it at the same time, others wait."""

    def __init__(self, inputs: list[Any], outputs: Mapping[str, Any], streams: int, *, short: bool = False):
        """short: the graph takes about a millisecond, so that it should run in the thread that calls it.

        To wake up a thread of OpenVINO for it, maybe on another core, takes a tenth longer. But a graph that runs in
        its caller's thread runs once at a time, so there is a compiled graph for each stream.
        """
        model = openvino.Model([opset.result(node) for node in outputs.values()], inputs, "captionbot")
        self._inputs = [parameter.get_friendly_name() for parameter in inputs]
        self._outputs = list(outputs)
        if short:
            threads = max(1, cores() // streams)
            graphs = [compile_graph(model, streams=0, threads=threads) for _ in range(streams)]
        else:
            graphs = [compile_graph(model, streams=streams)] * streams
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()  # last in, first out: what has just run is in the cache
        for graph in graphs:
            self._free.put(graph.create_infer_request())

    @contextmanager
    def run(self, arrays: Arrays) -> Iterator[Arrays]:
        """Run the graph. The context gives the outputs by name; copy them before it ends, then they are overwritten.

        OpenVINO's own call with arrays takes a tenth of a millisecond longer, and a search makes one for each word.
        """
        request = self._free.get()
        try:
            for number, name in enumerate(self._inputs):  # shared: not copied
                request.set_input_tensor(number, openvino.Tensor(arrays[name], shared_memory=True))
            request.start_async()
            request.wait()
            yield {name: request.get_output_tensor(number).data for number, name in enumerate(self._outputs)}
        finally:
            self._free.put(request)


def _quantization(stored: StoredModel, precision: str) -> Quantization | None:
    """What int8 needs, or None for float32."""
    if precision == "f32":
        return None
    if stored.quantization is not None:
        return Quantization.from_json(stored.quantization, stored.encoder or {})
    if precision == "int8":
        raise DamagedModel(
            "the model folder has no quantization.json, so int8 is not available; run captionbot quantize"
        )
    log.warning("model %s has no quantization.json: it runs in float32, several times slower", stored.version)
    return None


def _encode_graph(stored: StoredModel, decoder: Decoder, quantization: Quantization | None) -> Any:
    """The graph from pixels to the decoder's memory: input, outputs."""
    graph = encoder_graph(stored.encoder or {}, quantization)
    photos, pixels = graph.photos(stored.config.photo_size)
    return photos, decoder.start(encoder(graph, stored.config.encoder, pixels))


def _step_graph(decoder: Decoder, memory: Mapping[str, Any], before: Arrays) -> tuple[list[Any], dict[str, Any]]:
    """The graph from a word to the log-probabilities of the next one: inputs, outputs."""
    tokens = opset.parameter([-1, -1], np.int64, name="tokens")
    from_encoder = {
        name: opset.parameter(node.partial_shape, node.element_type, name=name) for name, node in memory.items()
    }
    state = {
        name: opset.parameter([-1, -1, *(size or -1 for size in value.shape[2:])], value.dtype, name=f"state.{name}")
        for name, value in before.items()
    }
    readout, new, attention = decoder.step(tokens.output(0), _outputs(from_encoder), _outputs(state))
    outputs = {"log_probs": decoder.log_probs(readout)} | {f"state.{name}": node for name, node in new.items()}
    if attention is not None:
        outputs["attention"] = attention
    return [tokens, *from_encoder.values(), *state.values()], outputs


def _outputs(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameter.output(0) for name, parameter in parameters.items()}
