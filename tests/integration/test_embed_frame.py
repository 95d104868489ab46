"""``embed`` reads genes in the frame that its run was trained at."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from genomecli.exchange.tables import read_table
from tests.integration.test_embed import embed, genes, make_run, write_fasta


def test_genes_are_read_in_the_frame_that_the_run_was_trained_at(tmp_path: Path) -> None:
    fasta = write_fasta(tmp_path / "in.fa", genes(12))
    seen = {"molecules": ["cds", "protein"], "frame": 1, "genome_frame": "all"}
    shifted = make_run(tmp_path / "run", ["bug"], **seen)
    tables = {}
    for name in ("auto", "0", "1", "2"):
        out = tmp_path / f"frame{name}.parquet"
        assert embed("-m", shifted, fasta, "-o", out, "-s", f"embed.frame={name}") == 0
        tables[name] = read_table(out).vectors["layer2_mean"]
    assert embed("-m", shifted, fasta, "-o", tmp_path / "default.parquet") == 0
    assert np.array_equal(read_table(tmp_path / "default.parquet").vectors["layer2_mean"], tables["1"])
    assert np.array_equal(tables["auto"], tables["1"])
    assert not np.array_equal(tables["0"], tables["1"])
    manifest = json.loads((tmp_path / "default.parquet.manifest.json").read_text())
    assert manifest["request"]["frames"] == {"cds": 1, "genome": 1}
