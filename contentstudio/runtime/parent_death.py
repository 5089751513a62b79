"""Parent-death signal: a child process is killed when its parent dies.

A parent that exits normally stops its children itself. This is for ``kill -9`` of the parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

# Loaded at import: between fork and exec a child must not open libraries.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when ``parent``, the pid that forked it, dies; see prctl(2).

    It is not inherited by children, and is sent when the *thread* that forked ends: fork from the main thread. Does nothing
    on systems other than Linux.
    """
    if _libc is None:
        return
    if _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != parent:  # it died before the call above
        os.kill(os.getpid(), signal.SIGKILL)
