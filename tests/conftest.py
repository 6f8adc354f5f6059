"""One thread for NumPy's and SciPy's BLAS in tests: several test processes share the processors,
and OpenBLAS's threads wait for each other by spinning, which makes small matrices a thousand times
slower there. Set before NumPy is imported; a setting of your own stays.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
