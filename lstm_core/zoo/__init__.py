"""The models in the box, and the scripts that trained them.

    python -m lstm_core.zoo.shakespeare TEXT     a character language model
    python -m lstm_core.zoo.tagger FOLDER        part-of-speech taggers
    python -m lstm_core.zoo.sentiment FOLDER     a judge of film reviews
    python -m lstm_core.zoo.brackets             a counter of brackets

Each script trains, measures and writes ``models/<id>/``; ``--evaluate`` only measures again. One
that was interrupted goes on after the last whole epoch when it is run again.
"""
