"""The cost of model calls: prices, estimates, usage, and the budget that limits them."""
