"""Tests of the sources of context."""
