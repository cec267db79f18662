"""What an index keeps of a file: technical attributes, what was asked for, and nothing else."""

from __future__ import annotations

import os
import pickle
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pydicom._dicom_dict
import pydicom.datadict
import pytest

import torchdicom as td
from builders import Element, ct_slice, write_series
from builders_bad import TEXT
from scanning import in_child, rows
from torchdicom import _attributes
from torchdicom._metadata import METADATA
from torchdicom._reading import HeaderReader
from torchdicom._schema import TABLE_NAMES

if TYPE_CHECKING:
    from pathlib import Path

TEXT_VRS = {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
# What an index has by design; DESIGN part 4 says why. UIDs are not secret, paths are the user's.
ALLOWED = set(METADATA) | set(TABLE_NAMES.values())
MARK = "MARKED"


def marked_elements() -> list[Element]:
    """Every text attribute of the dictionary that may stand in a data set, each with its mark."""
    elements = []
    for tag, (vr, _, _, _, keyword) in pydicom._dicom_dict.DicomDictionary.items():
        in_data_set = 0x0008_0000 <= tag < 0x7FE0_0000
        is_built = keyword == "SeriesDescription"
        if in_data_set and vr in TEXT_VRS and keyword not in ALLOWED and not is_built:
            elements.append(Element(tag, vr, f"{MARK}{tag:08X}"))
    return elements


def marked_nested() -> Element:
    """The same one level down, where technologists and physicians are named too."""
    inside = [Element(0x00401101, "SQ", [[Element(0x00080104, "LO", MARK + "code")]])]
    inside += [Element(0x00080080, "LO", MARK + "institution")]
    return Element(0x00081052, "SQ", [inside])


def write_marked(folder: Path) -> list[Path]:
    private = [Element(0x00091001, "LO", MARK + "private"), Element(0x00090010, "LO", MARK)]
    marked = [*marked_elements(), marked_nested(), *private]
    paths = write_series(folder, 3, SeriesDescription=MARK, extra=[marked] * 3)
    # Files that cannot be used leave their errors in the index.
    whole = paths[0].read_bytes()
    (folder / "cut.dcm").write_bytes(whole[:-5])
    (folder / "half.dcm").write_bytes(whole[: len(whole) // 2])
    for name in ("Rows", "PixelSpacing", "InstanceNumber"):
        absent: dict[str, Any] = {name: None}
        broken = ct_slice(extra=marked, **absent)
        (folder / f"no_{name}").write_bytes(broken)
    return paths


def content_of(index: td.Index, file: Path) -> bytes:
    """All that is in an index: its file, the rows as they are, and what it prints."""
    index.save(file)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, index.to_arrow().schema) as writer:
        writer.write_table(index.to_arrow())
    printed = repr(index.to_arrow().to_pylist()) + repr(index.skipped) + repr(list(index))
    printed += repr([dict(series.metadata) for series in index])
    table: bytes = sink.getvalue().to_pybytes()
    return file.read_bytes() + table + printed.encode()


def test_nothing_that_identifies_is_kept(tmp_path: Path) -> None:
    elements = marked_elements()
    assert len(elements) > 1500
    names = {pydicom.datadict.keyword_for_tag(one.tag) for one in elements}
    assert {"PatientName", "PatientID", "ReferringPhysicianName", "StationName"} <= names
    paths = write_marked(tmp_path / "marked")
    assert all(path.read_bytes().count(MARK.encode()) > 1500 for path in paths)

    index = td.scan(tmp_path / "marked")
    assert sum(series.shape[0] for series in index) >= 3
    assert index.skipped
    content = content_of(index, tmp_path / "i.parquet")
    assert b"ORIGINAL" in content  # what is there is found
    at = content.find(MARK.encode())
    assert at < 0, content[at - 50 : at + 80]


def test_what_was_asked_for_is_kept(tmp_path: Path) -> None:
    write_marked(tmp_path / "marked")
    index = td.scan(tmp_path / "marked", include_metadata=["PatientName", "(0010,1010)"])
    content = content_of(index, tmp_path / "i.parquet")
    assert {content.count(b"MARKED00100010") > 0, content.count(b"MARKED00101010") > 0} == {True}
    others = content.replace(b"MARKED00100010", b"").replace(b"MARKED00101010", b"")
    assert MARK.encode() not in others


def test_no_column_is_a_name_of_the_basic_profile() -> None:
    """A part of PS3.15 table E.1-1: what the basic profile removes or empties."""
    removed = """AccessionNumber AcquisitionDate AcquisitionTime ContentDate ContentTime
        DeviceSerialNumber InstitutionAddress InstitutionName OperatorsName OtherPatientIDs
        PatientAddress PatientAge PatientBirthDate PatientComments PatientID PatientName PatientSex
        PatientSize PatientWeight PerformingPhysicianName ProtocolName ReferringPhysicianName
        SeriesDate SeriesDescription SeriesTime StationName StudyDate StudyDescription StudyID
        StudyTime ImageComments AdditionalPatientHistory EthnicGroup Occupation"""
    assert ALLOWED.isdisjoint(removed.split())


def test_keywords_stand_for_their_tags() -> None:
    for keyword, tag in _attributes._NAMED.items():
        assert pydicom.datadict.tag_for_keyword(keyword) == tag, keyword
    for keyword in TABLE_NAMES.values():
        assert pydicom.datadict.tag_for_keyword(keyword) is not None, keyword


def test_included_attributes(tmp_path: Path) -> None:
    more = [Element(0x00100010, "PN", "M\xfcller^A"), Element(0x00180015, "CS", "HEAD ")]
    more += [Element(0x00080005, "CS", "ISO_IR 192"), Element(0x00200011, "IS", " 7 ")]
    write_series(tmp_path, 3, KVP=120, extra=[more] * 3)
    wanted = ["PatientName", "(0020,0011)", "(0018,9999)", "ImageType", "KVP", "InstanceNumber"]
    index = td.scan(tmp_path, include_metadata=wanted)
    series = index[0]
    named = {
        "PatientName": "M\xfcller^A",
        "SeriesNumber": "7",
        "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
        "InstanceNumber": 1,
    }
    plain = td.scan(tmp_path)[0].metadata
    assert plain["BodyPartExamined"] == "HEAD"
    assert plain["KVP"] == 120.0
    assert dict(series.metadata) == {**plain, **named}
    assert dict(series.load().metadata) == {**plain, **named}
    table = index.to_arrow()
    assert table.column("PatientName").to_pylist() == ["M\xfcller^A"] * 3
    assert table.column("(0018,9999)").to_pylist() == [None] * 3
    assert rows(index.refresh()) == rows(index)
    assert "PatientName" not in td.scan(tmp_path).to_arrow().column_names


def test_words_of_series_that_are_left_out_are_gone(tmp_path: Path) -> None:
    for uid in ("1.2", "1.3"):
        named = [Element(0x00100020, "LO", f"PATIENT {uid}")]
        write_series(tmp_path / uid, 2, SeriesInstanceUID=uid, extra=[named] * 2)
    index = td.scan(tmp_path, include_metadata=["PatientID"])
    assert words_of(index) == {"PATIENT 1.2", "PATIENT 1.3"}
    assert words_of(index.filter(key="1.2")) == {"PATIENT 1.2"}
    assert b"PATIENT 1.3" not in pickle.dumps(index["1.2"])
    shutil.rmtree(tmp_path / "1.2")
    assert words_of(index.refresh()) == {"PATIENT 1.3"}


def words_of(index: td.Index) -> set[str]:
    """All that its dictionary has, used or not."""
    chunks = index.to_arrow().column("PatientID").chunks
    return {word for chunk in chunks for word in chunk.dictionary.to_pylist()}


def test_more_included_than_the_index_has(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    file = tmp_path / "i.parquet"
    td.scan(tmp_path / "a", index=file)
    index = td.scan(tmp_path / "a", index=file, include_metadata=["SeriesDescription"])
    assert index.to_arrow().column("SeriesDescription").to_pylist() == ["built"] * 3
    assert "SeriesDescription" not in td.scan(tmp_path / "a", index=file).to_arrow().column_names


@pytest.mark.parametrize("name", ["PatientsName", "patientname", "", "(0010,001)", "(GGGG,0010)"])
def test_unknown_keyword(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no keyword that torchdicom knows"):
        td.scan(tmp_path, include_metadata=[name])


@pytest.mark.parametrize("name", ["(0002,0016)", "(7FE0,0010)", "(FFFE,E000)"])
def test_attribute_that_no_scan_reads(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no attribute in front of the pixels"):
        td.scan(tmp_path, include_metadata=[name])


def test_arguments_of_other_types(tmp_path: Path) -> None:
    anything: Any = td.scan
    for wrong in ({"include_metadata": "PatientName"}, {"include_metadata": [1]}):
        with pytest.raises(TypeError, match="include_metadata must"):
            anything(tmp_path, **wrong)
    with pytest.raises(TypeError, match="progress must be"):
        anything(tmp_path, progress="yes")
    with pytest.raises(TypeError, match="paths must be a path"):
        anything(b"bytes are files elsewhere")
    with pytest.raises(TypeError, match="index must be a path"):
        anything(tmp_path, index=3)
    with pytest.raises(ValueError, match="paths is an empty list"):
        td.scan([])
    with pytest.raises(ValueError, match="num_threads"):
        td.scan(tmp_path, num_threads=0)


def test_malformed_numbers_are_told_once(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 5, KVP=["120", "kV 120", "", "1,2", "80"])
    with pytest.warns(td.DicomWarning) as caught:
        index = td.scan(tmp_path / "a")
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "(0018,0060) KVP is not a decimal number in 2 files" in message
    assert str(tmp_path / "a" / "0001.dcm") in message
    assert caught[0].filename == __file__
    assert index.to_arrow().column("KVP").to_pylist() == [120.0, None, None, None, 80.0]


def test_texts_of_other_alphabets(tmp_path: Path) -> None:
    extra = [
        [Element(0x00080005, "CS", "ISO_IR 100"), Element(0x00080070, "LO", b"Fabr\xedk ")],
        [
            Element(0x00080005, "CS", "ISO_IR 144"),
            Element(0x00080070, "LO", b"\xb7\xd0\xd2\xde\xd4 "),
        ],
        [Element(0x00080070, "LO", b"\xe9cole")],
    ]
    write_series(tmp_path, 3, Manufacturer=None, extra=extra)
    table = td.scan(tmp_path).to_arrow()
    assert table.column("Manufacturer").to_pylist() == [
        "Fabr\xedk",
        "\u0417\u0430\u0432\u043e\u0434",
        "\ufffdcole",
    ]


def test_bytes_that_are_no_text_come_back(tmp_path: Path) -> None:
    """A text that tells series from each other keeps every byte: keys are made of them."""
    write_series(tmp_path, 3, ReceiveCoilName=b"\xff\x80coil", ImageType=b"\xe9\\PRIMARY ")
    index = td.scan(tmp_path)
    assert index.to_arrow().column("ReceiveCoilName").to_pylist() == ["\xff\x80coil"] * 3
    index.save(tmp_path / "i.parquet")
    assert td.open_index(tmp_path / "i.parquet")[0].load().data.shape == (3, 3, 4)


@pytest.mark.parametrize(("progress", "is_shown"), [(True, True), (False, False), (None, False)])
def test_progress(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    *,
    progress: bool | None,
    is_shown: bool,
) -> None:
    write_series(tmp_path, 3)
    td.scan(tmp_path, progress=progress)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert ("Reading headers" in printed.err, "3/3" in printed.err) == (is_shown, is_shown)


INTERRUPTED = """
import signal
from torchdicom import _update

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
folder, index, on, function, call = sys.argv[1:]
_update._CHUNK = 4
called, calls = getattr(_ext.HeaderRows, function), 0

def interrupted(*arguments, **options):
    global calls
    calls += 1
    if calls == int(call):
        os.kill(os.getpid(), signal.SIGINT)
    return called(*arguments, **options)

setattr(_ext.HeaderRows, function, interrupted)
try:
    td.scan(folder, **({"index": index} if on == "yes" else {}))
except KeyboardInterrupt:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    print(json.dumps(calls))
"""


def run_interrupted(
    folder: Path, index: Path | None, function: str = "read", call: int = 3
) -> None:
    """Ctrl-C in one call of a function of the core."""
    on = "no" if index is None else "yes"
    assert in_child(INTERRUPTED, folder, index, on, function, call) == call


def test_interrupted_scan_keeps_what_is_done(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 20)
    file = tmp_path / "i.parquet"
    run_interrupted(tmp_path / "a", None)
    assert not file.exists()
    run_interrupted(tmp_path / "a", file)
    with pytest.warns(td.DicomWarning, match="was interrupted"):
        part = td.open_index(file)
    assert part[0].shape == (8, 3, 4)
    assert "incomplete" in repr(part)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rows(part.refresh()) == rows(td.scan(tmp_path / "a"))
        whole = td.scan(tmp_path / "a", index=file)
        assert "incomplete" not in repr(whole)
        assert td.open_index(file)[0].shape == (20, 3, 4)


def test_interrupted_update_keeps_the_rest(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 20)
    file = tmp_path / "i.parquet"
    td.scan(tmp_path / "a", index=file)
    for path in sorted((tmp_path / "a").iterdir())[5:]:
        path.write_bytes(path.read_bytes() + b"\0\0")
    run_interrupted(tmp_path / "a", file)
    with pytest.warns(td.DicomWarning, match="was interrupted"):
        part = td.open_index(file)
    assert part[0].shape == (13, 3, 4)


def test_interrupted_when_all_is_read(tmp_path: Path) -> None:
    """What is left then takes no time to speak of, and is done first."""
    write_series(tmp_path / "a", 20)
    file = tmp_path / "i.parquet"
    run_interrupted(tmp_path / "a", file, "group", 1)
    assert rows(td.open_index(file)) == rows(td.scan(tmp_path / "a"))


def test_text_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update knows which files are no DICOM too."""
    folder, file = tmp_path / "a", tmp_path / "i.parquet"
    write_series(folder, 3)
    for i in range(5):
        (folder / f"{i}.txt").write_bytes(TEXT)
    td.scan(folder, index=file)
    asked: list[int] = []
    read = HeaderReader.read

    def counted(self: HeaderReader, files: Any) -> Any:
        asked.append(len(files))
        return read(self, files)

    monkeypatch.setattr(HeaderReader, "read", counted)
    td.scan(folder, index=file)
    os.utime(folder / "2.txt")
    td.scan(folder, index=file)
    assert asked == [1]
