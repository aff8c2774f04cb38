"""Exploration at compiled speed: protocols as automata, and the engine that runs them."""
