"""The command line's tree of commands. Heavy modules are imported inside the commands."""

from __future__ import annotations

from typing import Annotated

import typer

import chorus_bench.cli.annotate as annotate
import chorus_bench.cli.annotators as annotators
import chorus_bench.cli.baseline as baseline
import chorus_bench.cli.body as body
import chorus_bench.cli.cache as cache
import chorus_bench.cli.contact as contact
import chorus_bench.cli.convert as convert
import chorus_bench.cli.datasets as datasets
import chorus_bench.cli.demo as demo
import chorus_bench.cli.diagnose as diagnose
import chorus_bench.cli.doctor as doctor
import chorus_bench.cli.evaluation as evaluation
import chorus_bench.cli.leaderboard as leaderboard
import chorus_bench.cli.plot as plot
import chorus_bench.cli.report as report
import chorus_bench.cli.synthesis as synthesis
import chorus_bench.cli.table as table
from chorus_bench._version import __version__
from chorus_bench.cli.added_options import long_command, uses_cache
from chorus_bench.cli.extensions import add_commands
from chorus_bench.cli.options import one_name
from chorus_bench.io.variables import variables_text

app = typer.Typer(
    name="chorus-bench",
    help="Score 3D human-object occupancy grids with Projective Average Precision (PAP).",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=variables_text(),
    # Existing scripts use --categories.
    context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": one_name},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Score 3D human-object occupancy grids with Projective Average Precision (PAP)."""


app.command("evaluate")(uses_cache(long_command(evaluation.evaluate_command)))
app.command("compare")(uses_cache(long_command(evaluation.compare_command)))
app.command("table")(uses_cache(table.table_command))
app.command("plot")(uses_cache(long_command(plot.plot_command)))
app.command("diagnose")(uses_cache(long_command(diagnose.diagnose_command)))
app.command("validate")(uses_cache(long_command(evaluation.validate_command)))
app.command("convert")(long_command(convert.convert_command))
app.command("contact")(long_command(contact.contact_command))
app.command("demo")(uses_cache(long_command(demo.demo_command)))
app.command("synthesize")(long_command(synthesis.synthesize_command))
app.command("annotate")(long_command(annotate.annotate_command))
app.command("annotators")(long_command(annotators.annotators_command))
app.command("report")(uses_cache(long_command(report.report_command)))
app.command("selftest")(long_command(evaluation.selftest_command))
app.command("doctor")(doctor.doctor_command)
app.add_typer(baseline.app, name="baseline")
app.add_typer(body.app, name="body")
app.add_typer(cache.app, name="cache")
app.add_typer(datasets.app, name="datasets")
app.add_typer(leaderboard.app, name="leaderboard")
add_commands(app)
