"""The leaderboard: a folder of entries in git, its rules, and the static page built from it.

``entries`` reads one entry, ``rules`` says which are accepted, ``adding`` makes one from a
result, ``board`` ranks what can be compared, ``site`` writes the page, ``verification`` scores
a submission again.
"""
