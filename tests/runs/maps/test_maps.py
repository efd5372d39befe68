"""Maps: every pixel is the member trained alone, whatever the bands; files as they were said."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict

import numpy as np
import pytest

from adderlab.errors import OptionError, OutputError, ResourceError
from adderlab.runs.maps import grid as grids
from adderlab.runs.maps import run as runs
from adderlab.runs.maps.axes import parse_axis
from adderlab.runs.maps.grid import Grid, loss_steps, measure_of
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.choice import ENSEMBLE, LANES
from adderlab.training.judging import judge
from adderlab.training.members import train_members
from adderlab.training.work import members_at_once
from adderlab.verbs.map import map as make_map

HALF_ADDER = task_named("half-adder")
QUICK = {"steps": 60, "data": "table", "member": 1}
SIZE = {"size": "6x5"}


finds_kernels = Grid.finds_kernels


@pytest.fixture(scope="module", autouse=True)
def no_kernels():
    """What other tests compiled is not to change which engine is taken here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Grid, "finds_kernels", lambda grid: False)
        yield


@pytest.fixture(scope="module")
def small_map(no_kernels):
    return make_map("half-adder", x="lr=0.1:4:log", y="init=0.5:2", **SIZE, **QUICK)


def alone(result, column, row, **changes):
    """Return the measure and the verdict of one pixel, trained by itself."""
    options = {
        **QUICK,
        "lr": float(result.x[column]),
        "init_scale": float(result.y[row]),
        **changes,
    }
    settings = Settings(**options)
    steps = loss_steps(settings.steps)
    trained = train_members(
        HALF_ADDER, settings, [settings.member], loss_steps=steps,
        path=result.path.split(", ")[0],
    )  # fmt: skip
    right = judge(HALF_ADDER, settings, trained.arrays).is_right[0]
    return float(measure_of(trained.losses, steps)[0]), bool(right)


def test_every_pixel_is_the_member_trained_alone(small_map):
    assert small_map.measure.shape == small_map.success.shape == (5, 6)
    for row in range(5):
        for column in range(6):
            pixel = float(small_map.measure[row, column]), bool(small_map.success[row, column])
            assert pixel == alone(small_map, column, row)
    assert 0 < (small_map.measure < 0).sum() < small_map.networks


def test_bands_and_threads_change_nothing(monkeypatch):
    """In the compiled kernel: the threads of the other engine are always one."""
    monkeypatch.setattr(Grid, "finds_kernels", lambda grid: True)
    options = {"x": "lr=0.1:4:log", "y": "init=0.5:2", **SIZE, **QUICK}
    drawn = make_map("half-adder", threads=1, **options)
    assert drawn.path == LANES
    monkeypatch.setattr(grids, "BAND_MEMBERS", 13)  # two rows at once
    assert drawn.grid.bands == 3
    again = make_map("half-adder", threads=2, **options)
    assert (again.measure == drawn.measure).all()
    assert (again.success == drawn.success).all()
    assert again.to_npz() == drawn.to_npz()


def grid_by(x, y, *, columns, has_kernels=False):
    axes = parse_axis(x, "x"), parse_axis(y, "y")
    return Grid(HALF_ADDER, Settings(), *axes, columns, 256, has_kernels)


def test_a_kernel_is_compiled_only_where_pytorch_would_take_longer():
    """A map of 64 x 64 took 5.6 s in PyTorch, one of 256 x 256 1.0 s in its kernel."""
    axes = {"x": "lr=1:2", "y": "init=1:2"}
    assert grid_by(**axes, columns=8).paths() == (ENSEMBLE,)
    assert grid_by(**axes, columns=16).paths() == (LANES,)
    assert grid_by("lr=1:2", "batch=1:64", columns=256).paths() == (ENSEMBLE,)
    assert grid_by("lr=1:2", "hidden=2:4", columns=4096).paths() == (LANES,)


def test_a_kernel_that_is_there_is_taken():
    axes = {"x": "lr=1:2", "y": "init=1:2"}
    assert grid_by(**axes, columns=8, has_kernels=True).paths() == (LANES,)
    _ = train_members(HALF_ADDER, Settings(), [], path=LANES)
    assert finds_kernels(grid_by(**axes, columns=8))
    assert not finds_kernels(grid_by("lr=1:2", "hidden=201:203", columns=8))


