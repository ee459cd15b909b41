"""Calls that are refused by name, with what to write instead."""

from __future__ import annotations

import numpy as np

from chainrule.code.table.row import refuse

_ORDER = "which entry comes where is not followed. It can still be checked on exact numbers"
for _name in (
    *("sort", "argsort", "partition", "argpartition", "lexsort", "unique", "searchsorted"),
    *("median", "percentile", "quantile", "histogram", "digitize"),
):
    refuse(f"np.{_name}", getattr(np, _name), says=_ORDER)
for _name in ("nonzero", "flatnonzero", "argwhere", "extract", "compress"):
    refuse(
        f"np.{_name}",
        getattr(np, _name),
        says="the size of its result depends on the values. Multiply by the mask, or use np.where",
    )
for _name in (
    *("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian"),
    *("nancumsum", "nancumprod", "nanargmax", "nanargmin"),
):
    refuse(
        f"np.{_name}",
        getattr(np, _name),
        says=f"entries that are no numbers have no derivative. Mask them and use np.{_name[3:]}",
    )
refuse(
    "np.nan_to_num",
    np.nan_to_num,
    says="it hides where the code is undefined. Use np.where on what makes it so",
)
