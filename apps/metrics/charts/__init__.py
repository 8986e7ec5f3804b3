"""Geometry of the charts that the server draws: pure functions from numbers to coordinates.

What lies across is given in percent of the width, what lies up and down in pixels: crisp at any width, and no inline
style is needed.
"""
