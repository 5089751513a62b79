"""Benchmarks: the studio compared with a plain sequential crew, and its API with a FastAPI application. ``python -m bench --help``."""
