"""Arguments and options shared by several commands: one name, one meaning, one help text.

The grammar is the same everywhere: repeatable options are named in the singular (``--category``),
``--format`` sets the output format, and ``--output`` the file or folder to write.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import chorus_bench.cli.completion as completion

if TYPE_CHECKING:
    from chorus_bench.engines import EngineSettings


#: Where jobs run.
EngineName = StrEnum("EngineName", ["LOCAL", "RAY"])
#: How a description is printed.
DataFormat = StrEnum("DataFormat", ["TABLE", "JSON"])
#: How a table is printed.
TableFormat = StrEnum("TableFormat", ["TABLE", "MARKDOWN", "LATEX"])
#: How a diagnosis is printed.
TextFormat = StrEnum("TextFormat", ["TABLE", "JSON", "MARKDOWN"])
#: How scores are printed.
ScoreFormat = StrEnum("ScoreFormat", ["TABLE", "JSON", "MARKDOWN", "LATEX"])
#: How boards are printed.
BoardFormat = StrEnum("BoardFormat", ["TABLE", "MARKDOWN", "LATEX", "CSV", "JSON"])


#: The option ``--format``; the parameter's enumeration lists the choices.
FORMAT = typer.Option("--format", help="Output format.")

Submission = Annotated[
    str,
    typer.Argument(
        help="Submission folder, .zip or .tar.gz; 'example' for the shipped one.",
        autocompletion=completion.submissions,
    ),
]
#: The names that results have.
RESULT_NAMES = "'example', or a baseline of the shipped leaderboard, such as 'chorus'"
ResultFolder = Annotated[
    str,
    typer.Argument(
        help="Result folder from `chorus-bench evaluate --output`; 'example' for the shipped "
        "submission, scored now.",
        autocompletion=completion.results,
    ),
]
BuiltDataset = Annotated[
    str,
    typer.Argument(
        help="A built dataset; 'simulated' for the full simulated test split.",
        autocompletion=completion.splits,
    ),
]
Results = Annotated[
    list[str],
    typer.Argument(help=f"Result folders; or {RESULT_NAMES}.", autocompletion=completion.results),
]
Split = Annotated[
    str,
    typer.Option(
        envvar="CHORUS_BENCH_SPLIT",
        help="Test split: Parquet files in a folder, or a name: example, simulated.",
        autocompletion=completion.splits,
    ),
]
Body = Annotated[
    str | None,
    typer.Option(
        envvar="CHORUS_BENCH_BODY",
        help="SMPL-format .npz or .pkl; the free body by default.",
        autocompletion=completion.bodies,
    ),
]
Population = Annotated[
    str,
    typer.Option(
        help="'benchmark': the categories that the split declares; 'all': every category in it.",
        autocompletion=completion.populations,
    ),
]
AllowOtherBody = Annotated[
    bool,
    typer.Option(
        "--allow-other-body",
        help="Use a body other than the split's; the signature states it.",
    ),
]
Categories = Annotated[
    list[str] | None, typer.Option("--category", help="Only this category; may be repeated.")
]
OneCategory = Annotated[
    list[str], typer.Option("--category", help="The category; exactly one here.")
]
MinSamples = Annotated[
    int | None, typer.Option(min=1, help="Leave out categories with fewer samples.")
]
Protocol = Annotated[
    str,
    typer.Option(
        help="'official' (the paper's numbers) or 'closed'.", autocompletion=completion.protocols
    ),
]
Track = Annotated[
    str | None,
    typer.Option(
        help="'canonical' or 'posed', by default as the submission says; 'conditioned': the field "
        "of each sample's own type of interaction.",
        autocompletion=completion.tracks,
    ),
]
Score = Annotated[
    str, typer.Option(help="mPAP or one of its variants.", autocompletion=completion.scores)
]
Measure = Annotated[
    str | None,
    typer.Option(
        help="Order by this measure against the truth in 3D, such as chamfer, f_10cm, soft_iou, "
        "brier or contact_f1, beside PAP."
    ),
]
Representation = Annotated[
    str | None,
    typer.Option(
        help="Only methods that submitted this: canonical, posed, conditioned, or what a "
        "submission was converted from, such as points."
    ),
]
Seed = Annotated[int, typer.Option(help="Random seed.")]

OutputFolder = Annotated[Path, typer.Option("--output", help="Folder to write.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing output.")]

Threads = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Processes and threads; by default one per processor."),
]
Workers = Annotated[int, typer.Option(min=1, help="Number of processes, or of Ray actors.")]
Processes = Annotated[int, typer.Option("--workers", min=1, help="Processes.")]
Engine = Annotated[
    EngineName | None, typer.Option(help="Processes of this machine, or a Ray cluster.")
]
Address = Annotated[
    str | None,
    typer.Option(help="Ray cluster, 'auto' or host:port; by default one is started."),
]
Gpus = Annotated[float, typer.Option(min=0, help="GPUs per Ray actor, e.g. 1 or 0.5.")]
Device = Annotated[str, typer.Option(help="Device of the models: cpu, cuda, cuda:1, mps.")]
GeometryDevice = Annotated[
    str,
    typer.Option(
        "--device",
        help="Where people are posed and spaces warped: cpu, or cuda (extra torch); the same bits.",
    ),
]
SettingValues = Annotated[
    list[str] | None,
    typer.Option("--set", help="One setting, e.g. images.generator.steps=20; may be repeated."),
]
Config = Annotated[Path | None, typer.Option(help="A YAML configuration.")]
StagedOutput = Annotated[
    Path, typer.Option("--output", help="The dataset's folder; stages go to OUTPUT.work.")
]
BatchSize = Annotated[
    int,
    typer.Option("--batch", min=1, help="Number of images that annotators process at a time."),
]
PrepareThreads = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Threads of a worker that prepare pictures for annotators ahead of the device; "
        "by default none on cpu, else by the number of processors.",
    ),
]
PluginOptions = Annotated[
    list[str] | None,
    typer.Option("--option", help="An option of the plug-in, KEY=VALUE; may be repeated."),
]


#: Processes that are started where none were asked for.
MOST_PROCESSES = 8


def shared_engine(
    engine: EngineName | None,
    workers: int | None,
    address: str | None,
    gpus: float = 0.0,
    device: str = "cpu",
) -> EngineSettings | None:
    """Return where jobs run that threads of one process can do as well; None for these.

    By default processes of this machine do them if there is enough to do: `MOST_PROCESSES` at most,
    since each needs some 0.3 GiB. Only threads share another device than the processor.

    Raises:
        InputError: an address or GPUs without Ray.
    """
    from chorus_bench.engines import EngineSettings
    from chorus_bench.engines.threads import thread_count
    from chorus_bench.errors import InputError

    if gpus and engine is not EngineName.RAY:
        raise InputError("GPUs per actor are given without actors", fix="add --engine ray")
    count = thread_count(workers)
    if engine is None and address is None:
        few = min(count, MOST_PROCESSES) if device == "cpu" else 1
        return EngineSettings(workers=few, if_worth=True) if few > 1 else None
    return engine_settings(engine, count, address, gpus)


def engine_settings(
    engine: EngineName | None, workers: int, address: str | None, gpus: float = 0.0
) -> EngineSettings:
    """Return where jobs run; by default in processes of this machine.

    Raises:
        InputError: an address without Ray.
    """
    from chorus_bench.engines import EngineSettings

    return EngineSettings((engine or EngineName.LOCAL).value, workers, address, gpus)


def key_values(
    pairs: Iterable[str] | None, option: str, *, read: Callable[[str, str], Any] | None = None
) -> dict[str, Any]:
    """Parse the values of an option of the form KEY=VALUE; the last of equal keys wins.

    Args:
        pairs: the texts; None for none.
        option: its name, for messages.
        read: makes the value from its text and its place; by default parses YAML.

    Raises:
        InputError: no key, no ``=``, or no such value.
    """
    from chorus_bench.errors import InputError
    from chorus_bench.io.yaml_files import yaml_value

    found: dict[str, Any] = {}
    for pair in pairs or ():
        key, sign, text = pair.partition("=")
        if not key or not sign:
            raise InputError(f"{option} {pair}", expected=f"KEY=VALUE, e.g. {option} size=256")
        found[key] = (read or yaml_value)(text, f"{option} {key}")
    return found


def one_category(categories: Sequence[str]) -> str:
    """Return the category of a command that takes only one.

    Raises:
        InputError: there are several.
    """
    from chorus_bench.errors import InputError

    if len(categories) == 1:
        return categories[0]
    raise InputError(
        f"{len(categories)} categories: {', '.join(categories)}",
        expected="--category once, for this command",
        fix="run the command once for each category",
    )


def command_line() -> str:
    """Return this run's command line with paths shortened to their names, for a card.

    It is plain text in one line, whatever bytes are in the names.
    """
    from chorus_bench.io.findings import printable

    names = [Path(part).name if "/" in part or "\\" in part else part for part in sys.argv[1:]]
    text = " ".join(["chorus-bench", *(f"'{n}'" if " " in n else n for n in names)])
    return printable(text, len(text))


def one_name(option: str) -> str:
    """Return the current name of an option: ``--categories`` is ``--category``."""
    return "category" if option == "categories" else option
