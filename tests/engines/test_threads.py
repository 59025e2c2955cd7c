"""Work in threads, in order."""

import threading

import pytest
import torch

from chorus_bench.engines.threads import cpu_count, in_order, torch_threads


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_few_items_are_drawn_ahead(threads):
    drawn = 0

    def items():
        nonlocal drawn
        for number in range(20):
            drawn += 1
            yield number

    for expected, (item, result) in enumerate(in_order(lambda n: n * n, items(), threads)):
        assert (item, result) == (expected, expected**2)
        assert drawn <= expected + threads + 1


def test_several_run_at_once():
    meeting = threading.Barrier(2, timeout=300)
    assert len(list(in_order(lambda _: meeting.wait(), range(4), 2))) == 4
    assert cpu_count() >= 1


def test_errors_come_out():
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda n: 1 / n, [1, 0, 1], 2))


def test_torch_has_as_many_threads_as_before_after_the_block():
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with torch_threads():
        assert torch.get_num_threads() == before
        torch.set_num_threads(before + 2)
    assert torch.get_num_threads() == before
    with pytest.raises(KeyError), torch_threads(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before


def test_what_still_runs_is_stopped_before_it_is_waited_for():
    stopped = threading.Event()

    def until_stopped(number: int) -> int:
        assert number == 0 or stopped.wait(60)
        return number

    results = in_order(until_stopped, range(9), 2, stop=stopped.set)
    assert next(results) == (0, 0)
    results.close()  # would wait a minute if the others were not stopped
    assert stopped.is_set()
