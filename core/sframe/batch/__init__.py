"""Unwinding piles of samples: tables decoded into arrays, and a compiled loop over them."""

from stackweave.core.sframe.batch.batch import BatchUnwinder, Unwound, pack
from stackweave.core.sframe.batch.process import Tables
from stackweave.core.sframe.batch.runner import LoopRunner
from stackweave.core.sframe.batch.tell import Walk

__all__ = ["BatchUnwinder", "LoopRunner", "Tables", "Unwound", "Walk", "pack"]
