"""The lowest layer: loads compiled programs and runs them on NumPy arrays.

Takes `Program` records (`program`). Gives callables (`execute`), memory (`buffers`), threads, the
disk cache, devices. Must not know: the IR, tracing, or anything of `lazir.compiler` and `lazir`.
"""
