"""Inspection of undescribed files, for `versus add`."""
