"""The numbers of a training for the tools that people keep them in: TensorBoard and MLflow.

with textrnn.logs.open_log("tensorboard:runs/a") as log:
    textrnn.train("reviews.csv", on_event=log, watch=True)
"""

from textrnn.logs.log import LOGS, Log, check_log, open_log

__all__ = ["LOGS", "Log", "check_log", "open_log"]
