"""Isolation: who hurts whom on a Kata host, with evidence, and which setting changes it."""

import os

# numpy is imported below this package only: its BLAS would start a thread a CPU for matrices that
# take a millisecond, and those threads spin - on a host that is watched for waiting
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
