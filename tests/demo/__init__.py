"""Tests of the demo: started for real, its stories told by HTTP."""
