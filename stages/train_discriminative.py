"""Stage `train_discriminative`: fit one discriminative cell."""

from stages import entry, train


def main(cell: str) -> None:
    """Write models/<cell>/."""
    train.main("discriminative", cell)


if __name__ == "__main__":
    entry.run(main, arguments=1)
