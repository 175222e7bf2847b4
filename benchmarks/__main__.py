"""``python -m benchmarks [--quick]``: see :mod:`benchmarks.speed.run`."""

from benchmarks.speed.run import main

if __name__ == "__main__":
    main()
