"""Hand-coded derivatives in plain NumPy, and the page they come from: what is checked.

The rule of the room: it shares nothing with what checks it. Everything here imports NumPy and the
standard library, and nothing else of chainrule, so that an agreement between the two is evidence.

`activations` σ and σ′, stable · `network` the dense network of any widths and depth · `heart` its
training data · `lecture` the same for 1-n1-n2-2 in the style of the page, with its weights as
module globals · `page` the derivations and the claims of the page, as data.
"""
