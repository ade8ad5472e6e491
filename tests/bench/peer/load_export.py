"""Loads an exported point with transformers and compares its logits with a fixture.

Usage: load_export.py FOLDER reverted_logits.safetensors NAME TOLERANCE
Prints one JSON line {"name", "worst", "tolerance", "dtype", "missing"}; exit code 1 beyond the tolerance.
"""
import json
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

folder, fixture, name, tolerance = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
expected = load_file(fixture)
model, info = AutoModelForCausalLM.from_pretrained(
    folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
)
model.eval()
with torch.no_grad():
    logits = model(input_ids=expected["input_ids"].long()).logits
worst = (logits - expected[name]).abs().max().item()
missing = sorted(info["missing_keys"]) + sorted(info["unexpected_keys"])
print(json.dumps({"name": name, "worst": worst, "tolerance": tolerance, "dtype": str(model.dtype), "missing": missing}))
sys.exit(0 if worst <= tolerance and not missing else 1)
