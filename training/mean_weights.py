"""The mean of the weights of two runs of which the second began where the first ended.

Source: Wortsman et al., Model soups, 2022.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import load_file, save_file


def main() -> None:
    """Write the mean of two files of weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, nargs=2)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    first, second = (load_file(path) for path in arguments.weights)
    mean = {name: (value + second[name]) / 2 if value.is_floating_point() else value for name, value in first.items()}
    save_file(mean, arguments.out)


if __name__ == "__main__":
    main()
