"""What the processes of faults should have imported before they begin, so that a kill meets work."""

import importlib

for _name in (
    *("pyarrow.parquet", "safetensors.torch", "sklearn.linear_model", "matplotlib.pyplot", "scipy.stats"),
    *("torch._dynamo", "jinja2"),  # the optimisers of torch import the first, in seconds
    *("genomecli.training.pretraining", "genomecli.training.finetuning", "genomecli.models.language_model"),
    *("genomecli.analysis.task_report", "genomecli.exchange.tables", "genomecli.inference.engine"),
    *("genomecli.commands.finetune_data", "genomecli.commands.finetune_trial", "genomecli.config"),
    *("genomecli.analysis.results", "genomecli.analysis.compare", "genomecli.commands.mrr_compare_job"),
    *("genomecli.analysis.decipherment.report", "genomecli.exchange.text_spool"),
    *("genomecli.commands.finetune_report", "genomecli.commands.predict_job", "genomecli.corpus.build"),
):
    importlib.import_module(_name)
