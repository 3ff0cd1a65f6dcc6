"""What people look at of the persons of a video: faces as files, overviews of clusters, a timeline, lists."""
