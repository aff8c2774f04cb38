"""Unwinding piles of samples: tables decoded into arrays, and a compiled loop over them."""

from stackweave.core.sframe.batch.batch import BatchUnwinder, Unwound, pack
from stackweave.core.sframe.batch.process import Tables

__all__ = ["BatchUnwinder", "Tables", "Unwound", "pack"]
