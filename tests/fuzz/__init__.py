"""Hostile bytes for every reader of files: mutations of real ones, held against what their size explains."""
