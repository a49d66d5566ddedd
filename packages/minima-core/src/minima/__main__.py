"""``python -m minima``: the command `minima`."""

from .command import main

if __name__ == "__main__":
    raise SystemExit(main())
