from __future__ import annotations

import itertools
import pickle
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.corpus import shards
from genomecli.corpus.shards import (
    HEADER_ROOM,
    ShardedColumns,
    Span,
    open_shard,
    plan_shards,
    write_shard,
)
from genomecli.errors import InputError


@given(
    st.lists(st.integers(1, 3000), min_size=1, max_size=60), st.sampled_from([1, 2]), st.integers(100, 2000)
)
def test_a_plan_fits_the_limit_and_cuts_only_what_must_be_cut(
    lengths: list[int], columns: int, room: int
) -> None:
    limit = HEADER_ROOM + room
    bounds = plan_shards(np.array(lengths), columns=columns, limit=limit)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    assert bounds[0] == 0
    assert bounds[-1] == starts[-1]
    assert (np.diff(bounds) > 0).all()
    for low, high in itertools.pairwise(bounds):
        pieces = int(((starts[1:] > low) & (starts[:-1] < high)).sum())
        assert (high - low) * columns + 8 * (pieces + 1) + HEADER_ROOM <= limit
    for start, length in zip(starts[:-1], lengths, strict=True):
        inside = bounds[(bounds > start) & (bounds < start + length)]
        if length * columns + 16 <= room:
            assert not len(inside), "a record that fits a shard is cut"
        elif len(inside):
            assert start in bounds, "a record that is cut starts its own shard"


def write(
    tmp_path: Path, texts: list[np.ndarray], limit: int, soft: bool
) -> tuple[ShardedColumns, np.ndarray]:
    raw, mask = tmp_path / "raw", tmp_path / "mask"
    joined = np.concatenate(texts)
    raw.write_bytes(joined.tobytes())
    mask.write_bytes((joined % 2).tobytes())
    lengths = np.array([len(text) for text in texts])
    bounds = plan_shards(lengths, columns=1 + soft, limit=limit)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    paths = []
    for index, (low, high) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        paths.append(tmp_path / f"{index}.safetensors")
        inner = starts[(starts > low) & (starts < high)]
        offsets = np.concatenate([[low], inner, [high]]) - low
        write_shard(paths[-1], [Span(raw, mask if soft else None, low, high)], offsets, soft=soft)
        assert paths[-1].stat().st_size <= limit
    return ShardedColumns(paths, np.diff(bounds)), starts


@pytest.mark.parametrize("soft", [True, False])
def test_shards_are_safetensors_and_hold_what_was_given(tmp_path: Path, soft: bool) -> None:
    from safetensors.numpy import load_file

    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 15, n).astype(np.uint8) for n in rng.integers(1, 3000, 30)]
    store, _ = write(tmp_path, texts, HEADER_ROOM + 1500, soft)
    loaded = [load_file(path) for path in store.paths]
    joined = np.concatenate(texts)
    assert len(store.paths) > 5
    assert np.array_equal(np.concatenate([shard["symbols"] for shard in loaded]), joined)
    for index, shard in enumerate(loaded):
        ours = open_shard(store.paths[index])
        assert set(ours) == set(shard)
        assert all(np.array_equal(ours[name], shard[name]) for name in shard)
    if soft:
        assert np.array_equal(np.concatenate([shard["soft"] for shard in loaded]), joined % 2)
    assert np.array_equal(store.read(0, len(joined)), joined)
    assert np.array_equal(store.read(5, 5), joined[:0])
    assert np.array_equal(store.read(0, len(joined), "soft"), joined % 2 if soft else joined * 0)


def test_pieces_of_several_files_are_copied_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "COPY", 100)
    rng = np.random.default_rng(2)
    files = {name: rng.integers(0, 15, 2000).astype(np.uint8) for name in ("a", "b", "mask")}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data.tobytes())
    spans, symbols, soft = [], [], []
    for start, size in zip(
        rng.integers(0, 1500, 30).tolist(), rng.integers(1, 400, 30).tolist(), strict=True
    ):
        name, masked = rng.choice(["a", "b"]), rng.random() < 0.5
        part = slice(start, start + size)
        spans.append(Span(tmp_path / name, tmp_path / "mask" if masked else None, part.start, part.stop))
        symbols.append(files[name][part])
        soft.append(files["mask"][part] if masked else np.zeros(size, dtype=np.uint8))
    total = sum(map(len, symbols))
    write_shard(tmp_path / "shard", spans, np.array([0, total]), soft=True)
    found = open_shard(tmp_path / "shard")
    assert np.array_equal(found["symbols"], np.concatenate(symbols))
    assert np.array_equal(found["soft"], np.concatenate(soft))
    with pytest.raises(AssertionError, match="shorter than its rows say"):
        write_shard(tmp_path / "no", [Span(tmp_path / "a", None, 1900, 2001)], np.array([0, 101]), soft=False)


@pytest.mark.parametrize("longest", [20, 900])
def test_gather_equals_slices_one_by_one(tmp_path: Path, longest: int) -> None:
    rng = np.random.default_rng(1)
    texts = [rng.integers(0, 15, n).astype(np.uint8) for n in rng.integers(1, 3000, 40)]
    store, _ = write(tmp_path, texts, HEADER_ROOM + 1500, soft=True)
    joined = np.concatenate(texts)
    lengths = rng.integers(0, longest, 500)
    starts = rng.integers(0, len(joined) - lengths)
    for column, truth in (("symbols", joined), ("soft", joined % 2)):
        expected = np.concatenate([truth[s : s + n] for s, n in zip(starts, lengths, strict=True)])
        found = store.gather(starts, lengths, column)  # type: ignore[arg-type]
        assert np.array_equal(found, expected)
    assert len(store.gather(starts[:0], lengths[:0])) == 0


def test_short_windows_within_shards_take_the_indexed_path(tmp_path: Path) -> None:
    texts = [np.arange(200, dtype=np.uint8), np.arange(200, 250, dtype=np.uint8)]
    store, _ = write(tmp_path, texts, 1 << 20, soft=False)
    starts, lengths = np.array([3, 199, 240]), np.array([2, 3, 0])
    assert store.gather(starts, lengths).tolist() == [3, 4, 199, 200, 201]
    assert store.gather(starts, lengths, "soft").tolist() == [0] * 5


def test_a_copy_in_another_process_opens_its_own_maps(tmp_path: Path) -> None:
    store, _ = write(tmp_path, [np.arange(9, dtype=np.uint8)], 1 << 20, soft=False)
    store.read(0, 3)
    other = pickle.loads(pickle.dumps(store))
    assert other._maps == [None]
    assert other.read(0, 3).tolist() == [0, 1, 2]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_shard_is_an_error_of_the_user_s_and_never_another(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        store, _ = write(Path(name), [np.arange(50, dtype=np.uint8)], 1 << 20, soft=True)
        path = store.paths[0]
        raw = bytearray(path.read_bytes())
        if data.draw(st.booleans()):
            raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
        for place in data.draw(st.lists(st.integers(0, max(len(raw) - 1, 0)), max_size=4)):
            if raw:
                raw[place] = data.draw(st.integers(0, 255))
        path.write_bytes(raw)
        with suppress(InputError):
            columns = open_shard(path)
            assert len(columns["symbols"]) == columns["offsets"][-1]


def test_a_shard_of_another_size_is_refused(tmp_path: Path) -> None:
    store, _ = write(tmp_path, [np.arange(50, dtype=np.uint8)], 1 << 20, soft=False)
    with pytest.raises(InputError, match="50 symbols where the records table has 51"):
        ShardedColumns(store.paths, [51]).read(0, 3)
