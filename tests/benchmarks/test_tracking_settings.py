from beam_pipelines.recipes.object_tracks import ObjectTracksConfig
from benchmarks.tracking import SETTINGS


def test_the_benchmark_follows_with_the_recipe_s_settings():
    assert ObjectTracksConfig().tracks.tracker == SETTINGS
