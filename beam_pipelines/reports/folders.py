"""What commands write into a run's folder beside its tables; the same command writes it anew."""

EVALUATION, VERIFICATION, CALIBRATION = "evaluation", "verification", "calibration"  # folders
CALIBRATION_FILES = ("calibration.json", "calibration.png")  # the record and the picture, in the folder of that name
REPORT = "report.html"  # the page of `manyfaces report`
VIDEO = "video.csv"  # the list of the one video that `manyfaces.persons.extract` was given
OF_PEOPLE = (EVALUATION, VERIFICATION, VIDEO, REPORT)  # they show faces, or name them: a removal deletes them
