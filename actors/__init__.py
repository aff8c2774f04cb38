"""The place of the live driver, CPU, task and tracer actors on trio or asyncio: nothing is here yet."""