@pytest.mark.parametrize("now", [False, True])
def test_a_map_goes_on_in_the_engine_that_it_began_with(small_map, tmp_path, monkeypatch, now):
    """Whatever was compiled since: its pixels are those of one engine."""
    monkeypatch.setattr(grids, "BAND_MEMBERS", 13)
    options = {"x": "lr=0.1:4:log", "y": "init=0.5:2", "out": tmp_path / "map.png"}
    monkeypatch.setattr(Grid, "finds_kernels", lambda grid: not now)
    leave_a_band(monkeypatch, **options)
    monkeypatch.setattr(Grid, "finds_kernels", lambda grid: now)
    resumed = make_map("half-adder", **options, **SIZE, **QUICK)
    assert resumed.path == (ENSEMBLE if now else LANES)
    assert resumed.grid.has_kernels is not now


def test_progress_counts_every_pixel_once():
    done: list[int] = []
    _ = make_map("half-adder", x="steps=5:20", size="4x3", on_progress=done.append, **{
        name: value for name, value in QUICK.items() if name != "steps"
    })  # fmt: skip
    assert sum(done) == 12
    assert all(some >= 0 for some in done)


def test_a_band_of_large_networks_is_a_small_one():
    axes = parse_axis("lr=1:2", "x"), parse_axis("init=1:2", "y")
    small = Grid(HALF_ADDER, Settings(), *axes, 256, 256)
    large = Grid(task_named("adder:4"), Settings(hidden=64), *axes, 256, 256)
    assert (small.band, small.bands) == (123, 3)  # about half a second each
    assert (large.band, large.bands) == (1, 256)
    few = Grid(HALF_ADDER, Settings(), *axes, 64, 64, has_kernels=False)
    assert few.band * few.columns * 4 * 17 * 1000 <= grids.BAND_WORK


def test_an_interrupt_loses_one_block_of_pytorch_at_most():
    axes = parse_axis("lr=1:2", "x"), parse_axis("init=1:2", "y")
    wide = Grid(HALF_ADDER, Settings(hidden=300), *axes, 32, 256)
    assert wide.paths() == (ENSEMBLE,)
    assert wide.band * wide.columns == members_at_once(HALF_ADDER, wide.settings)


def test_whole_settings_on_the_axes(monkeypatch):
    drawn = make_map("half-adder", x="steps=10:40", y="batch=1:3", size="4x3", **QUICK)
    for row, batch in enumerate((1, 2, 3)):
        for column, steps in enumerate((10, 20, 30, 40)):
            pixel = float(drawn.measure[row, column]), bool(drawn.success[row, column])
            options = {"steps": steps, "batch": batch, "lr": 0.1, "init_scale": 1.0}
            assert pixel == alone(drawn, column, row, **options)


def test_hidden_units_and_a_continuous_axis():
    drawn = make_map("half-adder", x="lr=0.1:1:log", y="hidden=2:3", size="3x4", **QUICK)
    assert list(drawn.y) == [2, 2, 3, 3]
    assert (drawn.measure[0] == drawn.measure[1]).all()
    assert (drawn.measure[0] != drawn.measure[2]).any()
    for column in range(3):
        assert float(drawn.measure[3, column]) == alone(drawn, column, 3, init_scale=1.0)[0]


def test_momentum_on_an_axis_needs_its_optimizer():
    axes = {"x": "lr=0.01:1:log", "y": "momentum=0:0.9", "size": 3}
    with pytest.raises(OptionError) as refused:
        _ = make_map("half-adder", **axes, **QUICK)
    assert str(refused.value) == (
        "optimizer: momentum stands on an axis, but the optimizer is sgd; set `optimizer` to "
        "momentum"
    )


def test_the_measure_is_minus_the_mean_loss_or_the_mean_of_its_inverse():
    steps = (0, 1, 2, 9)  # the losses stand for 1, 1, 7 and 1 steps
    losses = np.array([[2, 1, 1, 0.5], [2, 4, 8, 16], [2, np.inf, np.nan, np.inf]], np.float32)
    measure = measure_of(losses, steps)
    assert measure[0] == pytest.approx(-(1 + 0.5 + 0.5 * 7 + 0.25) / 10)
    assert measure[1] == pytest.approx((1 + 1 / 2 + 1 / 4 * 7 + 1 / 8) / 10)
    assert measure[2] == pytest.approx(0.1, rel=1e-4)


