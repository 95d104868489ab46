"""MRR along training: a small, fixed measurement that a training run repeats every so many steps.

A probe is a function of model and step, so training needs to know nothing of ranks. It reads the same
genes and proteins each time, unmasked, and takes about a second on a small model. They are held out from
training, unless the corpus holds too few of those; then the log warns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.analysis.held_out import leave_one_amino_acid_out
from genomecli.analysis.places import Place, VectorPair, make_pair
from genomecli.analysis.synonyms import codon_similarity, synonym_ranks
from genomecli.analysis.texts import Wanted, choose_records, codon_step, dna_molecule, items_of
from genomecli.analysis.vectors import words_of
from genomecli.errors import InputError
from genomecli.runtime import log

if TYPE_CHECKING:
    from genomecli.corpus.lexicon import Lexicon
    from genomecli.corpus.store import CorpusReader
    from genomecli.inference.items import Item
    from genomecli.models.language_model import LanguageModel
    from genomecli.sequences.codes import GeneticCode

SYNONYMS = "synonym_mrr"
LEFT_OUT = "left_out_mrr"


@dataclass(frozen=True, eq=False)
class _Species:
    name: str
    code: GeneticCode
    dna: tuple[Item, ...]
    protein: tuple[Item, ...]
    step: int


@dataclass(frozen=True, eq=False)
class MrrProbe:
    """Call it with (model, step): ``{"ecoli/layer3/synonym_mrr": 0.61, ...}``.

    Args:
        lexicon: of the model.
        species: fixed texts of each species.
        layers: which states; those that the model lacks are left out.
        axes: of the Procrustes map.
        precision: of the forward pass.
    """

    lexicon: Lexicon
    species: tuple[_Species, ...]
    layers: tuple[int, ...] | None
    axes: int
    precision: str

    def __call__(self, model: LanguageModel, step: int) -> Mapping[str, float]:
        """Synonymous-codon MRR (centred cosine) and leave-one-amino-acid-out MRR, by species and layer."""
        depth = int(model.settings.layers)
        layers = self.layers or tuple(sorted({0, (depth + 1) // 2, depth}))
        kept = [layer for layer in layers if layer <= depth]
        figures: dict[str, float] = {}
        for species in self.species:
            for pair in self._pairs(model, species, kept):
                name = f"{species.name}/layer{pair.place.layer}"
                figures |= {f"{name}/{key}": value for key, value in probe_figures(pair, self.axes).items()}
        return figures

    def _pairs(self, model: LanguageModel, species: _Species, layers: Sequence[int]) -> list[VectorPair]:
        from genomecli.inference.contextual import contextual_means
        from genomecli.inference.engine import Engine
        from genomecli.inference.results import LiveModel

        engine = Engine(LiveModel(model, self.lexicon), precision=self.precision)
        dna, protein = (
            contextual_means(engine, items, words_of(self.lexicon, species.name, alphabet), layers, step=step)
            for items, alphabet, step in (
                (species.dna, "dna", species.step),
                (species.protein, "protein", 1),
            )
        )
        pairs = [
            make_pair(
                Place("probe", species.name, layer=layer),
                species.code,
                dna.at(layer),
                protein.at(layer),
                dna.total,
                protein.total,
            )
            for layer in layers
        ]
        return [pair for pair in pairs if pair is not None]


def probe_figures(pair: VectorPair, axes: int) -> dict[str, float]:
    """The two figures of a probe: synonymous codons by centred cosine, and left-out amino acids."""
    synonyms = synonym_ranks(codon_similarity(pair.codons, "centred"), pair.gold)
    left_out = leave_one_amino_acid_out(pair.codons, pair.amino, pair.gold, axes)
    return {SYNONYMS: synonyms.mrr, LEFT_OUT: left_out.forward.mrr}


def make_probe(
    corpus: CorpusReader,
    lexicon: Lexicon,
    *,
    species: Sequence[str] | None = None,
    layers: Sequence[int] | None = None,
    tokens: int = 20_000,
    splits: Sequence[str] = ("valid",),
    frame: int = 0,
    axes: int = 12,
    seed: int = 0,
    precision: str = "fp32",
) -> MrrProbe | None:
    """A probe on fixed texts of a corpus.

    Of a species whose ``splits`` hold less than ``tokens`` bases, or a third of that in residues, records of
    every split are read, with a warning in the log.

    Args:
        corpus: with coding sequences (or a genome) and proteins.
        lexicon: of the model that is trained.
        species: which ones; by default all of the lexicon that the corpus holds in both languages.
        layers: which states; by default the first, the middle and the last.
        tokens: read of each language and species.
        splits: records that they come from.
        frame: reading frame of the genes.
        axes: of the Procrustes map.
        seed: of the choice of records.
        precision: of the forward pass.

    Returns:
        None, with a warning in the log, where no species has two languages to compare.
    """
    wanted = [name for name in lexicon.species if species is None or name in species]
    made: list[_Species] = []
    for name in wanted:
        try:
            made.append(_fixed_texts(corpus, lexicon, name, (tokens, tuple(splits), frame, seed)))
        except InputError as error:
            log.warning("no MRR along training for %s: %s", name, error)
    if not made:
        return None
    return MrrProbe(lexicon, tuple(made), None if layers is None else tuple(layers), axes, precision)


def _fixed_texts(
    corpus: CorpusReader, lexicon: Lexicon, name: str, choice: tuple[int, tuple[str, ...], int, int]
) -> _Species:
    tokens, splits, frame, seed = choice
    step = codon_step(lexicon, name)
    lexicon.block(name, "protein")  # words of others may be of one language alone
    dna = choose_records(corpus, name, dna_molecule(corpus, name), Wanted(splits, tokens, 3 * tokens, seed))
    protein = choose_records(corpus, name, "protein", Wanted(splits, tokens // 3, tokens, seed))
    for chosen in (dna, protein):
        if chosen.widened:
            log.warning("MRR of %s: %s", name, chosen.widened)
    return _Species(
        name,
        dna.code,
        tuple(items_of(corpus, lexicon, dna, frame=frame)),
        tuple(items_of(corpus, lexicon, protein)),
        step,
    )
