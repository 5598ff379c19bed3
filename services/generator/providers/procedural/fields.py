"""The arrays that pictures are made of; float32 by habit, as it halves the time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]
Ints = NDArray[np.integer[Any]]
Points = NDArray[np.float64]
