"""Numbers over time: every measure is declared once, compiled to SQL over the rollup, and read from here.

`catalogue` knows the measures, `query` what can be asked of one, `compile` makes SQL of it, `reader`
is what the other rooms use.
"""
