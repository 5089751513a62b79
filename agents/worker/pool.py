"""A pool of worker processes forked from one parent that has already imported what they need.

``rq.WorkerPool`` forks too, but waits without limit for running jobs when it is stopped, leaves its workers behind
when it is killed, and needs seconds to notice a dead one among many.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import math
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from contentstudio.runtime.parent_death import die_with_parent

logger = logging.getLogger(__name__)

STOP = {signal.SIGTERM, signal.SIGINT}
WATCHED = STOP | {signal.SIGCHLD, signal.SIGALRM}
RESPAWN_DELAY = 0.5  # seconds before a worker is replaced, so that one that always fails does not use all the CPU
MIB = 1024 * 1024

Work = Callable[[], None]
"""The main function of a worker process."""

FEW = 4
"""Number of workers that get an article of their own before any gets a second: a crash ends all articles of its process."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # <malloc.h>
LARGE = 128 * 1024  # bytes; glibc's default, which no longer grows once it is set


class Pool:
    """Keeps a forked process for each of ``works``, which calls it, until SIGTERM or SIGINT.

    They then get SIGTERM: idle workers exit, busy ones have ``grace`` seconds to finish. After that they get a second SIGTERM,
    which makes an RQ worker abandon its job, and SIGKILL ``insistence`` seconds later.
    """

    def __init__(self, works: Sequence[Work], *, grace: float = 8.0, insistence: float = 2.0) -> None:
        self._idle = list(works)
        self._patience = (grace, insistence)
        self._works: dict[int, Work] = {}

    def run(self) -> None:
        """Fork, watch and replace workers; returns when all have ended after the stop."""
        return_freed_memory()
        gc.collect()
        gc.freeze()  # otherwise the collector writes into every page shared with the workers
        # Signals are taken from the queue one by one, so none is lost and none interrupts a fork before its pid is stored.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        try:
            self._keep_full(before)
            self._stop_all()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _keep_full(self, mask: Iterable[int]) -> None:
        while True:
            while self._idle:
                work = self._idle.pop()
                self._works[self._fork(work, mask)] = work
            if next_signal() in STOP:
                return
            if self._reap():
                if stopped_within(RESPAWN_DELAY):
                    return
                self._reap()

    def _fork(self, work: Work, mask: Iterable[int]) -> int:
        parent = os.getpid()
        if pid := os.fork():
            return pid
        code = 1
        try:
            for number in WATCHED:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            die_with_parent(parent)
            work()
            code = 0
        except Exception:
            logger.exception("A worker ended unexpectedly.")
        finally:
            os._exit(code)  # the parent's cleanup must not run in the child

    def _reap(self) -> bool:
        """Forget the workers that have ended. Returns whether there were any."""
        ended = [pid for pid in self._works if os.waitpid(pid, os.WNOHANG)[0]]
        self._idle += [self._works.pop(pid) for pid in ended]
        return bool(ended)

    def _stop_all(self) -> None:
        for seconds in self._patience:
            self._signal_all(signal.SIGTERM)
            deadline = time.monotonic() + seconds
            while self._works and (left := deadline - time.monotonic()) > 0:
                next_signal(left)
                self._reap()
        self._signal_all(signal.SIGKILL)
        for pid in self._works:
            os.waitpid(pid, 0)
        self._works.clear()

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._works:  # pids are not reused until the process is reaped, so none belongs to another program
            os.kill(pid, number)


def return_freed_memory() -> None:
    """Make glibc return large freed blocks, such as those of an image, in this process and its forks; see mallopt(3).

    By default it keeps ever larger freed blocks, and a heap for each thread: 6 MB for an article. Other C libraries do not, and
    have no ``mallopt``.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, LARGE)


def next_signal(seconds: float = 0.0) -> int:
    """Wait for the next of the watched signals; SIGALRM if none arrives within ``seconds`` (0: no limit)."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return signal.sigwait(WATCHED)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def stopped_within(seconds: float) -> bool:
    """Wait ``seconds``, or until a signal to stop arrives. Returns whether one did."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if next_signal(left) in STOP:
            return True
    return False


def shares(articles: int, maximum: int) -> list[int]:
    """How many of ``articles`` each worker may write at once, at most ``maximum`` each."""
    workers = max(min(articles, FEW), math.ceil(articles / maximum))
    return [articles // workers + (number < articles % workers) for number in range(workers)]


def default_count() -> int:
    """How many articles fit into half of this machine's memory, at 150 MB each; 4 to 48.

    Measured: a worker and its job have 60 to 80 MB of their own, for one article or four; the rest is for exports, the page
    cache and peaks.
    """
    return max(4, min(48, memory() // 2 // (150 * MIB)))


def memory() -> int:
    """Bytes of this machine, or the limit of this container if that is less."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else "max"
    return physical if text == "max" else min(physical, int(text))
