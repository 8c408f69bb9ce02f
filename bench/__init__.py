"""The benchmarks: `python -m bench`. They print figures and assert nothing."""
