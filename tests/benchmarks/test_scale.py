"""The reckoning of docs/scale.md: hand-computed cases, laws, and that its tables are what the script prints."""

import math
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scale import costs as figures
from benchmarks.scale.__main__ import count, main, reprinted
from benchmarks.scale.limits import walls
from benchmarks.scale.model import Fleet, gpu_seconds, phases, size_of, total_hours
from benchmarks.scale.money import bill, stored_bytes
from benchmarks.scale.tables import many, number, quantity, verdict

ROOT = Path(__file__).parents[2]
COSTS = figures.load()
FLEET = Fleet()
SIZES = st.floats(1, 1e11)
FLEETS = st.builds(
    Fleet,
    cpu_workers=st.integers(1, 5000),
    gpu_workers=st.integers(1, 500),
    cores=st.integers(1, 64),
    rows_per_shard=st.sampled_from((100, 1000, 10_000)),
    profile=st.sampled_from(("cpu", "gpu")),
)
PLAIN = figures.replaced(  # round figures, for sums in the head
    COSTS,
    (
        *("stored_share=0.5", "bodies=2", "faces=2", "kept_share=0.5", "efficiency=1", "network=1e9"),
        *("split_seconds=1e-5", "split_requests=4", "writes_at_once=16", "request_seconds=0.25"),
        *("download_cpu=0.04", "image_bytes_in=1e6", "image_bytes=0", "fetch_seconds=1", "connections=50"),
        *("largest_host=0.1", "host_connections=100", "lookups=100", "lookup_rate=10"),
        *("count_seconds=0.1", "find_requests=4", "prove_requests=32", "footers_at_once=32", "progress_requests=2"),
        *("inference_cpu=0.2", "host_cpu=0.02", "body_bytes=1e5", "face_bytes=1e4", "write_rate=1000"),
        *(
            "search_flops=1e11",
            "cell_find_seconds=525",
            "cell_search_seconds=700",
            "cpu_dimension=100",
            "block=4000",
            "vector_bytes=200",
            "file_requests=2",
        ),
        *("read_rate=5000", "cluster_seconds=1e-5", "faces_an_identity=10", "centre_passes=2"),
        *("lookup_seconds=5e-7", "stream=1e8"),
        *("bundle_cpu=0.01", "records_a_file=50000", "bundle_threads=2", "record_bytes=5e4", "formats=3"),
    ),
)


def hours(items: float, fleet: Fleet, costs: figures.Costs) -> dict[tuple[str, str], float]:
    """Phase and resource -> hours."""
    found = phases(size_of(items, fleet, costs), fleet, costs)
    return {(phase.name, use.resource): use.hours for phase in found for use in phase.uses}


def test_sizes_of_one_image_and_of_a_million():
    assert size_of(1, FLEET, PLAIN).shards == 1
    assert astuple(size_of(1e6, FLEET, PLAIN)) == (1e6, 5e5, 1e6, 1e6, 5e5, 1000)


@pytest.mark.parametrize(
    ("phase", "resource", "seconds"),
    [
        ("manifest", "driver", 10 + 1000 * 4 * 0.25 / 16),  # 1e6 rows x 10 us, 1,000 shards x 4 requests
        ("download", "CPU", 1e6 * 0.04 / (10 * 4)),
        ("download", "network", 1e6 * 1e6 / (10 * 1e9)),
        ("download", "connections", 1e6 * 1 / (40 * 50)),  # 40 chunks at once, 50 transfers each
        ("download", "largest host", 1e5 * 1 / 100),
        ("download", "DNS", 1000 * 100 / (10 * 10)),
        ("download", "driver (progress)", 1000 * 1 * 2 * 0.25 / 32),
        ("inference", "driver (progress)", 1000 * 3 * 2 * 0.25 / 32),
        ("inference", "CPU", 5e5 * 0.2 / 40),
        ("inference", "network", (1e6 * 1e5 + 1e6 * 1e4) / (10 * 1e9)),
        ("inference", "object-store writes", 1000 * 3 * 2 / 1000),
        ("counts", "driver", 1000 * (0.1 + (4 + 32) / 32 * 0.25)),
        ("edges", "kNN", 700 * 100 / 512 / 40),  # a million faces, as measured, but of 100 numbers
        ("edges", "cells, in every process", 525 * 100 / 512),
        ("edges", "network", 40 * 1e6 * 200 / (10 * 1e9)),
        ("edges", "object-store reads", 40 * 1000 * 2 / 5000),
        ("edges", "reading in one process", 1000 * 2 * 0.25),
        ("identities", "all centres with all", 1e10 * 100 * 2 / (4 * 1e11)),
        ("identities", "clustering in one process", 1e6 * 1e-5),
        ("splits", "look-ups in one process", 5e5 * 5e-7),
        ("splits", "reading columns in one process", 1e6 * 1e5 / 1e8),
        ("bundle plan", "look-ups in one process", 2 * 5e5 * 5e-7),
        ("bundle plan", "reading columns in one process", (1e11 + 1e10) / 1e8),
        ("bundle files", "CPU", 5e5 * 0.01 / (10 * 2)),  # ten files, two threads each
        ("bundle files", "network", 5e5 * (1e5 + 1e4 + 3 * 5e4) / (10 * 1e9)),
    ],
)
def test_hours_by_hand(phase, resource, seconds):
    assert hours(1e6, Fleet(cpu_workers=10), PLAIN)[phase, resource] == pytest.approx(seconds / 3600)


