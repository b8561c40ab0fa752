"""How accurate is each side, in what time? `python -m benchmarks.accuracy` fills the table, in pieces if need be.

Every side learns from the same training texts, cut into the same tokens, and chooses its settings on the same
validation texts: the official ones where there are some, else a tenth of the training texts, split off once for all
sides and seeds (ours splits off its own tenth, as users have it). What is chosen without a network (linear models,
fastText, our n-grams) is then fitted once more with the split-off tenth, as scikit-learn's searches do; a network
needs that tenth to know when to stop. Official validation texts are never learned from. The test texts are predicted
once for each result that is kept.
"""
