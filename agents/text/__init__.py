"""What code does with text: count it, compare it, compile its citations, hold it to its limits. Nothing here asks a model."""
