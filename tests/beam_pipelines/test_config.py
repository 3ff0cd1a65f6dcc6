import re

import pytest
from pydantic import Field

from beam_pipelines import config
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from transforms.settings import Settings


class Crop(Settings):
    """A block two levels down."""

    padding: float = Field(0.05, ge=0, le=1)
    side: int | None = Field(None, gt=0)


class Bodies(Settings):
    """A block."""

    min_score: float = Field(0.7, ge=0, le=1)
    crop: Crop = Crop()
    extra: Crop | None = None
    names: tuple[str, ...] = ()


class SmallConfig(RecipeConfig):
    """A small recipe's configuration."""

    jobs: list[list[str]] = Field([["bodies"]])
    name: str = Field(description="required")
    bodies: Bodies = Bodies()
    variants: dict[str, Crop] = Field({})


SMALL = Recipe("small", SmallConfig, lambda c, run: [], lambda c: {}, lambda c, m, run: None, lambda c, rows: 1)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a configuration file of the small recipe; returns its path."""
    monkeypatch.setattr(config, "recipe", lambda name: SMALL)

    def make(text: str) -> str:
        path = tmp_path / "small.yaml"
        path.write_text(text)
        return str(path)

    return make


def load(path: str, *overrides: str) -> SmallConfig:
    return config.load(path, list(overrides))[1]


GOOD = "recipe: small\nname: mine\n"


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "just words", "- recipe: small", "name: mine", "recipe: 5"])
def test_what_is_no_mapping_with_a_recipe_is_refused(write, text):
    with pytest.raises(ConfigError, match=r"small\.yaml: .* key `recipe`; recipes: webbody"):
        load(write(text))


def test_defaults_fill_a_small_file(write):
    loaded = load(write(GOOD))
    assert (loaded.name, loaded.bodies.crop.padding, loaded.max_failed_share) == ("mine", 0.05, 0.5)


@pytest.mark.parametrize(
    "text", ["recipe: [", "recipe: small\n\tname: x", "a: b: c", "recipe: !!python/object:os.system x"]
)
def test_what_is_not_yaml_is_one_sentence(write, text):
    with pytest.raises(ConfigError, match="this is not YAML") as error:
        load(write(text))
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text_are_not_yaml(write, tmp_path):
    write("")
    (tmp_path / "small.yaml").write_bytes(b"recipe: \xff\xfe\x00")
    with pytest.raises(ConfigError, match="this is not YAML"):
        load(str(tmp_path / "small.yaml"))


WRONG = [
    ("nme: x", r"nme: unknown key; did you mean 'name'\?"),
    ("bodies: {min_scor: 0.5}", r"bodies\.min_scor: unknown key; did you mean 'min_score'\?"),
    ("bodies: {crop: {paddding: 0.5}}", r"bodies\.crop\.paddding: unknown key; did you mean 'padding'\?"),
    ("bodies: {extra: {sid: 5}}", r"bodies\.extra\.sid: unknown key; did you mean 'side'\?"),
    ("variants: {wide: {sde: 5}}", r"variants\.wide\.sde: unknown key; did you mean 'side'\?"),
    ("bodies: {zzz: 1}", r"bodies\.zzz: unknown key; there are: crop, extra, min_score, names\."),
    ("bodies: {min_score: high}", r"bodies\.min_score: .*number.*\(given: 'high'\)"),
    ("bodies: {min_score: 1.5}", r"bodies\.min_score: .*less than or equal to 1 \(given: 1\.5\)"),
    ("bodies: {crop: {side: 0}}", r"bodies\.crop\.side: .*greater than 0 \(given: 0\)"),
    ("bodies: {names: top}", r"bodies\.names: write it as a list, for example \[a, b\] \(given: 'top'\)"),
    ("bodies: 5", r"bodies: .*given: 5"),
    ("jobs: [download]", r"jobs\.0: .*given: 'download'"),
    ("models: {device: tpu}", r"models\.device: .*given: 'tpu'"),
]


@pytest.mark.parametrize(("line", "words"), WRONG)
def test_each_mistake_says_where_and_how_to_mend_it(write, line, words):
    with pytest.raises(ConfigError, match=rf"small\.yaml: {words}") as error:
        load(write(GOOD + line))
    assert "\n" not in str(error.value)


def test_a_required_key_is_named(write):
    with pytest.raises(ConfigError, match=r"small\.yaml: name: this key is required\.$"):
        load(write("recipe: small"))


def test_all_mistakes_are_told_at_once(write):
    with pytest.raises(ConfigError) as error:
        load(write("recipe: small\nbodies: {min_score: 2, crop: {sid: 1}}"))
    assert len(str(error.value).splitlines()) == 3


def test_a_long_value_is_shortened(write):
    with pytest.raises(ConfigError) as error:
        load(write(GOOD + f"bodies: [{', '.join(map(str, range(1000)))}]"))
    assert len(str(error.value)) < 400


OVERRIDES = [
    ([], 0.05, None),
    (["bodies.crop.padding=0.5"], 0.5, None),
    (["bodies.crop.padding=0.1", "bodies.crop.padding=0.2"], 0.2, None),
    (["bodies.crop={padding: 0.3, side: 7}"], 0.3, 7),
    (["bodies.crop.side=9"], 0.05, 9),
    (["bodies.crop.side="], 0.05, None),
]


@pytest.mark.parametrize(("overrides", "padding", "side"), OVERRIDES)
@pytest.mark.parametrize("text", [GOOD, GOOD + "bodies: {crop: {padding: 0.05}}"])
def test_overrides_are_yaml_at_any_depth(write, text, overrides, padding, side):
    crop = load(write(text), *overrides).bodies.crop
    assert (crop.padding, crop.side) == (padding, side)


def test_an_override_fills_an_empty_block(write):
    assert load(write(GOOD + "bodies:\n"), "bodies.crop.side=9").bodies.crop.side == 9


WRONG_OVERRIDES = [
    ("bodies", "write it as key=value"),
    ("=5", "write it as key=value"),
    ("name.first=x", "name is a value, not a block"),
    ("jobs.0=x", "jobs is a value, not a block"),
    ("bodies.crop=[", "the value is not YAML"),
    ("bodies.crop.pading=1", r"unknown key; did you mean 'bodies\.crop\.padding'\?"),
    ("bdies.crop.padding=1", r"unknown key; did you mean 'bodies\.crop\.padding'\?"),
    ("bdies.crop.pading=1", r"unknown key; did you mean 'bodies\.crop\.padding'\?"),
    ("padding=1", r"unknown key; did you mean 'bodies\.(crop|extra)\.padding'\?"),
    ("crop.padding=1", r"unknown key; did you mean 'bodies\.crop\.padding'\?"),
    ("variants.wide.sde=5", r"unknown key; did you mean 'variants\.wide\.side'\?"),
    ("qqqq=1", "unknown key; there are: bodies, "),
    ("bodies..crop=1", r"bodies\.: unknown key|unknown key; did you mean 'bodies\.crop'\?"),
    ("bodies.min_score=7", r"Input .*\(given: 7\)"),
    ("bodies={min_score: 7}", r"bodies\.min_score: .*\(given: 7\)"),
    ("bodies.crop.padding.x=1", r"bodies\.crop\.padding: .*\(given: {'x': 1}\)"),
    ("recipe=5", "key `recipe`"),
]


@pytest.mark.parametrize(("override", "words"), WRONG_OVERRIDES)
def test_a_wrong_override_says_how_to_mend_it(write, override, words):
    with pytest.raises(ConfigError, match=f"^--set {re.escape(override)}: .*{words}") as error:
        load(write(GOOD + "jobs: [[bodies]]"), override)
    assert "\n" not in str(error.value)


BLAME = [
    ("bodies: {min_score: 2}", ["bodies.crop.side=0"], ["small.yaml: bodies.min_score", "--set bodies.crop.side=0: "]),
    ("bodies: {min_score: 2}", ["bodies.crop.side=1"], ["small.yaml: bodies.min_score"]),
    ("bodies: {min_score: 2}", ["bodies.min_score=3"], ["--set bodies.min_score=3: "]),
    ("bodies: {min_score: 2}", ["bodies.min_score=0.5"], []),
    ("", ["max_failed_share=2", "max_failed_share=3"], ["--set max_failed_share=3: "]),
    ("", ["max_failed_share=1", "nme=x"], ["--set nme=x: unknown key"]),
    ("", [f"nme={'x' * 500}"], [f"--set nme={'x' * 113}...: unknown key"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "overrides", "starts"), BLAME)
def test_each_mistake_is_blamed_on_who_made_it(write, tmp_path, text, overrides, starts):
    try:
        load(write(GOOD + text), *overrides)
        told = []
    except ConfigError as error:
        told = [line.removeprefix(f"{tmp_path}/") for line in str(error).splitlines()]
    assert [line[: len(start)] for line, start in zip(told, starts, strict=True)] == starts


ALL = "there are: anonymize, anonymize_images, face_clips, face_generation, object_tracks, person_clustering, webbody"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("webbdy", "did you mean 'webbody'"),
        ("", ALL),
        ("zzzz", ALL),
    ],
)
def test_an_unknown_recipe_is_named_with_those_that_are(name, words):
    with pytest.raises(ConfigError, match=f"no recipe {name!r}; {words}"):
        config.recipe(name)


def test_a_missing_file_is_named_with_what_is_shipped(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: there is no such configuration file; .*: .*webbody"):
        config.load(str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize("name", ["webbody", "webbody.yaml"])
def test_a_shipped_configuration_is_found_by_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config.find(name).endswith("webbody.yaml")
    (tmp_path / "webbody").mkdir()  # the folder of a run, say
    assert config.find("webbody") == config.find("webbody.yaml")
    (tmp_path / "webbody.yaml").write_text("recipe: webbody")
    assert config.find("webbody.yaml") == "webbody.yaml"


def test_a_folder_is_no_configuration(tmp_path):
    with pytest.raises(ConfigError, match="no such configuration file"):
        config.load(str(tmp_path))


def test_the_record_of_a_run_gives_its_configuration_back(write):
    loaded = load(write(GOOD), "bodies.crop.side=9")
    record = {"recipe": "small", "config": loaded.model_dump(mode="json")}
    assert config.from_record(record, []) == (SMALL, loaded)
    assert config.from_record(record, ["max_failed_share=1"])[1].max_failed_share == 1


def test_the_place_of_a_recipe_stands_for_a_configuration_of_its_defaults():
    recipe, settings = config.load("tests.beam_pipelines.numbers_recipe:RECIPE", ["factor=3"])
    assert (recipe.name, settings.model_dump()["factor"]) == ("numbers", 3)
    with pytest.raises(ConfigError, match=r"no\.where"):
        config.load("no.where:RECIPE")
