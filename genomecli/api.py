"""genomecli in Python: open a corpus, a tokenizer or a model, embed sequences, compute an MRR.

``import genomecli`` offers these names without loading anything heavy; each is loaded when it is first used.
Errors are those of the command line (:mod:`genomecli.errors`): what, where, what to do. Nothing here sets the
number of threads, of which torch and numpy have settings of their own.

The examples read a corpus ``corpus`` and a run ``run`` of a made-up species, one of a few steps of training.

>>> import genomecli
>>> model = genomecli.open_model("run")
>>> model.species, model.layers, model.width
(('toy',), 2, 64)
>>> genomecli.embed(model, ["ATGGCTAAA", "ATGGATAAC"], molecule="cds").shape
(2, 64)

Shapes: n sequences, t tokens, D width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.sequence_tokenizer import SequenceTokenizer
from genomecli.corpus.store import LEXICON_FILE, CorpusReader, Verify
from genomecli.errors import InputError, UsageError
from genomecli.files import read_json
from genomecli.inference.items import Item, Molecule, Strand, read_entries
from genomecli.inference.sources import Frames, ReadingOptions, choose_species, molecule_of
from genomecli.inference.training_history import TrainingHistory
from genomecli.runtime import pick_device, pick_precision
from genomecli.sequences.alphabets import get_alphabet
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.records import Record

if TYPE_CHECKING:
    from genomecli.analysis.settings import Split
    from genomecli.inference.engine import Engine, LongInput
    from genomecli.inference.pooling import Pooling
    from genomecli.training.checkpoint import LoadedModel

AnyMolecule = Literal["auto", Molecule]
Frame = Literal["auto", 0, 1, 2]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Preferred = Literal["best", "last"]
Similarity = Literal["left_out", "cosine", "centred", "csls", "csls_centred"]


def _check(argument: str, value: object, names: object) -> None:
    """Refuse a value that is none of a Literal type's. Raises UsageError that names them."""
    known = get_args(names)
    if value not in known:
        fix = f"choose from {', '.join(map(str, known))}"
        raise UsageError(f"{argument} {value!r} is not known", fix=fix)


def open_corpus(path: Path | str, *, verify: Verify = "size") -> CorpusReader:
    """Open a corpus that ``genomecli tokenize`` made.

    >>> corpus = open_corpus("corpus")
    >>> [group.name for group in corpus.groups]
    ['toy.genome', 'toy.cds', 'toy.protein']
    >>> genes = corpus.records("toy", "cds", split="train")
    >>> corpus.symbols(int(genes.row[0])).dtype
    dtype('uint8')

    Args:
        path: its folder.
        verify: check presence and size of every file (``size``), its digest too (``sha256``), or ``none``.

    Raises:
        InputError: if it is no finished corpus, or a file is missing or altered.
        UsageError: for an unknown ``verify``.
    """
    _check("verify", verify, Verify)
    return CorpusReader.open(path, verify)


def open_tokenizer(
    path: Path | str, molecule: Molecule = "cds", *, species: str | None = None
) -> SequenceTokenizer:
    """The tokenizer of a corpus, a run or a checkpoint. No weights are read.

    >>> codons = open_tokenizer("run", "cds")
    >>> codons.decode(codons.encode("ATGGCNAAAT"))
    ['ATG', '[UNK]', 'AAA']
    >>> len(codons.vocabulary)
    64

    Args:
        path: folder of one of them.
        molecule: what will be read: ``genome``, ``cds`` or ``protein``.
        species: whose; needed where there are several.

    Raises:
        InputError: if it is none of them, or has no tokens for this.
        UsageError: for an unknown molecule or species, or no species where there are several.
    """
    return _tokenizer(_lexicon(Path(path)), molecule, species)


def _tokenizer(lexicon: Lexicon, molecule: Molecule, species: str | None) -> SequenceTokenizer:
    _check("molecule", molecule, Molecule)
    tokenizer = SequenceTokenizer(lexicon, choose_species(lexicon, species), molecule)
    _ = tokenizer.inner  # refused here, not at the first sequence
    return tokenizer


