"""The OpenVINO engine: captions on a CPU, without PyTorch."""
