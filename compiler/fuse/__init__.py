"""Fusion: from a Graph of ops to a Graph of kernels. `clusters.py` decides, `body.py` writes
bodies.
"""