@pytest.mark.parametrize(
    ("items", "fleet", "power"),
    [(2e4, FLEET, 2), (1e9, FLEET, 1.5), (1e9, Fleet(profile="gpu"), 1)],
    ids=["exact", "in cells", "within labels"],
)
def test_how_the_search_grows(items, fleet, power):
    more = figures.replaced(COSTS, ("block=1",))  # there is work for every core
    one, two = (hours(n, fleet, more)["edges", "kNN"] for n in (items, 2 * items))
    assert two == pytest.approx(2**power * one)


def test_gpu_seconds_are_flop_over_the_used_share_of_the_peak():
    given_ = ("person_flops=1e9", "face_flops=2e9", "embedding_flops=3e9", "gpu_flops=1e12", "gpu_use=0.1")
    costs = figures.replaced(PLAIN, given_)
    assert gpu_seconds(costs) == pytest.approx((1e9 + 2 * 2e9 + 2 * 3e9) / 1e11)
    uses = phases(size_of(1e6, FLEET, costs), Fleet(profile="gpu"), costs)[2].uses
    assert [use.basis for use in uses if use.resource == "GPU"] == ["assumed"]


def test_few_pieces_of_work_leave_cores_idle():
    ten_shards = hours(10_000, Fleet(cpu_workers=10), PLAIN)["download", "CPU"]
    assert ten_shards == pytest.approx(10_000 * 0.04 / 10 / 3600)


def test_the_slowest_resource_decides_a_phase_and_phases_add_up():
    found = phases(size_of(1e6, FLEET, PLAIN), FLEET, PLAIN)
    patient = figures.replaced(PLAIN, ["fetch_seconds=1000"])
    assert phases(size_of(1e6, FLEET, patient), FLEET, patient)[1].slowest.resource == "largest host"
    assert total_hours(found) == pytest.approx(sum(max(use.hours for use in phase.uses) for phase in found))


@given(st.floats(1e7, 1e11), st.floats(1, 100), st.builds(Fleet, cpu_workers=st.integers(1, 50)))
def test_more_images_never_take_less(items, factor, fleet):
    """From where there is work for every core on; below, one more shard may make two cores busy instead of one."""
    few, more = (hours(n, fleet, COSTS) for n in (items, items * factor))
    assert all(more[use] >= found * (1 - 1e-9) for use, found in few.items())


@given(SIZES, FLEETS)
def test_twice_the_workers_never_take_longer(items, fleet):
    twice = Fleet(
        *(2 * fleet.cpu_workers, 2 * fleet.gpu_workers, fleet.cores, fleet.memory_gb),
        *(fleet.rows_per_shard, fleet.profile, fleet.gpu_cores),
    )
    before, after = hours(items, fleet, COSTS), hours(items, twice, COSTS)
    for use, found in before.items():
        # each process of the search reads all vectors: there the bucket's reads grow with the workers
        most = 2 * found if use == ("edges", "object-store reads") else found
        assert after[use] <= most * (1 + 1e-9)


@given(SIZES, FLEETS)
def test_money_is_the_sum_of_its_parts(items, fleet):
    size = size_of(items, fleet, COSTS)
    parts = bill(size, phases(size, fleet, COSTS), fleet, COSTS)
    assert parts.total == pytest.approx(math.fsum(astuple(parts)))
    assert min(astuple(parts)) >= 0


def test_money_by_hand():
    free = ("vcpu_hour=0", "memory_hour=0", "gpu_hour=0", "shuffle_gb=0")
    prices = ("class_a=10", "class_b=100", "thousand_a=1", "thousand_b=0.1", "storage_month=0.01", "file_requests=0")
    costs = figures.replaced(PLAIN, (*free, *prices))
    size = size_of(1e6, FLEET, costs)
    parts = bill(size, phases(size, FLEET, costs), FLEET, costs)
    stored = stored_bytes(size, costs) / 1e9 * 0.01
    assert astuple(parts) == pytest.approx((0, 0, 10, 10, 0, stored))


