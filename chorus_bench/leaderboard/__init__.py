"""The leaderboard: a folder of entries in git, its rules, and the static page built from it.

``entries`` reads an entry, ``rules`` decides which are accepted, ``adding`` makes one from a
result, ``board`` ranks comparable entries, ``site`` writes the page, and ``verification`` rescores
a submission.
"""
