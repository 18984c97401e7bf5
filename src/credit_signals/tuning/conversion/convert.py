"""A Hugging Face model folder, with or without an adapter, as GGUF."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import gguf

from credit_signals.errors import ModelRefused
from credit_signals.inference.model_file import file_hash
from credit_signals.tuning.conversion.architecture import Architecture, match_tensors
from credit_signals.tuning.conversion.bert import Bert
from credit_signals.tuning.conversion.gguf_file import FILE_TYPES, plan, whole_file, write_adapter, write_tensors
from credit_signals.tuning.conversion.identity import Identity
from credit_signals.tuning.conversion.llama import Llama
from credit_signals.tuning.conversion.lora import MergedWeights, PeftAdapter, adapter_tensors
from credit_signals.tuning.conversion.model_folder import SourceModel


def architecture_of(source: SourceModel, pre: str = "") -> Architecture:
    """The converter of the model's architecture; `pre` see Llama. Raises ModelRefused."""
    kind = source.config.get("model_type")
    if kind == "llama":
        return Llama(source, pre)
    if kind == "bert":
        return Bert(source)
    raise ModelRefused(f"{source.place}/config.json: architecture {kind!r}; llama and bert are converted")


def merged(source: SourceModel, adapter: Path) -> SourceModel:
    """The model with a PEFT adapter added to its weights. Raises ModelRefused."""
    return source.with_weights(MergedWeights(source, PeftAdapter.read(adapter)))


def convert_model(source: SourceModel, output: Path, identity: Identity, file_type: str = "F32", pre: str = "") -> str:
    """Write the model as GGUF, matrices in `file_type` (of FILE_TYPES), and give the SHA-256 of the file.

    Equal inputs give equal bytes. Raises ModelRefused, and OSError when the file cannot be written.
    """
    architecture = architecture_of(source, pre)
    targets, computed = match_tensors(architecture, source), architecture.computed()
    with whole_file(output) as part:
        writer = gguf.GGUFWriter(part, architecture.name)
        try:
            writer.add_type(gguf.GGUFType.MODEL)
            identity.write(writer)
            writer.add_file_type(FILE_TYPES[file_type][0])
            writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
            architecture.write_metadata(writer)
            plans = [plan(name, array.shape, file_type) for name, array in computed.items()]
            plans += [plan(each.name, each.shape, file_type, exact=each.exact) for each in targets.values()]
            read = (target.arrange(source.weights.read(name)) for name, target in targets.items())
            write_tensors(writer, plans, chain(computed.values(), read))
        finally:
            writer.close()
    return file_hash(output)


def convert_adapter(source: SourceModel, adapter: Path, output: Path, identity: Identity) -> str:
    """Write a PEFT adapter as GGUF, to be laid over the converted model, and give its SHA-256.

    Raises ModelRefused, and OSError when the file cannot be written.
    """
    architecture = architecture_of(source)
    alpha, tensors = adapter_tensors(PeftAdapter.read(adapter), architecture)
    write_adapter(output, architecture.name, alpha, identity, tensors)
    return file_hash(output)
