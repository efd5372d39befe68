"""Training one network: the notebook's numbers, digit for digit, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn, optim
from training.notebook import run_notebook

from adderlab.errors import OptionError, ResourceError
from adderlab.nets import Readout, load, outputs, save, to_bytes
from adderlab.nets.modules import AdderNN
from adderlab.tasks import read_table, sample, task_named
from adderlab.training import Settings, loop
from adderlab.training.loop import dead_units, train_network

HALF_ADDER = task_named("half-adder")
EPS = 2.0**-23
OUTPUT_ERROR = 16 * EPS
"""What PyTorch's outputs may be off by: sums of at most ten terms below 2 on two layers."""


def arrays(network) -> list[np.ndarray]:
    """Return fc1.weight, fc1.bias, fc2.weight, fc2.bias as they are stored."""
    return [tensor.numbers for _, tensor in network.tensors()]


def assert_bit_equal(network, parameters) -> None:
    for ours, theirs in zip(arrays(network), parameters, strict=True):
        assert ours.dtype == np.float32
        assert ours.tobytes() == theirs.detach().numpy().tobytes()


def drawn_start(settings: Settings, activation: nn.Module, task=HALF_ADDER):
    """Return data, model and, where there are batches, their draws, with PyTorch alone."""
    words = task.n_in
    with torch.random.fork_rng(devices=[]):
        _ = torch.manual_seed(settings.seed)
        x = torch.randint(0, 2, (settings.samples, words)).float()
        model = nn.Sequential(
            nn.Linear(words, settings.hidden), activation, nn.Linear(settings.hidden, task.n_out)
        )
        draws = None
        if settings.batch is not None:
            draws = torch.randint(settings.samples, (settings.steps, settings.batch))
    sums = x.sum(dim=1)
    y = torch.stack([(sums >= 2).float(), sums % 2], dim=1)
    return x, y, model, draws


@pytest.mark.parametrize(("seed", "works"), [(0, True), (1, False), (7, True)])
def test_every_number_is_the_notebooks(seed, works):
    theirs = run_notebook(seed)
    assert (theirs.accuracy == 1) is works  # both outcomes are among the seeds
    lines = []
    run = train_network(
        HALF_ADDER,
        Settings(seed=seed),
        on_loss=lambda step, loss: lines.append(f"Epoch [{step}/1000], Loss: {loss:.4f}"),
    )
    assert [*lines, f"Accuracy: {run.accuracy:.4f}"] == theirs.lines
    assert run.losses == tuple(zip(range(100, 1001, 100), theirs.losses, strict=True))
    assert run.loss == theirs.losses[-1]
    assert run.accuracy == theirs.accuracy
    assert_bit_equal(run.network, theirs.parameters)
    exact = outputs(run.network, next(HALF_ADDER.blocks()).inputs).to_floats()
    assert np.abs(exact - theirs.rows.numpy()).max() < OUTPUT_ERROR


