"""Ties the life of a process to its parent's, so that nothing is left behind where the parent is killed outright.

A parent that ends in good order stops its children itself; this is for ``kill -9``, after which it can do nothing.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

# Loaded here, once: between fork and exec a child may neither import nor open libraries.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when ``parent``, the pid that forked it, dies; see prctl(2).

    The wish is forgotten on fork, so each generation asks for itself, and is bound to the *thread* that forked: fork
    from the main thread. Only Linux can do this; elsewhere the call does nothing.
    """
    if _libc is None:
        return
    if _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)
