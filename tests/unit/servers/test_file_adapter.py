"""What is sent to change a file, and what is made of the answers, without a server."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatpool.api.licenseserver import LicenseServerSpec
from seatpool.api.list_backends import FlexnetSettings, ListFileFormat, ListFileSettings
from seatpool.servers.command_result import Result
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm.adapter import adapter_for
from seatpool.servers.ssm.file_adapter import FlexnetAdapter, ListFileAdapter
from seatpool.servers.ssm.payload import BYTES_IN_A_LINE, SEND_LIMIT, Header, Splice, byte_lines, byte_stages, unpack

CONTENTS = st.lists(st.sampled_from((b"ann\n", b"bob\n", b"# x\r\n", b"\xff\\", b"")), max_size=30).map(b"".join)


def read_as_printf_does(lines: list[str]) -> bytes:
    text = "".join(line.removeprefix("t ") for line in lines).encode("ascii")
    return re.sub(
        rb"\\(n|\\|0[0-7]{3})",
        lambda found: {b"n": b"\n", b"\\": b"\\"}.get(found[1]) or bytes([int(found[1], 8)]),
        text,
    )


@given(CONTENTS, CONTENTS)
def test_a_splice_makes_the_new_file_of_the_old_one(old: bytes, new: bytes) -> None:
    splice = Splice.between(old, new)
    assert old[: splice.keep] + splice.middle + old[splice.resume - 1 :] == new
    assert splice.resume - 1 >= splice.keep
    if old == new:
        assert splice.middle == b""


@given(st.binary(max_size=5000))
def test_any_bytes_are_carried_by_printable_lines(data: bytes) -> None:
    lines = byte_lines(data)
    assert all(line.isprintable() and line.isascii() and len(line) <= 2 + 5 * BYTES_IN_A_LINE for line in lines)
    assert read_as_printf_does(lines) == data


def test_parts_of_many_bytes_fit_and_are_the_bytes() -> None:
    data = bytes(number * 2654435761 % 251 for number in range(200_000))
    parts = byte_stages(Header(revision=1, owner="here", takeover=None, state_dir="/s"), "vew", "/f", data)
    assert all(len(part) <= SEND_LIMIT for part in parts)
    carried = b"".join(read_as_printf_does([line for line in unpack(part) if line.startswith("t ")]) for part in parts)
    assert carried == data
    assert [[line for line in unpack(part) if line.startswith("part ")] for part in parts] == [
        [f"part {number}"] for number in range(1, len(parts) + 1)
    ]


PRODUCTS = st.lists(
    st.from_regex(re.compile(r"[a-z][a-z0-9.+-]{0,9}"), fullmatch=True), unique=True, min_size=1, max_size=70
)


@given(PRODUCTS, st.sampled_from(("/etc/vendor.opt", "/etc/{product}.opt")))
def test_no_piece_of_a_command_writes_a_file_twice(products: list[str], path: str) -> None:
    adapter = FlexnetAdapter(settings=FlexnetSettings(options_file=path))
    changes = tuple(ListChange(product=product, users=()) for product in products)
    pieces = adapter.split(ListCommand(revision=1, owner="here", changes=changes))
    assert [change for piece in pieces for change in piece.changes] == list(changes)
    assert all(len(piece.changes) == 1 for piece in pieces) or "{product}" in path
    assert len(pieces) == (len(products) if "{product}" not in path else -(-len(products) // 30))
    reading = adapter.split(ListCommand(revision=1, owner="here", products=tuple(products)))
    assert len(reading) == -(-len(products) // 30)


def spec(**section: Any) -> LicenseServerSpec:
    return LicenseServerSpec.model_validate(
        {"target": {"instanceId": "i-0123456789abcdef0"}, "region": "eu-central-1", **section}
    )


def test_the_section_of_a_license_server_chooses_the_adapter() -> None:
    flexnet = adapter_for(spec(flexnet={"optionsFile": "/o"}, names={"template": "{user}@x"}))
    assert isinstance(flexnet, FlexnetAdapter)
    assert flexnet.names.name("ann") == "ann@x"
    assert flexnet.capabilities.empty_is_placeholder
    file = adapter_for(spec(listFile={"path": "/o", "format": "Json", "keys": ["{product}"]}))
    assert isinstance(file, ListFileAdapter)
    assert not file.capabilities.empty_is_placeholder
    assert file.settings.format is ListFileFormat.JSON


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (FlexnetSettings, {"optionsFile": "relative"}),
        (FlexnetSettings, {"optionsFile": "/o/{file}"}),
        (FlexnetSettings, {"optionsFile": "/o\n"}),
        (FlexnetSettings, {"optionsFile": "/o", "feature": 'f" USER eve'}),
        (FlexnetSettings, {"optionsFile": "/o", "feature": "f\nINCLUDEALL"}),
        (FlexnetSettings, {"optionsFile": "/o", "feature": "#f"}),
        (FlexnetSettings, {"optionsFile": "/o", "feature": "f\\"}),
        (FlexnetSettings, {"optionsFile": "/o", "feature": " f"}),
        (FlexnetSettings, {"optionsFile": "/o", "group": "a b"}),
        (ListFileSettings, {"path": "/o", "format": "Ini", "section": "a]\n[b"}),
        (ListFileSettings, {"path": "/o", "format": "Csv", "column": 'a"b'}),
    ],
)
def test_a_setting_that_could_mean_something_else_in_the_file_is_refused(model: Any, values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(values)


def test_a_command_that_reads_needs_no_reading_before_it() -> None:
    adapter = FlexnetAdapter(
        settings=FlexnetSettings(options_file="/o", status=("lmstat", "-f", "{product}", "{file}"))
    )
    read = ListCommand(revision=1, owner="here", products=("vew",))
    assert adapter.reading(read) is None
    assert any(line.startswith("status ") for line in unpack(adapter.parameters(read)[0]["Payload"][0]))
    write = ListCommand(revision=1, owner="here", changes=(ListChange(product="vew", users=()),))
    reading = adapter.reading(write)
    assert reading is not None
    assert not any(line.startswith("status ") for line in unpack(reading["Payload"][0]))


def test_a_path_that_becomes_too_long_is_told_before_anything_is_sent() -> None:
    adapter = ListFileAdapter(settings=ListFileSettings(path="/" + "{product}" * 9))
    write = ListCommand(revision=1, owner="here", changes=(ListChange(product="p" * 60, users=()),))
    answer = '{"v":1,"revision":1,"results":[]}'
    (send,) = adapter.parameters(write, [answer])
    (problem,) = [line for line in unpack(send["Payload"][0]) if line.startswith("problem ")]
    assert "longer than 255 characters" in problem


def test_an_answer_of_another_document_is_told() -> None:
    adapter = ListFileAdapter(settings=ListFileSettings(path="/o"))
    listed = '{"length":4,"sha":"' + "0" * 64 + '","sorted":"' + "0" * 64 + '"}'
    entry = (
        f'{{"product":"vew","result":"listed","fence":0,"owner":"","code":0,"detail":"","late":"","listed":{listed}}}'
    )
    report = adapter.parse([f'{{"v":1,"revision":1,"results":[{entry}]}}\n= vew 0 AAAA\n']).products["vew"]
    assert report.result is Result.FAILED
    assert "SSM document" in report.detail
