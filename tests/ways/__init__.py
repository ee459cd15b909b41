"""Ways in which people write the same layer: everyday NumPy by many hands, none of it changed for
us. The modules here are what is followed; `told` says of each way where it is evaluated, by what it
is differentiated, and what the derivative is according to somebody else.
"""
