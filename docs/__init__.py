"""The documentation site: its pages, and what writes those that a run or the source decides."""
