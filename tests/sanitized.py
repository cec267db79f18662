"""A plugin of pytest for the run under AddressSanitizer, which `make sanitize` names with `-p`.

It refuses a run that would check nothing, and leaves out what has nothing to find there.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from torchdicom import _ext

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each with the reason; nothing that looks into the extension belongs here.
LEFT_OUT = {
    "test_benchmarks.py": "the judge and the pages of the benchmarks, with processes of their own",
    "test_benchmark_data.py": "the generator, read by pydicom and the reference",
    "test_benchmark_native.py": "C programs that torchdicom is measured beside",
    "test_benchmark_race.py": "the race of the benchmarks, with processes of their own",
    "test_benchmark_pairs.py": "the arithmetic of the benchmarks",
    "test_benchmark_index.py": "what the benchmarks ask of an index, with processes of their own",
    "test_benchmark_epoch.py": "what the benchmarks ask of an epoch, with processes of their own",
    "test_examples.py": "programs whose time is torch's; other tests load as they do",
    "test_examples_errors.py": "the same, told to do what they cannot",
    # A fork amid the end of another thread has glibc free that thread's storage once more in the
    # child (_dl_deallocate_tls), which nothing but this finds.
    "test_loader_fork.py::test_forks_while_other_threads_load_and_free": "a double free of glibc's",
    # A fork while another thread allocates leaves the lock of AddressSanitizer's allocator taken in
    # the child, which then waits for ever (clang 14 and GCC 12).
    "test_loader_fork.py::test_workers_that_are_forked_in_the_middle_of_a_pass": "a lock of ASan's",
    "test_index_atomic.py::test_killed_while_it_saves": "writes of pyarrow, 40 times stopped",
    "test_loader_memory.py::test_nothing_grows_over_a_thousand_loads": "what is freed is kept here",
    "test_benchmark_traps.py": "other readers, and the judge of what they give",
    "test_benchmark_traps_times.py": "the judge of what other readers give",
    "test_reference.py": "the reference backend alone",
    "test_reference_colour.py": "the reference backend alone",
    "test_reference_forms.py": "the reference backend alone",
    "test_reference_reduce.py": "the reference backend alone",
    "test_reference_series.py": "the reference backend alone",
    "test_reference_tables.py": "the reference backend alone",
    "test_hardening.py": "looks at the flags of a release; sanitizers take the place of most",
}


def faults() -> Iterator[str]:
    """What is wrong with the module or the run time that the tests would use."""
    module = Path(_ext.__file__).resolve()
    if module.parent != Path(os.environ["TORCHDICOM_SANITIZED"]).resolve():
        yield f"{module} is not the module that was built with sanitizers"
    code = module.read_bytes()
    for name in ("__asan_report_load", "__ubsan_handle"):
        if name.encode() not in code:
            yield f"{module} never calls {name}"
    if not hasattr(ctypes.CDLL(None), "__asan_init"):
        yield "the run time of AddressSanitizer is not preloaded"


def pytest_configure() -> None:
    """Refuse another module than the sanitized one, in every process of the run."""
    found = list(faults())
    if found:
        raise pytest.UsageError("; ".join(found))


def finds_nothing(item: pytest.Item) -> bool:
    """Whether it is listed above, or runs the reference alone: its twin runs the C++ core."""
    call = getattr(item, "callspec", None)
    is_reference = call is not None and call.params.get("backend") == "reference"
    names = item.path.name, f"{item.path.name}::{item.name}"
    return is_reference or any(name in LEFT_OUT for name in names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave them out; pytest counts them as deselected where it counts at all (not under xdist)."""
    config.hook.pytest_deselected(items=[item for item in items if finds_nothing(item)])
    items[:] = [item for item in items if not finds_nothing(item)]
