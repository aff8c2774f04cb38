"""Tests of the SFrame room."""
