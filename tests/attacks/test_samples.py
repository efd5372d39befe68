"""What is attacked is good while it is undamaged, so that an attack is refused for its damage."""

from __future__ import annotations

import json
from random import Random

import pytest
from attacks import mutations
from attacks.cases import command
from attacks.certified import outcomes_here
from attacks.kinds import KINDS

from adderlab.errors import AdderlabError
from adderlab.verbs import grade


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"command lines", "run folders"}))
def test_undamaged_most_commands_work(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(grade, "outcomes", outcomes_here)
    monkeypatch.setattr(mutations, "of_bytes", lambda _, data: data)
    monkeypatch.setattr(mutations, "of_safetensors", lambda _, data: data)
    monkeypatch.setattr(mutations, "of_value", lambda _, value: value)
    monkeypatch.setattr(mutations, "of_text", lambda _, text: text.encode())
    monkeypatch.setattr(mutations, "of_json", lambda _, value: json.dumps(value).encode())
    refusals = []
    for number in range(6):
        case = KINDS[kind](Random(number))
        for name, data in case.files.items():
            _ = (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            _ = (tmp_path / name).write_bytes(data)
        if callable(case.attack):
            try:
                _ = case.attack()
            except AdderlabError as error:
                refusals.append(str(error))
        else:
            code, _, err = command(case.attack)
            if code == 2:
                refusals.append(f"{case.attack}: {err}")
    assert len(refusals) <= 3, refusals
