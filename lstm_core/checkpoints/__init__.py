"""Trained networks from elsewhere: what is in a file, and a model made of it.

Nothing in a file runs. Every file is read in a process of its own, with a limit on time and
memory, that hands over nothing but checked arrays of numbers and plain text.
"""
