"""ONNX models as tests write and change them."""

from __future__ import annotations

from pathlib import Path

from exports import subject_of


def written(net, folder, task=None, **about):
    """Return the path of a network's model, and what was written."""
    from adderlab.exporting.onnx import write_onnx

    subject = subject_of(net, task, **about)
    path = Path(folder) / "net.onnx"
    content = write_onnx(subject)[""]
    assert write_onnx(subject)[""] == content
    _ = path.write_bytes(content)
    return path, subject


def initializer(model, name):
    (each,) = (each for each in model.graph.initializer if each.name == name)
    return each


def set_numbers(model, name, change):
    from onnx import numpy_helper

    own = initializer(model, name)
    array = change(numpy_helper.to_array(own).copy())
    own.CopyFrom(numpy_helper.from_array(array, name))
