"""Out of ZEGA: training data and models in the forms that other tools read."""
