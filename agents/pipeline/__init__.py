"""The six stages of the recipe, one module each; ``agents.pipeline.recipe`` puts them in order."""
