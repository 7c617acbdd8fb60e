"""RSS, Atom and RDF feeds, polled; nobody can be answered there.

This file stays empty: the process that reads a feed imports the package and must start at once.
"""
