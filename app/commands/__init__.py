"""The `plantao` commands, each in the file of its name; `app.cli` puts them together.

The other files: `options` every command's options, `client` the HTTP API of a running service,
`terminal` what is printed. Modules that take long to load are imported in the functions that
need them, so that every command starts fast.
"""
