"""What keeps a workspace from working, what mends each fault, and the mending where it is safe.

Each module looks at one topic: its functions yield findings, and change nothing.
"""