@pytest.mark.parametrize(
    ("options", "activation", "optimizer", "criterion"),
    [
        ({"batch": 5}, nn.ReLU(), {}, nn.MSELoss()),
        ({"batch": 1, "hidden": 4}, nn.ReLU(), {}, nn.MSELoss()),
        ({"optimizer": "momentum"}, nn.ReLU(), {"momentum": 0.9}, nn.MSELoss()),
        ({"optimizer": "adam", "lr": 0.02}, nn.ReLU(), None, nn.MSELoss()),
        ({"loss": "bce"}, nn.ReLU(), {}, nn.BCEWithLogitsLoss()),
        ({"activation": "tanh"}, nn.Tanh(), {}, nn.MSELoss()),
        ({"activation": "leaky:0.125"}, nn.LeakyReLU(0.125), {}, nn.MSELoss()),
        (
            {"batch": 3, "optimizer": "adam", "loss": "bce", "activation": "tanh"},
            nn.Tanh(),
            None,
            nn.BCEWithLogitsLoss(),
        ),
    ],
)
def test_every_setting_does_what_pytorch_does_under_that_name(
    options, activation, optimizer, criterion
):
    settings = Settings(seed=3, steps=40, samples=60, **options)
    x, y, model, draws = drawn_start(settings, activation)
    if optimizer is None:
        stepper = optim.Adam(model.parameters(), lr=settings.lr)
    else:
        stepper = optim.SGD(model.parameters(), lr=settings.lr, **optimizer)
    for step in range(settings.steps):
        at = slice(None) if draws is None else draws[step]
        loss = criterion(model(x[at]), y[at])
        stepper.zero_grad()
        loss.backward()
        stepper.step()
    run = train_network(HALF_ADDER, settings)
    assert_bit_equal(run.network, list(model.parameters()))
    assert run.loss == loss.item()
    with torch.no_grad():
        final = model(x)
        assert run.data_loss == criterion(final, y).item()
        threshold = 0.0 if settings.loss == "bce" else 0.5
        right = ((final > threshold) == y.bool()).all(dim=1)
        assert run.accuracy == right.float().mean().item()


def test_a_network_of_logits_is_read_out_above_0_and_others_above_one_half():
    few = Settings(steps=1, samples=4)
    assert train_network(HALF_ADDER, few).network.readout == Readout("threshold", 0.5, ">")
    logits = train_network(HALF_ADDER, replace(few, loss="bce")).network
    assert logits.readout == Readout("threshold", 0.0, ">")


@pytest.mark.parametrize(
    ("activation", "kind", "slope"),
    [("relu", "relu", 0), ("tanh", "tanh", 0), ("leaky:0.1", "leaky", float(np.float32(0.1)))],
)
def test_the_network_has_the_activation_that_was_trained(activation, kind, slope):
    settings = Settings(steps=1, samples=4, activation=activation)
    first, second = train_network(HALF_ADDER, settings).network.layers
    assert (first.activation.kind, first.activation.slope) == (kind, slope)
    assert second.activation.kind == "identity"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": math.nan}, "lr: got nan; give a finite number above 0; the notebook's is 0.1"),
        ({"lr": math.inf}, "lr: got inf; give a finite number above 0; the notebook's is 0.1"),
        ({"lr": 0.0}, "lr: got 0.0; give a finite number above 0; the notebook's is 0.1"),
        (
            {"lr": 1e-60},
            "lr: got 1e-60; give a number of at least 1.4e-45, the smallest of fp32",
        ),
        ({"lr": -1.0}, "lr: got -1.0; give a finite number above 0; the notebook's is 0.1"),
        ({"steps": -5}, "steps: got -5; give a whole number of at least 0"),
        ({"samples": 0}, "samples: got 0; give a whole number of at least 1"),
        ({"hidden": 0}, "hidden: got 0; give a whole number of at least 1"),
        ({"batch": 0}, "batch: got 0; give a whole number of at least 1"),
        ({"optimizer": "sdg"}, "optimizer: got sdg; give one of sgd, momentum, adam"),
        ({"loss": "mae"}, "loss: got mae; give one of mse, bce"),
        (
            {"activation": "swish"},
            (
                "activation: got swish; give one of relu, leaky, hardtanh, relu6, clamp, "
                "threshold, abs, where, tanh, sigmoid, hardsigmoid, softsign, softplus, elu, selu, "
                "gelu, silu, mish (leaky:0.125)"
            ),
        ),
        (
            {"activation": "leaky:x"},
            "activation: got leaky:x: 'x' is no number; give leaky:0.125, say",
        ),
        (
            {"activation": "leaky:1e39"},  # infinite in fp32
            "activation: got leaky:1e39: the slope is inf; the slope is a finite number",
        ),
        ({"init": "zeros"}, "init: got zeros; give one of torch, he, xavier"),
        ({"seed": -1}, "seed: got -1; give a whole number in 0..4294967295"),
        ({"seed": 1 << 32}, "seed: got 4294967296; give a whole number in 0..4294967295"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(options, message):
    with pytest.raises(OptionError) as refused:
        _ = Settings(**options)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("options", "estimate"),
    [
        ({"hidden": 10**12}, "1.61e+07"),
        ({"samples": 10**9}, "112"),
        ({"batch": 1, "steps": 10**12}, "8e+03"),
        ({"batch": 10**9, "samples": 10**9, "steps": 1}, "120"),
    ],
)
def test_a_run_beyond_memory_is_refused_before_memory_is_taken(options, estimate, monkeypatch):
    def taken(*_, **__):
        raise AssertionError("memory was taken")

    monkeypatch.setattr(loop, "sample", taken)
    with pytest.raises(ResourceError) as refused:
        _ = train_network(HALF_ADDER, Settings(**options))
    assert str(refused.value) == (
        f"train: training would take about {estimate} GB, over 8 GB; take fewer hidden units, "
        "samples or members, or fewer steps of a batch"
    )


