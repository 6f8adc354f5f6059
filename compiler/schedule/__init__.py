"""Schedules: from a Kernel to a loop nest, one file a kernel kind."""
