"""Stage `train_deep_generative`: fit one deep generative cell."""

from stages import entry, train


def main(cell: str) -> None:
    """Write models/<cell>/."""
    train.main("deep_generative", cell)


if __name__ == "__main__":
    entry.run(main, arguments=1)
