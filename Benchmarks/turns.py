# SPDX-License-Identifier: Apache-2.0
"""Commands side by side: each once a round, in turns, so that what else the machine does disturbs all of them alike."""
import pathlib
import resource
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / ".build/release"


def used():
    """Processor seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def once(command):
    """Wall and processor seconds of one shell command, which must succeed."""
    cpu, start = used(), time.monotonic()
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start, used() - cpu


def in_turns(commands, rounds):
    """name -> (median wall, median CPU) in seconds, and the medians of the ratios to the first command."""
    rows = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            rows[name].append(once(command))
    base = rows[next(iter(rows))]
    figures = {}
    for name, times in rows.items():
        ratios = [[mine[i] / theirs[i] for mine, theirs in zip(times, base)] for i in (0, 1)]
        figures[name] = [statistics.median(column) for column in zip(*times)] + [statistics.median(r) for r in ratios]
    return figures


def table(head, rows):
    """Prints a table with aligned columns."""
    rows = [head, *rows]
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(head))]
    for row in rows:
        print("  ".join(str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))), flush=True)
