"""Policies that find evidence, one a file. None imports another; `judge` climbs over them."""
