"""The ladder: which policy is asked when, and what its answer makes of the status.

Holds no mathematics of its own. A formula climbs: shape, witness, identity, edges. A function
climbs: contract, witness over exact numbers (else black box); then its float64 code, apart. Code
against code: contract, enclosures of both graphs, exact numbers, black box; and its float64 code.
"""
