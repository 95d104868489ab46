from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from genomecli.errors import InputError
from genomecli.training.state_files import is_state_file, part_name, put_aside, read_state


def _parts(folder: Path, count: int) -> dict[str, torch.Tensor]:
    """A state of a shared matrix, whose last process has no row of it, and of a number that the first has."""
    rows = torch.arange(6.0).view(3, 2)
    pieces = [*rows.chunk(count), *[rows[:0]] * (count - len(rows.chunk(count)))]
    for number, piece in enumerate(pieces):
        alone = {"a/step": torch.tensor(7.0)} if number == 0 else {}
        save_file({"a/exp_avg": piece.contiguous(), **alone}, folder / part_name(number, count))
    return {"a/exp_avg": rows, "a/step": torch.tensor(7.0)}


@pytest.mark.parametrize("count", [2, 4])
def test_rows_of_all_processes_make_the_whole_state(tmp_path: Path, count: int) -> None:
    expected = _parts(tmp_path, count)
    found = read_state(tmp_path, [path.name for path in tmp_path.iterdir()])
    assert set(found) == set(expected)
    assert len(found) == 2
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name


def test_a_missing_share_is_named(tmp_path: Path) -> None:
    _parts(tmp_path, 4)
    names = [part_name(0, 4), part_name(1, 4), part_name(3, 4)]
    with pytest.raises(InputError, match="3 of the 4 files") as caught:
        read_state(tmp_path, names)
    assert "optimizer-00003-of-00004.safetensors" in str(caught.value.fix)


def test_what_one_process_puts_aside_is_its_share(tmp_path: Path) -> None:
    (tmp_path / ".state").mkdir()
    (tmp_path / ".state" / "of a run that was killed").write_text("")
    aside = put_aside(tmp_path, {"a/exp_avg": torch.ones(2)})
    assert [path.name for path in aside.iterdir()] == ["optimizer-00001-of-00001.safetensors"]
    assert torch.equal(read_state(aside, [part_name(0, 1)])["a/exp_avg"], torch.ones(2))


def test_state_files_are_told_from_others() -> None:
    assert is_state_file("optimizer.safetensors")
    assert is_state_file("optimizer-00010-of-00064.safetensors")
    assert not is_state_file("model.safetensors")
    assert not is_state_file("optimizer-1-of-2.safetensors")
