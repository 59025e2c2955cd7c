"""The builders as `datasets` builders (`GeneratorBasedBuilder`).

One module each, because `datasets` names its cache after the module's file. They give the same
rows as `chorus-bench datasets build`, straight into the cache of `datasets`.
"""