def test_no_steps_leave_the_network_untrained():
    run = train_network(HALF_ADDER, Settings(seed=5, steps=0))
    _, _, model, _ = drawn_start(Settings(seed=5, steps=0), nn.ReLU())
    assert_bit_equal(run.network, list(model.parameters()))
    assert run.losses == ()
    assert run.loss == run.data_loss > 0


def test_batch_modes_differ_and_each_is_reproducible():
    runs = {
        batch: to_bytes(train_network(HALF_ADDER, Settings(steps=30, batch=batch)).network)
        for batch in (None, 1, 32)
    }
    assert len(set(runs.values())) == 3
    for batch, data in runs.items():
        assert to_bytes(train_network(HALF_ADDER, Settings(steps=30, batch=batch)).network) == data


@pytest.mark.parametrize("batch", [None, 7])
def test_pytorchs_own_generator_is_left_as_it_was(batch):
    before = torch.get_rng_state()
    _ = train_network(HALF_ADDER, Settings(seed=9, steps=3, batch=batch))
    assert torch.equal(torch.get_rng_state(), before)
    _ = torch.rand(1)
    assert not torch.equal(torch.get_rng_state(), before)  # the control: a draw does show
    torch.set_rng_state(before)


def test_the_state_of_pytorchs_generator_changes_nothing():
    few = Settings(seed=9, steps=3)
    first = to_bytes(train_network(HALF_ADDER, few).network)
    with torch.random.fork_rng(devices=[]):
        _ = torch.manual_seed(12345)
        assert to_bytes(train_network(HALF_ADDER, few).network) == first


def test_an_interrupt_says_at_which_step():
    def interrupt(step, loss):
        if step == 200:
            raise KeyboardInterrupt

    before = torch.get_rng_state()
    with pytest.raises(KeyboardInterrupt) as stopped:
        _ = train_network(HALF_ADDER, Settings(steps=300, samples=8), on_loss=interrupt)
    assert str(stopped.value) == "interrupted at step 200 of 300"
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_divergence_is_a_value_without_warnings(activation):
    run = train_network(HALF_ADDER, Settings(steps=100, lr=1e30, activation=activation))
    assert run.network is None
    assert run.dead_units == ()
    ((step, loss),) = run.losses
    assert step == 100
    assert not math.isfinite(loss)


def test_missing_rows_are_those_that_no_sample_shows():
    run = train_network(HALF_ADDER, Settings(samples=3, steps=1, seed=2))
    words = sample(HALF_ADDER, 3, seed=2).words
    seen = {2 * int(a) + int(b) for a, b in zip(words["a"], words["b"], strict=True)}
    assert run.missing_rows == tuple(sorted({0, 1, 2, 3} - seen)) != ()
    assert train_network(HALF_ADDER, Settings(steps=1)).missing_rows == ()


def test_missing_rows_of_a_large_task_are_not_counted():
    run = train_network(task_named("adder:7"), Settings(samples=3, steps=1))
    assert run.missing_rows is None


