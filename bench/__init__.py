"""Benchmarks: the studio beside a plain sequential crew, and its API beside a FastAPI application. ``python -m bench --help``."""
