"""The models in the box, and the scripts that trained them.

    python -m lstm_core.zoo.shakespeare TEXT     a character language model
    python -m lstm_core.zoo.tagger FOLDER        a part-of-speech tagger

Each script trains, measures and writes ``models/<id>/``; ``--evaluate`` only measures again.
"""