def test_a_loss_that_stays_where_it_was_is_no_convergence():
    assert measure_of(np.full((1, 3), 0.25, np.float32), (0, 1, 2))[0] == 1


@pytest.mark.parametrize("steps", [1, 2, 16, 17, 100, 1000, 10**6])
def test_losses_are_read_from_the_first_step_to_the_last(steps):
    steps_shown = loss_steps(steps)
    assert (steps_shown[0], steps_shown[-1]) == (0, steps)
    assert list(steps_shown) == sorted(set(steps_shown))
    assert len(steps_shown) <= 20 + 9 * math.log(max(steps, 2))


# --- files ---------------------------------------------------------------------------------


def test_the_image_and_the_array_file_say_the_same(small_map, tmp_path):
    out = tmp_path / "map.png"
    again = make_map("half-adder", x="lr=0.1:4:log", y="init=0.5:2", out=out, **SIZE, **QUICK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.npz", "map.png"]
    assert (again.file, again.array) == (out, tmp_path / "map.npz")
    with np.load(tmp_path / "map.npz", allow_pickle=False) as arrays:
        assert (arrays["measure"] == small_map.measure).all()
        assert (arrays["success"] == small_map.success).all()
        assert (arrays["x"] == small_map.x).all() and (arrays["y"] == small_map.y).all()
        about = json.loads(str(arrays["about"]))
    assert about["x"] == {"name": "lr", "low": 0.1, "high": 4.0, "scale": "log"}
    assert about["size"] == [6, 5]
    assert about["settings"] == json.loads(json.dumps(asdict(Settings(**QUICK))))
    record = again.to_dict()
    assert (record["networks"], record["file"]) == (30, str(out))
    assert record["successes"] == int(small_map.success.sum())


def test_a_picture_for_a_page_holds_its_pixels(small_map):
    picture = small_map.picture(name="a-map")
    assert picture.svg.count("data:image/png;base64,") == 1
    assert small_map.picture(name="a-map").svg == picture.svg
    assert "learning rate from 0.1 to 4 to the right" in picture.alt
    assert "converge" in small_map._repr_html_()


def test_finished_bands_are_kept_when_a_map_is_interrupted(small_map, tmp_path, monkeypatch):
    monkeypatch.setattr(grids, "BAND_MEMBERS", 13)
    options = {"x": "lr=0.1:4:log", "y": "init=0.5:2", "out": tmp_path / "map.png"}
    train = Grid.train
    requests: list[int] = []

    def interrupted(self, number, **settings):
        requests.append(number)
        if number == 2 and len(requests) == 3:
            raise KeyboardInterrupt
        return train(self, number, **settings)

    monkeypatch.setattr(Grid, "train", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        _ = make_map("half-adder", **options, **SIZE, **QUICK)
    parts = tmp_path / "map.png.parts"
    assert caught.value.kept == f"2 of 3 bands are kept in {parts}"
    assert [path.name for path in tmp_path.iterdir()] == ["map.png.parts"]
    again = make_map("half-adder", **options, **SIZE, **QUICK)
    assert requests == [0, 1, 2, 2]
    assert (again.measure == small_map.measure).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.npz", "map.png"]


def leave_a_band(monkeypatch, **options):
    """Interrupt a map after its first band."""
    train = Grid.train

    def interrupted(self, number, **settings):
        if number:
            raise KeyboardInterrupt
        return train(self, number, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(Grid, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _ = make_map(**{"task": "half-adder", **SIZE, **QUICK, **options})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("lr=0.01:10:log", "lr=0.01:9:log"),
        ("lr=1.2345678:10:log", "lr=1.2345679:10:log"),
        ("lr=0.1:2:linear", "lr=0.1:2.0000000000000004:linear"),
    ],
)
def test_the_bands_of_another_map_are_refused(tmp_path, monkeypatch, before, after):
    monkeypatch.setattr(grids, "BAND_MEMBERS", 13)
    leave_a_band(monkeypatch, x=before, out=tmp_path / "map.png")
    with pytest.raises(OutputError) as refused:
        _ = make_map("half-adder", x=after, out=tmp_path / "map.png", **SIZE, **QUICK)
    assert refused.value.what == f"the folder holds another run: x was {before}, is {after}"


def test_a_table_of_other_rows_is_another_map(tmp_path, monkeypatch):
    monkeypatch.setattr(grids, "BAND_MEMBERS", 13)
    table = tmp_path / "t.csv"
    rows = "in a:1,in b:1,out x:1\n0,0,0\n0,1,1\n1,0,1\n1,1,"
    options = {"task": f"table:{table}", "out": tmp_path / "map.png"}
    _ = table.write_text(f"{rows}1\n")
    leave_a_band(monkeypatch, **options)
    _ = table.write_text(f"{rows}0\n")
    with pytest.raises(OutputError) as refused:
        _ = make_map(**options, **SIZE, **QUICK)
    assert refused.value.what.startswith('the folder holds another run: task was {"table":')


def refused_work(*_, **__):
    raise AssertionError("something was trained")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"size": 5000},
            ResourceError,
            (
                "size: 5000 x 5000 are 2.5e+07 networks, about 3.2 GB of memory and 0.4 GB on "
                "the disk; give at most 4096, and zoom in by the ranges"
            ),
        ),
        (
            {"x": "lr=1:2", "y": "lr=1:2"},
            OptionError,
            "y: lr stands on both axes; name another setting",
        ),
        (
            {"x": "lr=1:1.0000003", "size": 8},
            OptionError,
            (
                "x: lr=1:1.0000003:linear holds 4 different fp32 numbers, too few for 8 pixels; "
                "give a wider range or a smaller `size`"
            ),
        ),
        (
            {"y": "init=1e-60:1:log"},
            OptionError,
            (
                "y: got 'init=1e-60:1:log'; begin at 1.4e-45 or above, the smallest number of "
                "fp32"
            ),
        ),
        (
            {"steps": 0},
            OptionError,
            (
                "steps: got 0; give at least 1: a map shows where the loss ends below its start"
            ),
        ),
        (
            {"init_scale": 1e-60},
            OptionError,
            (
                "init_scale: got 1e-60; give a number of at least 1.4e-45, the smallest of fp32"
            ),
        ),
        ({"show": "beauty"}, OptionError, "show: got beauty; give one of convergence, success"),
        ({"out": "map.jpg"}, OptionError, "out: got map.jpg; name an image that ends in .png"),
        ({"lr": math.nan}, OptionError, None),
        ({"member": -1}, OptionError, None),
        ({"task": "adder:9"}, ResourceError, None),
        ({"hidden": 10**8}, ResourceError, None),
    ],
)  # fmt: skip
def test_a_map_that_can_not_be_made_is_refused_before_the_work(
    options, error, message, monkeypatch
):
    monkeypatch.setattr(grids, "train_members", refused_work)
    with pytest.raises(error) as refused:
        _ = make_map(**{"task": "half-adder", "size": 4, **options})
    if message is not None:
        assert str(refused.value) == message


