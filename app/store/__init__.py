"""The only SQL: rows to core objects and back."""
