from __future__ import annotations

import asyncio

import pytest

from server.shared import SharedWork


def test_work_is_done_once_for_all_and_anew_for_the_next() -> None:
    async def story() -> None:
        shared: SharedWork[int] = SharedWork()
        begun: list[int] = []

        async def work() -> int:
            begun.append(len(begun))
            await asyncio.sleep(0.05)
            return begun[-1]

        assert await asyncio.gather(*(shared.result("a", work) for _ in range(5))) == [0] * 5
        assert await shared.result("a", work) == 1

    asyncio.run(story())


def test_a_failure_reaches_everybody_and_is_not_remembered() -> None:
    async def story() -> None:
        shared: SharedWork[int] = SharedWork()

        async def fail() -> int:
            await asyncio.sleep(0)
            raise ArithmeticError

        async def work() -> int:
            return 1

        waiting = [shared.result("a", fail) for _ in range(3)]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [ArithmeticError] * 3
        assert await shared.result("a", work) == 1

    asyncio.run(story())


def test_work_goes_on_while_anybody_waits_and_is_given_up_when_nobody_does() -> None:
    async def story() -> None:
        shared: SharedWork[str] = SharedWork()
        given_up = asyncio.Event()

        async def work() -> str:
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError:
                given_up.set()
                raise
            return "done"

        first, second = (asyncio.create_task(shared.result("a", work)) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not given_up.is_set()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        async with asyncio.timeout(5):
            await given_up.wait()

    asyncio.run(story())
