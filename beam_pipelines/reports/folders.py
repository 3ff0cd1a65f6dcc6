"""The folders of a run in which commands tell of it, beside its tables; the same command writes them anew."""

EVALUATION, VERIFICATION, CALIBRATION = "evaluation", "verification", "calibration"
OF_PEOPLE = (EVALUATION, VERIFICATION)  # they show faces, or name them: a removal deletes them
