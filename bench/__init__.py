"""Benchmarks of the studio against a plain sequential crew and a FastAPI application: ``python -m bench --help``."""
