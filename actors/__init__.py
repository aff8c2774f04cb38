"""The live driver: CPU, task and tracer actors on trio or asyncio."""
