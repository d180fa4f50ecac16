"""The GPU process: photos become boxes and vectors, labels become the next round."""

import os

# Idle OpenMP threads sleep instead of spinning: on cores that others use too, a spinning one costs the detector most of its
# speed (16-22 photos/s against 2-6, two busy cores). It must be set before torch is first imported, and this file is.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