def test_a_machine_that_waits_for_the_driver_is_not_paid():
    slow = figures.replaced(COSTS, ["request_seconds=100"])
    for costs in (COSTS, slow):
        found = phases(size_of(1e6, FLEET, costs), FLEET, costs)
        assert found[1].name == "download"
        assert found[1].paid_hours == max(u.hours for u in found[1].uses if not u.resource.startswith("driver"))
        assert found[0].paid_hours == 0


def test_walls_by_hand():
    costs = figures.replaced(COSTS, ["description_base=1000", "description_bytes=10", "description_limit=11000"])
    described = {n: walls(size_of(n, FLEET, costs), FLEET, costs)[0] for n in (1e6, 1.001e6)}
    assert [(wall.needed, wall.stops) for wall in described.values()] == [(11_000, False), (11_010, True)]


def test_every_figure_is_complete_and_used():
    text = "".join(path.read_text() for path in (ROOT / "benchmarks/scale").glob("*.py"))
    for name, cost in COSTS.items():
        assert cost.value > 0, name
        assert cost.source, name
        used = name.replace("cpu_dimension", "_dimension").replace("gpu_dimension", "_dimension")
        assert used in text, f"{name} stands in costs.yaml, but nothing is reckoned from it"


def test_the_least_sure_figure_decides_the_basis():
    assert figures.weakest(COSTS, []) == "measured"
    assert figures.weakest(COSTS, ["split_seconds"]) == "measured"
    assert figures.weakest(COSTS, ["split_seconds", "block"]) == "derived"
    assert figures.weakest(COSTS, ["split_seconds", "request_seconds", "block"]) == "assumed"


@pytest.mark.parametrize("text", ["nothing=1", "block", "block=many"])
def test_what_is_no_figure_is_refused(text):
    with pytest.raises(ValueError, match=f"--set {text}"):
        figures.replaced(COSTS, [text])


def test_an_incomplete_figure_is_refused(tmp_path):
    (tmp_path / "costs.yaml").write_text("block: [1, faces, guessed, nobody, 2026-01-01]")
    with pytest.raises(ValueError, match="block must be"):
        figures.load(tmp_path / "costs.yaml")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            [number(0), number(0.001), number(0.5), number(12.34), number(12_345)],
            ["0", "<0.01", "0.5", "12.3", "12,300"],
        ),
        ([quantity(1500, "bytes"), quantity(2.5e6, "faces"), quantity(3, "bytes")], ["1.5 kB", "2.5 M faces", "3 B"]),
        ([many(1e6), many(1e8), many(1e10), many(500)], ["1 million", "100 million", "10 billion", "500"]),
        ([count("1M"), count("2.5k"), count("10B"), count("7")], [1e6, 2500, 1e10, 7]),
    ],
)
def test_numbers_as_they_are_shown(shown, expected):
    assert shown == expected


@pytest.mark.parametrize("wrong", [["--items", "0"], ["--cpu-workers", "0"], ["--set", "nothing=1"]])
def test_wrong_arguments_end_with_a_sentence(wrong, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(wrong)
    assert "error: " in capsys.readouterr().err


def test_the_first_bottleneck_is_named():
    patient = figures.replaced(PLAIN, ["fetch_seconds=100000"])
    assert "1 million images: the first bottleneck is download (largest host), " in verdict(1e6, FLEET, patient)
    assert verdict(1e6, FLEET, PLAIN).endswith("all that must fit fits.")
    assert verdict(1e8, FLEET, COSTS).endswith("does not fit: all vectors in each search process.")


def test_the_terminal_shows_the_bottleneck_too(capsys):
    main(["--items", "1M"])
    assert "decided by" in capsys.readouterr().out


def test_a_document_is_printed_anew_in_place(tmp_path, capsys):
    block = "<!-- python -m benchmarks.scale --markdown --items 1M -->\n\n{}\n<!-- end -->"
    main(["--markdown", "--items", "1M"])
    document = tmp_path / "scale.md"
    document.write_text(f"before\n{block.format('old')}\nbetween\n{block.format('')}\nafter\n")
    main(["--document", str(document)])
    new = block.format(capsys.readouterr().out)
    assert document.read_text() == f"before\n{new}\nbetween\n{new}\nafter\n"


def test_the_tables_of_the_document_are_those_of_the_script():
    text = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    assert text.count("<!-- end -->") == 3
    assert reprinted(text) == text, "print them anew: python -m benchmarks.scale --document docs/scale.md"
