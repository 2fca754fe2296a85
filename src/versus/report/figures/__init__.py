"""The pictures: geometry here, markup in ``templates/figures``. No plotting library and nothing random, so the same
numbers give the same bytes, and the page's style sheet gives the colours, light or dark.
"""
