"""Long computing: a job is a chain of short chunks on a few workers.

A page needs six calls: :meth:`Manager.run_inline` (result at once, or None and the job runs), :meth:`Manager.touch`
while it looks, :meth:`Manager.result`, :meth:`Manager.partial`, :meth:`Manager.cancel` and :meth:`Manager.resume`. The
server calls :func:`prepare_process` once at its start.
"""

from nmf_core.jobs.manager import Manager, QueueFull, manager, shutdown
from nmf_core.jobs.process import one_thread
from nmf_core.jobs.view import JobView

__all__ = ["JobView", "Manager", "QueueFull", "manager", "prepare_process", "shutdown"]


def prepare_process(*, warm: bool = True) -> None:
    """Limit linear algebra of this process to one thread (same bits as in the workers) and start the workers.

    Call it once when the server starts, before the first fit. `warm` starts the workers in the background.
    """
    one_thread()
    if warm:
        manager().warm()
