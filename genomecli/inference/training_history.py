"""What a checkpoint has learned, from the settings that it carries: what its probabilities may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genomecli.corpus.lexicon import MOLECULE_ALPHABETS
from genomecli.errors import InputError

BEGAN_FROM = "began_from"
"""Key of a tuned run's settings: what the network that it began from had learned."""


@dataclass(frozen=True)
class TrainingHistory:
    """How a model was trained, as far as its checkpoint says.

    Args:
        molecules: kinds of text that it was trained on; empty if nothing is said.
        context: tokens of its longest text, special ones included; None if nothing is said.
        fills_in: whether it learned to fill in hidden tokens, with the body and head that it has now.
        tuned: whether its body was tuned for a task since; not where the head alone was.
        began: the run that it was tuned from, as the settings name it; empty if nothing is said.
        stops: whether stop codons stood in its texts, as codons of their frame; None if that is not known.
    """

    molecules: tuple[str, ...] = ()
    context: int | None = None
    fills_in: bool = True
    tuned: bool = False
    began: str = ""
    stops: bool | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TrainingHistory:
        """From the resolved settings in a checkpoint; those of a tuned run say what it began from."""
        if BEGAN_FROM in config:
            began = config[BEGAN_FROM]
            fills_in = bool(began["fills_in"]) and not _new_body(config)
            return cls(
                tuple(began["molecules"]),
                None,
                fills_in,
                _moved(config, began),
                str(config.get("finetune", {}).get("model") or ""),
                began.get("stops"),
            )
        pretrain = config.get("pretrain", {})
        reading, objectives = dict(pretrain.get("reading", {})), pretrain.get("objectives")
        # Of the kinds of text that were asked for, a corpus may lack some: those were never read.
        if "molecules" in (inputs := config.get("inputs", {})):
            reading["molecules"] = inputs["molecules"]
        fills_in = objectives is None or any(objectives.get(name) for name in ("mlm", "tlm", "others"))
        return cls(
            tuple(reading.get("molecules", ())),
            reading.get("context"),
            fills_in and not _new_body(config),
            "finetune" in config,
            stops=_stops(reading),
        )

    def check(self, molecule: str, where: object) -> str | None:
        """Whether the model's probabilities of ``molecule``'s tokens mean anything.

        Returns:
            What a user should know all the same; None for nothing.

        Raises:
            InputError: if it never learned to predict such tokens.
        """
        if not self.fills_in:
            what = "was not trained to fill in hidden tokens, so it has no probabilities of them"
            raise InputError(what, where=where, fix="use a run with the objective mlm or tlm")
        self.check_alphabet(molecule, where)
        if self.tuned:
            run = f", {self.began}," if self.began else ""
            return (
                "the model was tuned for a task, which moved its body away from the head that fills in "
                "hidden tokens: these scores are of the changed model; give the pretrained run"
                f"{run} for those of its pretraining"
            )
        if molecule == "genome" and self.molecules and "genome" not in self.molecules:
            return "the model was trained on genes, not on genome windows: set score.molecule=cds for genes"
        return None

    def check_alphabet(self, molecule: str, where: object) -> None:
        """Refuse texts in letters that the model never read: their tokens still have random weights.

        A model of genomes may read genes, and the other way round. Where nothing is said of the training, as
        of random weights, there is no objection.

        Raises:
            InputError: if it was trained on other alphabets alone.
        """
        if not self.reads(molecule):
            alphabet = MOLECULE_ALPHABETS[molecule]
            what = f"was trained on {' and '.join(self.molecules)} alone, not on {alphabet}"
            raise InputError(what, where=where, fix="use a run that was")

    def reads(self, molecule: str) -> bool:
        """Whether it was trained on texts in these letters; true where nothing is said."""
        known = {MOLECULE_ALPHABETS[name] for name in self.molecules}
        return not known or MOLECULE_ALPHABETS[molecule] in known


def _stops(reading: Mapping[str, Any]) -> bool | None:
    """Whether texts held stop codons. They stand everywhere in genome windows, and in genes out of frame;
    genes in frame end in one, unless it is left out on reading. Where it is not, the corpus may have cut it
    off."""
    if "genome" in reading.get("molecules", ()) or reading.get("frame", 0) != 0:
        return True
    return False if reading.get("strip") or reading.get("relation") == "paired" else None


def _moved(config: Mapping[str, Any], began: Mapping[str, Any]) -> bool:
    """Whether a tuning changed the body; of those before this one it is taken so."""
    return config.get("finetune", {}).get("tune") != "frozen" or bool(began.get("tunings"))


def _new_body(config: Mapping[str, Any]) -> bool:
    """Whether a task alone trained the body: a network from random weights, or one on given embedding rows.

    Such a network has never filled in a token. Where a tuned run says neither, its body is taken as given.
    """
    section = config.get("finetune", {})
    return section.get("tune") == "embeddings" or ("model" in section and section["model"] is None)
