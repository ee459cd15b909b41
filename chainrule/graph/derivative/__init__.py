"""The graph of the derivative: reverse and forward mode, simplified while they are built."""
