"""From made-up genes to a figure, in Python: a species, a network, MRR along training, vectors of genes.

Run it as a script (``python scripts/examples/from_python.py FOLDER``), or cell by cell in an editor that
knows ``# %%``. It takes under two minutes on two cores. FOLDER (default ``out/from_python``) is made anew.
"""

# %%
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import genomecli

CONFIG = Path(__file__).parents[2] / "configs" / "own.yaml"
out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/from_python")
shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)


def run(*words: object) -> None:
    """One command of genomecli, as in a shell."""
    subprocess.run([sys.executable, "-m", "genomecli", *map(str, words), "-q"], check=True)


# %% [markdown]
# ## A species, its corpus, and a network
#
# The species is made up, so its genetic code is known. The network sees a gene's codons and its protein in
# one input, hides tokens of both, and learns to fill them in.

# %%
run("simulate", "-o", out / "sim", "--set", "simulate.species=[{name: toy, genes: 300, gene_length: 150}]")
source = f"{{kind: annotated, path: {out}/sim/toy.genome.fa, annotation: {out}/sim/toy.gff3}}"
run("tokenize", "-o", out / "corpus", "--set", f"tokenize.species=[{{name: toy, sources: [{source}]}}]")
few = ["pretrain.tokens=1e6", "pretrain.save_every=50", "pretrain.keep=0", "threads=1"]
settings = [word for text in few for word in ("--set", text)]
run("pretrain", "-c", CONFIG, "--corpus", out / "corpus", "-o", out / "run", *settings)

# %% [markdown]
# ## Do codons come to point to their amino acids?
#
# At each checkpoint: each codon's amino acid is looked for among all twenty, by a rotation between the two
# languages that was fitted without it. Chance is about .18.

# %%
corpus = genomecli.open_corpus(out / "corpus")
curves: dict[str, list[float]] = {}
steps = []
for folder in sorted((out / "run" / "checkpoints").glob("step-*")):
    model = genomecli.open_model(folder)
    steps.append(model.loaded.step)
    for name, value in model.mrr(corpus).items():
        if name.endswith("left_out_mrr"):
            curves.setdefault(name.split("/")[1], []).append(value)
for layer, values in curves.items():
    print(f"{layer}: MRR {values[0]:.2f} at step {steps[0]}, {values[-1]:.2f} at step {steps[-1]}")

# %% [markdown]
# ## Vectors of genes
#
# One vector a gene, then the two directions in which they differ most.

# %%
text = (out / "sim" / "toy.cds.fa").read_text().split(">")[1:]
genes = ["".join(record.splitlines()[1:]) for record in text]
model = genomecli.open_model(out / "run")
vectors = model.embed(genes, molecule="cds")
centred = vectors - vectors.mean(axis=0)
places = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
gc = [sum(base in "GC" for base in gene) / len(gene) for gene in genes]

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for layer, values in curves.items():
    left.plot(steps, values, marker="o", label=layer)
left.axhline(0.18, color="grey", linestyle=":", label="chance")
left.set(xlabel="optimiser step", ylabel="MRR, codon to left-out amino acid", ylim=(0, 1))
left.legend()
points = right.scatter(*places.T, c=gc, s=12)
right.set(xlabel="first component", ylabel="second component", title="genes")
figure.colorbar(points, label="GC content")
figure.savefig(out / "figure.png", dpi=120)
print(f"{len(vectors)} genes of width {vectors.shape[1]}; figure {out / 'figure.png'}")
