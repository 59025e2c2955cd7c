"""``python -m chorus_bench`` is the command ``chorus-bench``."""

from chorus_bench.cli import main

if __name__ == "__main__":
    main()
