"""Questions and grounded answers spun from a company's domain graph and what was found on its pages.

After ConvKGYarn (Pradeep et al. 2024, arXiv 2408.05948): conversations over a graph,
from templates, in a mix that can be chosen.
"""
