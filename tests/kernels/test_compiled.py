"""Compiled kernels: what is compiled, what is said, and what is kept in the cache folder."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from adderlab.errors import OptionError
from adderlab.kernels import cache, simd
from adderlab.kernels import compiled as module
from adderlab.kernels.compiled import Source, compile_ahead, compiled, is_compiled
from adderlab.limits import Budget, CapReached, within

TEXT = '"""Twice."""\n\n\ndef double(x, y):\n    store(y, 0, load(x, 0) + load(x, 0))\n'
SIGNATURE = "void(float32[::1], float32[::1])"
MODULES = (simd,)
SOURCE = Source("double", "double", TEXT, SIGNATURE, MODULES)
X = np.arange(16, dtype=np.float32)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache folder for one test, and nothing compiled in this process."""
    monkeypatch.setenv("ADDERLAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_KNOWN", {})
    return tmp_path / "cache" / "kernels"


def doubled(text=TEXT):
    """Compile as a new process would; return what was reported."""
    reports = []
    module._KNOWN.clear()
    run = compiled(replace(SOURCE, text=text), reports.append)
    y = np.zeros(16, dtype=np.float32)
    run(X, y)
    assert (y == 2 * X).all()
    return reports


def test_the_first_time_is_said_and_the_second_is_from_the_cache(own_cache):
    assert not is_compiled(SOURCE)
    assert doubled() == [f"compiling double, once: it is kept in {own_cache}"]
    module._KNOWN.clear()
    assert is_compiled(SOURCE)
    assert doubled() == []
    (source,) = own_cache.glob("*.py")
    assert source.read_text(encoding="utf-8") == TEXT
    assert source.name.startswith("double_")
    files = [path for path in own_cache.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".py", ".kernel"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert len(doubled(text=TEXT.replace("Twice", "Two times"))) == 1


def test_a_function_is_compiled_once_in_a_process(own_cache):
    reports = []
    runs = [compiled(SOURCE, reports.append) for _ in range(3)]
    assert len(reports) == 1
    assert runs[0] is runs[1] is runs[2]


def test_what_a_source_file_says_is_never_run(own_cache):
    _ = doubled()
    (source,) = own_cache.glob("*.py")
    _ = source.write_text(TEXT.replace("+ load(x, 0)", "- load(x, 0)"), encoding="utf-8")
    assert doubled() == []


@pytest.fixture
def slow_compiler(monkeypatch):
    """Let the compiler wait for an event, which is returned with the kernels that it began."""
    may_end, begun = threading.Event(), []
    machine_code = module.native.machine_code

    def slow(function, signature):
        begun.append(function)
        assert may_end.wait(30)
        return machine_code(function, signature)

    monkeypatch.setattr(module.native, "machine_code", slow)
    yield may_end, begun
    may_end.set()


def test_a_limit_ends_the_wait_for_a_compiler_and_the_code_is_kept(own_cache, slow_compiler):
    may_end, begun = slow_compiler
    for _ in range(3):
        with within(Budget.of(0.2)), pytest.raises(CapReached, match="the time was up"):
            compiled(SOURCE, lambda report: None)
    assert len(begun) == 1
    may_end.set()
    run = compiled(SOURCE, lambda report: None)
    assert len(begun) == 1
    module._KNOWN.clear()
    assert is_compiled(SOURCE)
    assert compiled(SOURCE, pytest.fail) is not run


def test_a_compiler_that_fails_tells_everyone_and_is_asked_again(own_cache, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(module.native, "machine_code", lambda *_: 1 / 0)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                compiled(SOURCE, lambda report: None)
    assert doubled() == [f"compiling double, once: it is kept in {own_cache}"]


def test_what_is_compiled_ahead_is_compiled_once_and_in_the_background(own_cache, slow_compiler):
    may_end, begun = slow_compiler
    sources = [replace(SOURCE, text=TEXT.replace("Twice", word)) for word in ("One", "Two")]
    reports = []
    compile_ahead(sources, reports.append)
    assert reports == [f"compiling 2 kernels meanwhile, once: kept in {own_cache}"]
    may_end.set()
    for source in reversed(sources):
        compiled(source, lambda report: None)(X, np.zeros(16, dtype=np.float32))
    compile_ahead(sources, pytest.fail)
    assert len(begun) == 2


def test_nothing_is_compiled_ahead_that_could_not_be_kept(own_cache, monkeypatch, slow_compiler):
    monkeypatch.setattr(cache, "usable_folder", lambda: (None, "it is not there"))
    compile_ahead([SOURCE], pytest.fail)
    assert not slow_compiler[1]


def test_a_kernel_that_fails_ahead_fails_where_it_is_needed(own_cache, monkeypatch):
    monkeypatch.setattr(module.native, "machine_code", lambda *_: 1 / 0)
    compile_ahead([SOURCE], lambda report: None)
    with pytest.raises(ZeroDivisionError):
        compiled(SOURCE, lambda report: None)


INTERRUPTED = """
import sys, threading
from adderlab.__main__ import main
from adderlab.kernels import native
native.machine_code = lambda *_: threading.Event().wait(600)
sys.argv[1:] = "train parity:3 --data table --seeds 10000 --hidden 8 -o run".split()
sys.exit(main())
"""


def test_ctrl_c_ends_a_command_that_waits_for_a_compiler(own_cache, tmp_path):
    """Within the 60 seconds of the test, not the 600 of that compiler."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as command:
        lines = []
        while not any("compiling" in line for line in lines):
            lines.append(command.stderr.readline())
            assert lines[-1]
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=60)
    assert command.returncode == 130
    assert err.splitlines()[-1].startswith("adderlab: interrupted")
    assert "Traceback" not in err


@pytest.mark.parametrize("damage", ["empty", "other", "cut", "changed", "renamed"])
def test_a_damaged_cache_is_made_again(own_cache, damage):
    _ = doubled()
    (kernel,) = own_cache.glob("*.kernel")
    data = kernel.read_bytes()
    if damage == "renamed":
        _ = doubled(text=TEXT.replace("Twice", "Two times"))
        (other,) = {*own_cache.glob("*.kernel")} - {kernel}
        _ = other.replace(kernel)
    else:
        changed = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
        _ = kernel.write_bytes(
            {"empty": b"", "other": b"\x80\x04.", "cut": data[:-9], "changed": changed}[damage]
        )
    assert len(doubled()) == 1
    assert doubled() == []


@pytest.mark.parametrize("full", [cache.keep, cache.keep_text])
def test_a_full_disk_compiles_in_memory_and_says_so(own_cache, monkeypatch, full):
    def fail(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache, full.__name__, fail)
    first, second = doubled()
    assert first == f"compiling double, once: it is kept in {own_cache}"
    assert second == (
        "it can't be kept, and is compiled for this run alone: No space left on device"
    )
    assert len(doubled()) == 2


def test_a_write_that_fails_leaves_nothing(own_cache, monkeypatch):
    folder, _ = cache.usable_folder()
    monkeypatch.setattr(cache.Path, "replace", lambda self, target: (_ for _ in ()).throw(OSError))
    with pytest.raises(OSError):
        cache.keep(folder, "a", b"data")
    assert list(own_cache.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((X,), ValueError),
        ((X, X.astype(np.float64)), TypeError),
        ((X, np.zeros((16, 1), np.float32)), TypeError),
        ((X, np.zeros(32, np.float32)[::2]), TypeError),
        ((X, list(X)), TypeError),
    ],
)
def test_arguments_that_do_not_fit_the_signature_are_refused(own_cache, arguments, error):
    run = compiled(SOURCE, lambda report: None)
    with pytest.raises(error):
        run(*arguments)


def test_a_compiler_that_is_switched_off_is_named(own_cache, monkeypatch):
    monkeypatch.setattr(module.config, "DISABLE_JIT", 1)
    with pytest.raises(OptionError) as refused:
        _ = doubled()
    assert str(refused.value) == (
        "NUMBA_DISABLE_JIT: it switches the compiler of kernels off; "
        "unset this environment variable"
    )


def test_versions_our_own_sources_and_the_target_name_the_file(own_cache, monkeypatch):
    def key(**other):
        return replace(SOURCE, **other).stem

    keys = [key(), key(), key(text=TEXT + "\n"), key(function="x"), key(signature="void()")]
    keys.append(key(modules=(simd, cache)))
    target = module.compiled_for()
    for name in target:
        monkeypatch.setattr(module, "compiled_for", lambda name=name: {**target, name: "other"})
        keys.append(key())
    monkeypatch.setattr(module, "compiled_for", lambda: target)
    monkeypatch.setattr(module.numba, "__version__", "0")
    keys.append(key())
    assert keys[0] == keys[1]
    assert len(set(keys)) == len(keys) - 1


TARGETS = {
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "-fma",
    "NUMBA_ENABLE_AVX": "0",
    "NUMBA_OPT": "1",
    "NUMBA_LOOP_VECTORIZE": "0",
    "NUMBA_SLP_VECTORIZE": "1",
}


def test_another_process_finds_what_this_one_compiled_and_not_for_another_target(own_cache):
    """And Numba's own variable for a folder of pickles changes nothing."""
    _ = doubled()
    code = f"""
import os, sys
os.environ["NUMBA_CACHE_DIR"] = {str(own_cache.parent / "numba")!r}
from numba.core import config
from numba.core.registry import cpu_target
from adderlab.kernels import simd
from adderlab.kernels.compiled import Source, compiled, compiled_for
from adderlab.runs.populations.plan import this_machine
_ = compiled(Source("double", "double", {TEXT!r}, {SIGNATURE!r}, (simd,)), print)
assert compiled_for().items() <= this_machine().items()
seen = [compiled_for()]
for name, value in {TARGETS!r}.items():
    os.environ[name] = value
    config.reload_config()
    vars(cpu_target).pop("_toplevel_target_context", None)
    compiled_for.cache_clear()
    seen.append(compiled_for())
    del os.environ[name]
for index, target in enumerate(seen):
    assert target not in seen[:index], (index, target)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (own_cache.parent / "numba").exists()
