"""``genomecli simulate``: small species whose code and grammar are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genomecli.config import Config
from genomecli.files import write_json
from genomecli.output_folder import OutputFolder
from genomecli.runtime import log, run_info
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import CODONS, genetic_code
from genomecli.sequences.simulation import Species, simulate_species
from genomecli.sequences.writers import write_fasta, write_gff3
from genomecli.signals import stopping

AGAIN = "run it again: it begins anew"


def run_simulate(config: Config, out: Path, *, force: bool = False) -> dict[str, Any]:
    """Write each species' genome, annotation, CDS and proteins, and the truth about them.

    Args:
        config: settings; section ``simulate``.
        out: the folder to make.
        force: replace a finished one.

    Returns:
        What ``truth.json`` holds.

    Raises:
        UsageError: an existing output.
        CheckpointedError, InterruptedRunError: stopped by a signal, with nothing kept.
    """
    settings = config.simulate
    truth: dict[str, Any] = {"seed": config.seed, "species": []}
    with stopping(AGAIN, interrupt=True), OutputFolder(out, kind="simulation", force=force) as folder:
        for wanted in settings.species:
            species = simulate_species(settings, wanted, config.seed)
            write_species(species, folder.path)
            truth["species"].append(_truth(species))
            log.info(
                "%s: %d genes on %d contigs, %d bases, genetic code %d",
                *(species.name, len(species.genes), len(species.contigs)),
                *(sum(map(len, species.contigs.values())), species.code.table),
            )
        write_json(folder.path / "truth.json", truth)
        write_json(folder.path / "run.json", run_info("simulate"))
        folder.finish({"config": config.resolved("simulate")})
    log.info("wrote %s", out)
    return truth


def write_species(species: Species, folder: Path) -> None:
    """Write ``NAME.genome.fa``, ``NAME.gff3``, ``NAME.cds.fa`` and ``NAME.proteins.faa``."""
    stem = folder / species.name
    with open(f"{stem}.genome.fa", "w", encoding="ascii") as handle:
        write_fasta(handle, ((name, DNA.decode(bases)) for name, bases in species.contigs.items()))
    with open(f"{stem}.gff3", "w", encoding="ascii") as handle:
        lengths = {name: len(bases) for name, bases in species.contigs.items()}
        write_gff3(handle, lengths, species.genes, species.code.table)
    with open(f"{stem}.cds.fa", "w", encoding="ascii") as handle:
        write_fasta(handle, ((gene.id, DNA.decode(gene.cds)) for gene in species.genes))
    with open(f"{stem}.proteins.faa", "w", encoding="ascii") as handle:
        write_fasta(handle, ((gene.id, PROTEIN.decode(gene.protein)) for gene in species.genes))


def _truth(species: Species) -> dict[str, Any]:
    standard = genetic_code(1)
    differs = {
        CODONS[i]: {"standard": standard.amino[i], "here": species.code.amino[i]}
        for i in range(64)
        if standard.amino[i] != species.code.amino[i]
    }
    usage = {CODONS[i]: round(float(share), 6) for i, share in enumerate(species.usage)}
    return {
        "name": species.name,
        "code": species.code.table,
        "genes": len(species.genes),
        "bases": int(sum(map(len, species.contigs.values()))),
        "differs_from_standard": differs,
        "usage": usage,
    }
