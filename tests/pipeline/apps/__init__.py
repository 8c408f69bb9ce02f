"""The pipeline's own programs, small but real. They run in .venv-pipeline, each as a process.

What a fault changes about one of them it says in a file of orders (`orders.py`), as a deploy or a
customer's new habit would: the programs read it again and again.
"""
