"""`credit-signals tune convert`, `quantize` and `parity`. The heavy libraries are imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.output import Panel

conversion_app = typer.Typer()

Folder = Annotated[Path, typer.Argument(help="Hugging Face folder: Llama or BERT.", exists=True, file_okay=False)]
Adapter = Annotated[Path | None, typer.Option(help="PEFT folder of a LoRA adapter.", exists=True, file_okay=False)]
Merge = Annotated[bool, typer.Option("--merge/--separate", help="Add the adapter to the weights, or write it alone.")]
Threads = Annotated[int, typer.Option(min=1, help="Processor threads.")]


@conversion_app.command(rich_help_panel=Panel.FILES)
def convert(
    model: Folder,
    output: Annotated[Path, typer.Argument(help="The GGUF file to write.", dir_okay=False)],
    adapter: Adapter = None,
    merge: Merge = True,
    file_type: Annotated[str, typer.Option("--type", help="Of the weights: F32, BF16 or F16.")] = "F32",
    pre: Annotated[str, typer.Option(help="llama.cpp's pre-tokenizer, when it is not found by itself.")] = "",
    name: Annotated[str, typer.Option(help="Name of the model; the folder's when left out.")] = "",
    version: Annotated[str, typer.Option(help="Version of the model.")] = "",
    license_id: Annotated[str, typer.Option("--license", help="SPDX id, as in apache-2.0.")] = "",
    author: Annotated[str, typer.Option(help="Who made it.")] = "",
    organization: Annotated[str, typer.Option(help="For which organization.")] = "",
    description: Annotated[str, typer.Option(help="What it does, in a sentence.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Tag; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Language, ISO 639-1; may be repeated.")] = None,
    base_name: Annotated[str, typer.Option(help="The model that was tuned.")] = "",
    base_organization: Annotated[str, typer.Option(help="Who made that model.")] = "",
    base_version: Annotated[str, typer.Option(help="Its version.")] = "",
    base_url: Annotated[str, typer.Option(help="Where it is to be had.")] = "",
    questions: Annotated[
        Path | None, typer.Option(help="Question folder whose template it was tuned on: no other is served.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Training file; its SHA-256 is kept.", dir_okay=False)] = None,
) -> None:
    """Convert a model, or a LoRA adapter, to GGUF: the form in which readers load it.

    Its origin, and the hashes of what it was trained on, are written into the file.
    """
    from credit_signals.inference.model_file import file_hash
    from credit_signals.inference.questions import load_questions
    from credit_signals.tuning.conversion.convert import convert_adapter, convert_model, merged
    from credit_signals.tuning.conversion.gguf_file import FILE_TYPES
    from credit_signals.tuning.conversion.identity import BaseModel, Identity
    from credit_signals.tuning.conversion.model_folder import SourceModel

    if file_type not in FILE_TYPES:
        raise ConfigurationError(f"--type {file_type}: known are {', '.join(FILE_TYPES)}; see `tune quantize`")
    if adapter is None and not merge:
        raise ConfigurationError("--separate writes an adapter alone: name it with --adapter")
    identity = Identity(
        name=name or (model if merge or adapter is None else adapter).resolve().name,
        version=version,
        license=license_id,
        author=author,
        organization=organization,
        description=description,
        tags=tuple(tag or ()),
        languages=tuple(language or ()),
        base=BaseModel(base_name, base_organization, base_version, base_url) if base_name else None,
        template_sha256=load_questions(questions).template.sha256 if questions else "",
        data_sha256=file_hash(data) if data else "",
    )
    source = SourceModel.read(model)
    if adapter and not merge:
        digest = convert_adapter(source, adapter, output, identity)
    else:
        source = merged(source, adapter) if adapter else source
        digest = convert_model(source, output, identity, file_type, pre)
    typer.echo(f"{digest}  {output}")


@conversion_app.command(rich_help_panel=Panel.FILES)
def quantize(
    source: Annotated[Path, typer.Argument(help="GGUF file in F32, BF16 or F16.", exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Argument(help="The GGUF file to write.", dir_okay=False)],
    kind: Annotated[str, typer.Option("--type", help="Q4_0, Q5_K_M, Q8_0, BF16...")],
    embeddings: Annotated[str, typer.Option(help="Type of the token embeddings alone: Q8_0, BF16, F16.")] = "",
    threads: Threads = 1,
) -> None:
    """Quantize a GGUF file: smaller and faster, and a little less exact; `parity` tells how much."""
    from credit_signals.tuning.conversion.quantization import quantize as quantize_model

    typer.echo(f"{quantize_model(source, output, kind, embeddings, threads)}  {output}")


@conversion_app.command(rich_help_panel=Panel.FILES)
def unpack(
    file: Annotated[Path, typer.Argument(help="GGUF file of a BERT encoder.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Argument(help="Folder to write, for Hugging Face's transformers.", file_okay=False)],
) -> None:
    """Make a folder of an encoder's GGUF file: what `signals` and `life` start from."""
    from credit_signals.tuning.conversion.unpacking import unpack as unpack_encoder

    typer.echo(f"{unpack_encoder(file, out)} words  {out}")


@conversion_app.command(rich_help_panel=Panel.FILES)
def parity(
    model: Folder,
    files: Annotated[list[Path], typer.Argument(help="GGUF files made of it.", exists=True, dir_okay=False)],
    sections: Annotated[
        Path,
        typer.Option(help="JSON Lines: chats for a causal model, `text` and `context` for an encoder.", exists=True),
    ],
    report: Annotated[Path, typer.Option(help="Markdown file to write.", dir_okay=False)],
    ships: Annotated[Path | None, typer.Option(help="The file to ship; the last one when left out.")] = None,
    adapter: Adapter = None,
    adapter_gguf: Annotated[
        Path | None, typer.Option(help="The same adapter in GGUF; left out when it is merged.", exists=True)
    ] = None,
    heads: Annotated[
        Path | None, typer.Option(help="heads.npz of an encoder: codes are compared.", exists=True)
    ] = None,
    agreement: Annotated[float, typer.Option(help="Least share of equal labels.", min=0, max=1)] = 0.99,
    mismatches: Annotated[int, typer.Option(help="Texts in which tokenizers may differ.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="Most texts, evenly taken.", min=1)] = 500,
    threads: Threads = 1,
) -> None:
    """Compare GGUF files with the original; exit code 1 when the file to ship answers otherwise."""
    from credit_signals.tuning.conversion.parity import Gate, Sides, compare
    from credit_signals.tuning.conversion.parity_report import report as make_report
    from credit_signals.tuning.conversion.reference import Reference
    from credit_signals.tuning.conversion.served import Served

    shipping = ships or files[-1]
    if shipping not in files:
        raise ConfigurationError(f"--ships {shipping}: not among the files that are compared")
    gate = Gate(agreement=agreement, mismatches=mismatches)
    served = [Served(file, adapter_gguf, threads) for file in files]
    outcome = compare(Sides(Reference(model, adapter, threads), served, sections, limit, heads), gate)
    faults = outcome.faults(gate, shipping)
    text = make_report(model.resolve().name, sections, outcome, faults)
    report.write_text(text, encoding="utf-8")
    typer.echo(text)
    if faults:
        raise typer.Exit(1)
