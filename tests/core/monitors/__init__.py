"""Tests of the properties: each on events fed by hand, and on a program with its bug and one without."""
