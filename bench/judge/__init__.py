"""Blind comparisons of the studio's articles with those of other systems, over the same brief and sources."""
