"""Features that DVC lacks: fingerprints of code, shares, restoring, recovery after a kill, verification, the doctor."""
