"""Stage `train_classical_generative`: fit one classical generative cell."""

from stages import entry, train


def main(cell: str) -> None:
    """Write models/<cell>/."""
    train.main("classical_generative", cell)


if __name__ == "__main__":
    entry.run(main, arguments=1)
