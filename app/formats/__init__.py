"""What other tools' files look like: field lists, words that a field may hold, ids. Readers and writers both look here.

Each module names its source and version; no module reads or writes anything.
"""