def test_a_map_beyond_the_memory_or_the_disk_is_refused_with_its_estimate(tmp_path, monkeypatch):
    monkeypatch.setattr(grids, "train_members", refused_work)
    monkeypatch.setattr(runs, "_free_memory", lambda: 10**8)
    with pytest.raises(ResourceError) as refused:
        _ = make_map("half-adder", size=4096)
    assert str(refused.value) == (
        "size: the map would take about 2.15 GB of memory, 0.1 GB are free; give a smaller "
        "one, and zoom in by the ranges"
    )
    monkeypatch.undo()
    monkeypatch.setattr(grids, "train_members", refused_work)
    usage = type("Usage", (), {"free": 10**6})
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    with pytest.raises(ResourceError) as refused:
        _ = make_map("half-adder", size=1024, out=tmp_path / "map.png")
    assert str(refused.value) == (
        f"{tmp_path / 'map.png'}: the map would take about 0.0168 GB, 0.001 GB are free; give a "
        "smaller `size`, or another disk"
    )


def test_axes_that_need_too_many_populations_are_refused():
    with pytest.raises(ResourceError) as refused:
        _ = make_map("half-adder", x="steps=1:200", y="batch=1:200", size=200)
    assert str(refused.value) == (
        "size: the axes have 40000 pairs of values that each need a population of their own; "
        "give a smaller one, of at most 16384 such pairs"
    )
