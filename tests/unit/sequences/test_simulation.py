from __future__ import annotations

from pathlib import Path

import numpy as np
from Bio import SeqIO

from genomecli.commands.simulate import write_species
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.simulation import AMINO_ACIDS, amino_acid_grammar, simulate_species
from genomecli.sequences.simulation_settings import SimulateSettings, SpeciesSettings

WANTED = SpeciesSettings(name="candida", code=12, genes=60, gene_length=80, gc3=0.7, introns=0.5)
SETTINGS = SimulateSettings(species=[WANTED], dependence=1.0)


def test_genes_stand_in_the_genome_where_the_annotation_says(tmp_path: Path) -> None:
    species = simulate_species(SETTINGS, WANTED, seed=3)
    write_species(species, tmp_path)
    genome = SeqIO.to_dict(SeqIO.parse(tmp_path / "candida.genome.fa", "fasta"))
    proteins = SeqIO.to_dict(SeqIO.parse(tmp_path / "candida.proteins.faa", "fasta"))
    parts: dict[str, str] = {}
    for line in (tmp_path / "candida.gff3").read_text().splitlines():
        fields = line.split("\t")
        if len(fields) == 9 and fields[2] == "CDS":
            gene = fields[8].split(";")[0].removeprefix("ID=cds-")
            piece = genome[fields[0]].seq[int(fields[3]) - 1 : int(fields[4])]
            strand_piece = piece if fields[6] == "+" else piece.reverse_complement()
            assert len(parts.get(gene, "")) % 3 == -int(fields[7]) % 3
            parts[gene] = parts.get(gene, "") + str(strand_piece)
    assert len(parts) == 60
    for record in SeqIO.parse(tmp_path / "candida.cds.fa", "fasta"):
        assert parts[record.id] == str(record.seq)
        assert str(record.seq.translate(table=12, to_stop=True)) == str(proteins[record.id].seq)


def test_planted_grammar_and_usage_are_found_again() -> None:
    wanted = SpeciesSettings(name="a", code=1, genes=400, gene_length=300, gc3=0.7, usage_noise=0.0)
    settings = SimulateSettings(species=[wanted], dependence=1.0, reach=1)
    species = simulate_species(settings, wanted, seed=1)
    counts = np.zeros((20, 20))
    for gene in species.genes:
        np.add.at(counts, (gene.protein[1:-1], gene.protein[2:]), 1)
    shares = counts / counts.sum()
    seen = np.log((shares + 1e-6) / np.outer(shares.sum(1), shares.sum(0)))
    planted = amino_acid_grammar(settings, "a", 1)[0]
    assert np.corrcoef(seen.ravel(), planted.ravel())[0, 1] > 0.8
    codons = np.concatenate([gene.cds.reshape(-1, 3)[1:-1] for gene in species.genes])
    fourfold = codons[(codons[:, 0] == 2) & (codons[:, 1] == 1)]  # GCN, alanine
    assert abs(np.isin(fourfold[:, 2], (1, 2)).mean() - 0.7) < 0.02


def test_a_species_is_a_function_of_its_seed() -> None:
    first, again, other = (simulate_species(SETTINGS, WANTED, seed=s) for s in (5, 5, 6))
    assert all(np.array_equal(first.contigs[name], again.contigs[name]) for name in first.contigs)
    assert any(not np.array_equal(first.contigs[name], other.contigs[name]) for name in first.contigs)
    assert all(gene.protein[0] == AMINO_ACIDS.index("M") for gene in first.genes)
    assert DNA.decode(first.genes[0].cds[:3]) == "ATG"
    assert PROTEIN.decode(first.genes[0].protein)[0] == "M"
