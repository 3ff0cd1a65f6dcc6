import pytest
import yaml

from transforms.images.settings import StoreSettings


@pytest.mark.parametrize("text", ["mode: no", "mode: 'no'"])
def test_the_mode_no_may_be_written_bare(text):
    assert StoreSettings(**yaml.safe_load(text)).mode == "no"


def test_other_words_for_false_are_no_modes():
    with pytest.raises(ValueError, match="mode"):
        StoreSettings(mode=0)
