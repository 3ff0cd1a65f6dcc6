"""How well a run agrees with labels: which faces they mean, and the measures of agreement."""
