"""The job name of earlier releases, which may still wait in Redis after an upgrade. Remove it in the next release."""

from agents.worker.jobs import run_next

__all__ = ["run_next"]
