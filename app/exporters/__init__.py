"""What no component of the pipeline exports: Delta Lake tables, the registry, the model served."""