def table_task(tmp_path, *, low: str):
    """Return a table whose outputs are c1, an exclusive or, and c0, which is all ``low``."""
    lines = [f"{a},{b},{a ^ b},{low}" for a in (0, 1) for b in (0, 1)]
    path = tmp_path / f"{'any' if low == '*' else low}.csv"
    _ = path.write_text("\n".join(["in a:1,in b:1,out high:1,out low:1", *lines]))
    return read_table(path)


@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize(("optimizer", "loss"), [("sgd", "mse"), ("adam", "mse"), ("sgd", "bce")])
def test_an_output_that_may_be_anything_carries_no_gradient(tmp_path, batch, optimizer, loss):
    settings = Settings(seed=4, steps=25, samples=50, batch=batch, optimizer=optimizer, loss=loss)
    start = train_network(table_task(tmp_path, low="*"), replace(settings, steps=0)).network
    free = train_network(table_task(tmp_path, low="*"), settings).network
    bound = train_network(table_task(tmp_path, low="1"), settings).network
    (_, _, weight, bias), (_, _, start_weight, start_bias) = arrays(free), arrays(start)
    assert (weight[1] == start_weight[1]).all()
    assert bias[1] == start_bias[1]
    assert (weight[0] != start_weight[0]).any()
    assert (arrays(bound)[2][1] != start_weight[1]).any()  # the twin: a fixed output does


def test_an_output_that_may_be_anything_is_never_wrong(tmp_path):
    settings = Settings(seed=6, steps=60, lr=0.05, samples=50, optimizer="adam", hidden=8)
    run = train_network(table_task(tmp_path, low="*"), settings)
    block = next(run.task.blocks())
    raw = outputs(run.network, block.inputs).to_floats()
    drawn = sample(run.task, 50, seed=6)
    at = drawn.inputs @ np.array([2, 1])
    is_right = (raw[at, 0] > 0.5) == drawn.outputs[:, 0]
    assert run.accuracy == np.float32(is_right.mean())
    residual = raw[at, 0] - drawn.outputs[:, 0]
    square = residual**2
    slack = OUTPUT_ERROR * np.abs(residual).mean() + 50 * EPS * square.mean()  # 50 are summed
    assert run.data_loss == pytest.approx(square.mean() / 2, abs=slack)
    # The control: counted as bits that should be 0, the free outputs would change both.
    assert (is_right & (raw[at, 1] <= 0.5)).mean() < run.accuracy
    assert (square + raw[at, 1] ** 2).mean() / 2 > 1.1 * run.data_loss


def test_a_wider_adder_is_trained_too():
    task = task_named("adder:2")
    run = train_network(task, Settings(hidden=5, steps=100, seed=6))
    assert run.network.shape == "4-5-3"
    assert run.network.task is task
    assert run.missing_rows == ()
    assert run.losses[0][1] < train_network(task, Settings(hidden=5, steps=0, seed=6)).loss


def test_dead_units_are_those_that_are_off_on_every_row():
    result = set()
    rows = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
    for seed in range(40):
        run = train_network(HALF_ADDER, Settings(seed=seed, steps=0, samples=2))
        weight, bias = (torch.tensor(part, dtype=torch.float64) for part in arrays(run.network)[:2])
        is_on = (rows @ weight.T + bias > 0).any(dim=0)
        expected = tuple(unit for unit in (1, 2, 3) if not is_on[unit - 1])
        assert run.dead_units == expected
        result.add(len(expected))
    assert {0, 1, 2} <= result


@pytest.mark.parametrize("activation", ["tanh", "leaky:0"])
def test_only_a_relu_unit_can_be_dead(activation):
    for seed in range(20):
        settings = Settings(seed=seed, steps=0, samples=2, activation=activation)
        assert train_network(HALF_ADDER, settings).dead_units == ()


