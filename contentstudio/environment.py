"""The environment that the settings are read from, and that a backup notes."""

from __future__ import annotations

from functools import partial

from environs import Env

from contentstudio.secret_settings import read_secret

env = Env()
secret = partial(read_secret, env)
