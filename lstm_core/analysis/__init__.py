"""What can be said about recorded arrays: array in, array out. No torch here.

The web server imports these modules, so that what is heavy (scipy) is imported by the function
that needs it, when it does.
"""
