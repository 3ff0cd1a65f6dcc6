"""What commands write into a run's folder beside its tables; the same command writes it anew."""

EVALUATION, VERIFICATION, CALIBRATION = "evaluation", "verification", "calibration"  # folders
VIDEO = "video.csv"  # the list of the one video that `manyfaces.persons.extract` was given
OF_PEOPLE = (EVALUATION, VERIFICATION, VIDEO)  # they show faces, or name them: a removal deletes them
