"""Golden values for agreement: statsmodels.

Run from the project's root: python3 scripts/golden/agreement.py
"""

import json
import platform

import numpy as np
import statsmodels
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

tables = {
    "yes_no": [[70, 5], [9, 16]],
    "rare": [[480, 6], [11, 3]],
    "worse_than_chance": [[3, 20], [17, 5]],
    "four_categories": [[20, 3, 1, 0], [2, 30, 4, 1], [0, 6, 25, 2], [1, 0, 3, 11]],
    "empty_category": [[20, 3, 0], [4, 30, 0], [0, 0, 0]],
}


def case(table):
    found = cohens_kappa(np.array(table, float))
    equal, total = int(np.trace(table)), int(np.sum(table))
    return {
        "table": table,
        "kappa": found.kappa, "std_error": found.std_kappa, "statistic": found.z_value,
        "p_value": found.pvalue_two_sided, "low": found.kappa_low, "high": found.kappa_upp,
        "agreement": equal / total,
        "wilson": list(proportion_confint(equal, total, method="wilson")),
    }


golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "statsmodels": statsmodels.__version__,
    },
    **{name: case(table) for name, table in tables.items()},
}
with open("crates/math/tests/golden/agreement.json", "w") as out:
    json.dump(golden, out, indent=0)
