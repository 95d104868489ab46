"""What the processes of faults should have imported before they begin, so that a kill meets work."""

import importlib

for _name in (
    *("pyarrow.parquet", "safetensors.torch", "sklearn.linear_model", "matplotlib.pyplot", "scipy.stats"),
    *("genomecli.training.pretraining", "genomecli.training.finetuning", "genomecli.models.language_model"),
    *("genomecli.analysis.task_report", "genomecli.exchange.tables", "genomecli.inference.engine"),
):
    importlib.import_module(_name)
