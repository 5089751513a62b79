"""The six stages of the recipe, one module each; ``agents.pipeline`` puts them in order."""
