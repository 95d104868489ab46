from pathlib import Path

from genomecli.training.curves import draw_curves, draw_speed

PNG = b"\x89PNG\r\n\x1a\n"

ROWS = [
    {"kind": "train", "step": 1, "loss": 3.0, "lr": 0.1},
    {"kind": "train", "step": 2, "loss": None, "lr": 0.05},
    {"kind": "validation", "step": 2, "loss": 2.5, "languages": {"a/dna": {"perplexity": 12.0}}},
]


def test_equal_figures_make_equal_pictures(tmp_path: Path) -> None:
    lines = {"a/dna": {"unigram": 50.0, "5-gram": 40.0}}
    draw_curves(tmp_path / "one.png", ROWS, lines)
    draw_curves(tmp_path / "two.png", ROWS, lines)
    draw_curves(tmp_path / "other.png", ROWS, {})
    one = (tmp_path / "one.png").read_bytes()
    assert one.startswith(PNG)
    assert one == (tmp_path / "two.png").read_bytes()
    assert one != (tmp_path / "other.png").read_bytes()


def test_probes_get_a_panel_and_no_rows_are_no_error(tmp_path: Path) -> None:
    draw_curves(tmp_path / "empty.png", [])
    draw_curves(tmp_path / "probe.png", [*ROWS, {"kind": "probe", "step": 2, "frame0/mrr": 0.4}])
    plain, probed = (_height(tmp_path / name) for name in ("empty.png", "probe.png"))
    assert plain == probed
    draw_speed(tmp_path / "speed.png", [{"step": 1, "tokens_per_second": 10.0}])
    assert _height(tmp_path / "speed.png") < plain


def _height(path: Path) -> int:
    header = path.read_bytes()[:24]
    assert header.startswith(PNG)
    return int.from_bytes(header[20:24], "big")