def test_dead_units_of_a_task_too_large_to_enumerate_are_not_looked_for():
    network = train_network(task_named("adder:11"), Settings(steps=0, samples=2)).network
    assert dead_units(network, task_named("adder:11")) == ()


def test_a_network_file_holds_enough_to_train_it_again(tmp_path):
    settings = Settings(seed=8, steps=20, hidden=4, batch=6, optimizer="adam", lr=0.02, loss="bce")
    network = train_network(HALF_ADDER, settings).network
    path = save(network, tmp_path / "net.safetensors")
    read_settings = Settings.from_record(load(path).training)
    assert read_settings == settings
    assert to_bytes(train_network(HALF_ADDER, read_settings).network) == path.read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda r: r.pop("lr"),
            "training: the training record lacks 'lr'; train the network again",
        ),
        (
            lambda r: r.update(seed="0"),
            "training: the training record's seed is '0'; train the network again",
        ),
        (
            lambda r: r.update(hidden=True),
            "training: the training record's hidden is 'True'; train the network again",
        ),
        (
            lambda r: r.update(steps=1.5),
            "training: the training record's steps is '1.5'; train the network again",
        ),
        (
            lambda r: r.update(batch=0),
            "batch: got 0; give a whole number of at least 1",
        ),
    ],
)
def test_a_training_record_that_lacks_or_mistypes_a_setting_is_refused(change, message):
    record = Settings().record(HALF_ADDER, "torch-loop")
    assert Settings.from_record(record) == Settings()
    _ = change(record)
    with pytest.raises(OptionError) as refused:
        _ = Settings.from_record(record)
    assert str(refused.value) == message


def test_the_defaults_are_the_lectures_whatever_the_seed():
    assert Settings().is_lecture
    assert Settings(seed=77).is_lecture
    assert not Settings(lr=0.2).is_lecture
    assert not Settings(batch=1).is_lecture


def test_the_module_is_the_lectures_class():
    with torch.random.fork_rng(devices=[]):
        model = loop.make_model(HALF_ADDER, Settings())
    assert repr(model) == repr(AdderNN())


def test_two_trainings_at_once_are_each_their_seeds_own():
    """PyTorch's generator belongs to the whole process, so runs take turns."""
    from concurrent.futures import ThreadPoolExecutor

    settings = [Settings(seed=seed % 2, steps=20, samples=50) for seed in range(6)]
    alone = [train_network(HALF_ADDER, entry).loss for entry in settings[:2]]
    with ThreadPoolExecutor(6) as pool:
        losses = list(pool.map(lambda entry: train_network(HALF_ADDER, entry).loss, settings))
    assert losses == alone * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": "x"}, "lr: got 'x'; give a number"),
        ({"seed": 1.5}, "seed: got 1.5; give a whole number"),
        ({"hidden": True}, "hidden: got True; give a whole number"),
        (
            {"lr": 1e39},
            "lr: got 1e+39; give a number of at most 3.40282e+38, the largest of fp32",
        ),
    ],
)
def test_settings_of_a_wrong_type_or_beyond_fp32_are_refused(options, message):
    with pytest.raises(OptionError) as refused:
        _ = Settings(**options)
    assert str(refused.value) == message


def test_every_step_is_shown_to_who_looks_on_and_nothing_changes_by_it():
    """From the untrained model, number 0, to the last step; the weights seen are those kept."""
    seen: list[tuple[int, list[float]]] = []

    def on_step(step, model):
        seen.append((step, model.fc2.bias.tolist()))

    settings = Settings(steps=7, seed=3)
    watched = train_network(HALF_ADDER, settings, on_step=on_step).network
    alone = train_network(HALF_ADDER, settings).network
    start = train_network(HALF_ADDER, replace(settings, steps=0)).network
    assert [step for step, _ in seen] == list(range(8))
    for net, (_, bias) in ((start, seen[0]), (watched, seen[-1]), (alone, seen[-1])):
        assert net.layers[1].bias.exact().to_floats().tolist() == bias
