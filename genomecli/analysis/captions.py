"""What is said below each figure, in words that need no knowledge of networks."""

from __future__ import annotations

LAYERS = (
    "Blue: the trained network on genes in the frame that it was trained on. Dashed: the controls: networks "
    "trained on another frame of the same genes (if any were given), this network shown genes in another "
    "frame, and before training. The grey zone holds 95 % of what shuffled genetic codes reach. Shaded "
    "around the line: 95 % interval over amino acids. The vertical bar marks the layer of the headline."
)

HEAT_MAP = (
    "Each row is a codon, scored by a rotation that never saw its amino acid or any of its codons. Yellow "
    "is near, blue is far; orange boxes mark what the genetic code says. A triangle marks a codon that the "
    "ranking of genetic codes reads otherwise than the standard code."
)

SPACE = (
    "Codons (small) and amino acids (ringed) after one rotation of the codons onto the amino acids, fitted "
    "on all of them for this picture alone; no figure in the tables comes from it. A line ties each codon to "
    "its amino acid: short lines and clusters of one colour mean that both languages are built alike."
)

CODES = (
    "One bar a class of NCBI tables that read all codons at hand alike: the sum, over codons on which "
    "codes differ, of the log odds of its reading. Only differences between bars mean anything."
)

MATRIX = (
    "Left: the right answer is the same codon. Middle: any codon of the same amino acid, each under its own "
    "species' code. Right: protein to protein; the right answer is the same amino acid. A species is not "
    "compared with itself."
)

FOUNDING = (
    "Dashed: skip-gram word2vec and PPMI-SVD, learned from the texts that the run had read after so many "
    "tokens: the same windows, genes and proteins. Lines and dots: the encoder's layers at that point. What "
    "was read twice counts twice."
)

TRAINING = (
    "Each line is a layer, each dot a point of training at which held-out genes and proteins were read "
    "(earlier checkpoints: a quarter of the texts that the last one is read with)."
)

PERPLEXITY = (
    "One panel a language. Blue: the network on validation records; an axis is logarithmic, and low is good. "
    "Level lines: simple models on the same tokens. A network that stays above such a line has learned less "
    "than counting gives."
)

LOSSES = (
    "Left: the loss on training texts and on validation records. A training loss that goes on falling while "
    "the validation loss rises is learning by heart. Right: the learning rate."
)

SEEDS = (
    "One line a run: the loss on validation records. Where the lines lie apart, the difference between two "
    "settings has to be larger than that to mean anything."
)

PROBES = (
    "Mean reciprocal rank of known translations on a small, fixed sample of held-out records, layer by "
    "layer. It shows when alignment comes; mrr-compare measures it with controls and intervals."
)
