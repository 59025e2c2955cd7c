"""The builders as `datasets` builders (`GeneratorBasedBuilder`).

One module per builder, because `datasets` names its cache after the module's file. They write the
same rows as `chorus-bench datasets build`, straight into the cache of `datasets`.
"""