def _lexicon(path: Path) -> Lexicon:
    from genomecli.training.checkpoint import find_checkpoint

    if (path / LEXICON_FILE).is_file():
        return open_corpus(path).lexicon
    where = find_checkpoint(path) / "lexicon.json"
    return Lexicon.from_dict(read_json(where), where=where)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model, ready for use. Made by :func:`open_model`.

    Args:
        loaded: network, lexicon and settings.
        engine: that runs it.
        precision: that it is run in.
        path: of its checkpoint.
    """

    loaded: LoadedModel
    engine: Engine
    precision: str
    path: Path

    @property
    def species(self) -> tuple[str, ...]:
        """The species that it knows."""
        return self.loaded.lexicon.species

    @property
    def layers(self) -> int:
        """Number of blocks; layer 0 is after the embedding, this number (or -1) the last."""
        return int(self.loaded.settings.layers)

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return int(self.loaded.settings.width)

    @cached_property
    def _history(self) -> TrainingHistory:
        return TrainingHistory.of(read_json(self.path / "config.json"))

    @cached_property
    def _frames(self) -> Frames:
        return Frames.of_run(read_json(self.path / "config.json"))

    def tokenizer(self, molecule: Molecule = "cds", *, species: str | None = None) -> SequenceTokenizer:
        """The tokenizer of one of its languages, as :func:`open_tokenizer`, with its errors."""
        return _tokenizer(self.loaded.lexicon, molecule, species)

    def embed(
        self,
        sequences: Iterable[str],
        *,
        molecule: AnyMolecule = "auto",
        species: str | None = None,
        layer: int = -1,
        pooling: Pooling = "mean",
        frame: Frame = "auto",
        strand: Strand = "+",
    ) -> NDArray[np.float32]:
        """One vector a sequence, as ``genomecli embed`` gives; float32[n, D].

        Args:
            sequences: letters of DNA or protein, all of one kind.
            molecule: what they are; ``auto``: DNA of any kind or protein, by their letters.
            species: that they are read as; needed where the model knows several.
            layer: whose states; 0 is after the embedding, -1 the last.
            pooling: ``mean``, ``cls``, ``max`` or ``centre``.
            frame: bases left out at the start of DNA; ``auto``: as the run was trained.
            strand: ``-`` reads the reverse complement of DNA; proteins have ``+`` alone.

        Raises:
            InputError: for a sequence that cannot be read (it is named by its number, from 0), letters that
                do not tell DNA from protein, or a layer that the model does not have.
            UsageError: for a string instead of a list, an unknown species or name of anything else, or the
                other strand of proteins.
        """
        from genomecli.inference.pooling import Pooling

        _check("molecule", molecule, AnyMolecule)
        _check("pooling", pooling, Pooling)
        _check("frame", frame, Frame)
        _check("strand", strand, Strand)
        if isinstance(sequences, str):
            raise UsageError("one string is given where a list of sequences is wanted", fix="put it in [ ]")
        frames = self._frames if frame == "auto" else Frames(frame, frame)
        options = ReadingOptions(
            species, molecule, frames, strand, history=self._history, model=str(self.path)
        )
        items = list(self._items(list(sequences), options))
        vectors = [found.vectors[0, 0] for found in self.engine.pool(items, [layer], [pooling])]
        return np.stack(vectors) if vectors else np.empty((0, self.width), dtype=np.float32)

    def _items(self, sequences: Sequence[str], options: ReadingOptions) -> Iterator[Item]:
        """Items of sequences, in order. Raises InputError for the first that cannot be read."""
        lexicon = self.loaded.lexicon
        species = choose_species(lexicon, options.species)
        blocks = lexicon.vocabulary.blocks
        known = [block.molecule for block in blocks if block.species in (None, species)]
        letters = "".join(sequences).encode("latin-1", "replace").translate(None, b" \t*-").upper()
        molecule = molecule_of(
            letters, options.molecule, known, where="sequences", key="the argument molecule"
        )
        if molecule == "protein" and options.strand == "-":
            raise UsageError("strand '-' is of DNA, and these are proteins", fix="leave strand out")
        reading = options.reading(lexicon, species, molecule)
        alphabet = get_alphabet(reading.tokenizer.alphabet_name)
        records = (Record(str(i), alphabet, alphabet.encode(text)) for i, text in enumerate(sequences))
        for entry in read_entries(records, reading):
            if not isinstance(entry, Item):
                raise InputError(entry.reason, where=f"sequence {entry.id}")
            yield entry

    def word_vectors(self, molecule: Molecule = "cds", *, species: str | None = None) -> NDArray[np.float64]:
        """Rows of the embedding of one language's words; float64[V, D], in the tokenizer's order.

        Raises:
            InputError: if it has no tokens for this.
            UsageError: for an unknown molecule or species, or no species where there are several.
        """
        from genomecli.analysis.vectors import static_rows

        _check("molecule", molecule, Molecule)
        return static_rows(self.loaded, choose_species(self.loaded.lexicon, species), molecule)

    def mrr(
        self, corpus: CorpusReader, *, split: Split = "valid", tokens: int = 20_000, seed: int = 0
    ) -> dict[str, float]:
        """MRR of contextual vectors on texts of a corpus: the short measurement that training repeats.

        ``genomecli mrr-compare`` has chance, controls and intervals beside it; without them a figure means
        little.

        >>> sorted(open_model("run").mrr(open_corpus("corpus"), split="train"))[:2]
        ['toy/layer0/left_out_mrr', 'toy/layer0/synonym_mrr']

        Args:
            corpus: with DNA and protein of a species that the model knows.
            split: whose records: ``train``, ``valid`` or ``test``. Of a species of which it holds less than
                ``tokens`` bases, or a third of that in residues, records of every split are read, and the log
                warns.
            tokens: read of each language and species, at most; 1 at least.
            seed: of the choice of records.

        Returns:
            ``SPECIES/layerN/left_out_mrr`` (codon to amino acid by a rotation that never saw it) and
            ``SPECIES/layerN/synonym_mrr`` (codon to synonymous codon), for the first, middle and last layer.

        Raises:
            InputError: where no species has two languages to compare.
            UsageError: for an unknown split, or no tokens.
        """
        from genomecli.analysis.probe import make_probe
        from genomecli.analysis.settings import Split

        _check("split", split, Split)
        if tokens < 1:
            raise UsageError(f"tokens is {tokens}, and nothing can be read", fix="give 1 or more")
        probe = make_probe(
            corpus,
            self.loaded.lexicon,
            tokens=tokens,
            splits=(split,),
            frame=self._frames.cds,
            seed=seed,
            precision=self.precision,
        )
        if probe is None:
            raise InputError("has no species with DNA and protein that the model knows", where=corpus.path)
        return dict(probe(self.loaded.model, self.loaded.step))


def open_model(
    path: Path | str,
    *,
    device: str = "cpu",
    precision: Precision = "auto",
    checkpoint: Preferred = "best",
    tokens_per_batch: int = 16_384,
    long_input: LongInput = "window",
) -> Model:
    """Open a trained model.

    >>> open_model("run").embed(["MKVLAA", "MLKKGG"], molecule="protein", layer=0).dtype
    dtype('float32')

    Args:
        path: a run folder of ``pretrain`` or ``finetune``, or a checkpoint.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto``.
        precision: of the computation: ``fp32``, ``bf16``, ``fp16``, or ``auto``: by the device.
        checkpoint: which one of a run folder: ``best`` or ``last``; the other where that is absent.
        tokens_per_batch: size of a batch, padding included; halved when memory does not suffice.
        long_input: sequences longer than the context: ``window``, ``truncate`` or ``error``.

    Raises:
        InputError: if it is absent, altered or no checkpoint.
        UsageError: if the device is not there, or for an unknown precision, checkpoint or ``long_input``.
    """
    from genomecli.inference.engine import Engine, LongInput
    from genomecli.training.checkpoint import load_model

    _check("precision", precision, Precision)
    _check("checkpoint", checkpoint, Preferred)
    _check("long_input", long_input, LongInput)
    place = pick_device(device)
    loaded = load_model(path, place, prefer=checkpoint)
    kind = pick_precision(precision, place)
    engine = Engine(loaded, place, kind, tokens_per_batch, long_input=long_input)
    return Model(loaded, engine, kind, Path(loaded.info["path"]))


def embed(
    model: Model | Path | str,
    sequences: Iterable[str],
    *,
    molecule: AnyMolecule = "auto",
    species: str | None = None,
    layer: int = -1,
    pooling: Pooling = "mean",
) -> NDArray[np.float32]:
    """One vector a sequence; float32[n, D]. As :meth:`Model.embed`, of a model or the path of one."""
    opened = model if isinstance(model, Model) else open_model(model)
    return opened.embed(sequences, molecule=molecule, species=species, layer=layer, pooling=pooling)


def mrr(
    codons: ArrayLike, amino_acids: ArrayLike, *, code: int = 1, similarity: Similarity = "left_out"
) -> float:
    """Mean reciprocal rank of each codon's amino acid among all amino acids.

    A codon's rank is one more than the number of wrong amino acids above the right one; ties count half.
    Chance is about .18 for 20 amino acids.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> aminos = rng.normal(size=(20, 32))
    >>> letters = "ACDEFGHIKLMNPQRSTVWY"
    >>> from genomecli.sequences.codes import genetic_code
    >>> codons = np.array([aminos[letters.find(a)] if a != "*" else np.nan * aminos[0]
    ...                    for a in genetic_code(1).amino])
    >>> mrr(codons, aminos, similarity="cosine")
    1.0
    >>> mrr(codons + rng.normal(size=codons.shape) * 100, aminos, similarity="cosine") < 0.4
    True

    Args:
        codons: [64, D], by codon index (AAA, AAC, AAG, AAT, ACA, ... TTT); rows of NaN have no vector.
        amino_acids: [20, D'], in the order ACDEFGHIKLMNPQRSTVWY; rows of NaN have no vector.
        code: NCBI's number of the genetic code that counts as right.
        similarity: ``left_out``: cosine after an orthogonal rotation (Procrustes) fitted without the amino
            acid and its codons; or ``cosine``, ``centred``, ``csls``, ``csls_centred`` of the vectors as
            they are, which need D' = D.

    Raises:
        InputError: for other shapes, widths that differ where they must not, or fewer than three amino acids
            with a codon.
        UsageError: for an unknown code or similarity.
    """
    from genomecli.analysis import similarity as similarities
    from genomecli.analysis.held_out import leave_one_amino_acid_out
    from genomecli.analysis.places import Place, make_pair
    from genomecli.analysis.ranks import Gold, rank_matrix

    x, y = np.asarray(codons, dtype=np.float64), np.asarray(amino_acids, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != 64 or len(y) != 20:
        raise InputError(f"64 codons and 20 amino acids are wanted, not arrays of {x.shape} and {y.shape}")
    _check("similarity", similarity, Similarity)
    if similarity != "left_out" and x.shape[1] != y.shape[1]:
        what = f"{similarity} needs vectors of one width, not of {x.shape[1]} (codons) and {y.shape[1]}"
        raise InputError(what, fix="use left_out")
    ones = np.ones(64, dtype=np.int64)
    pair = make_pair(Place("given", "given"), genetic_code(code), x, y, ones, ones[:20])
    if pair is None:
        raise InputError("fewer than three amino acids have a vector and a codon with one")
    if similarity == "left_out":
        return leave_one_amino_acid_out(pair.codons, pair.amino, pair.gold).forward.mrr
    scores = similarities.similarity(similarity, pair.codons, pair.amino)
    return rank_matrix(scores, Gold.mask(pair.gold.mask)).mrr
