"""The peer of `npm run bench -- sweep`: a reversion sweep as the published scripts do it, in PyTorch and transformers.

For every point: load both checkpoints, torch.linalg.svd of every edited matrix of both (float32), recombine, save the whole
model as a checkpoint, load that again, answer the episodes with greedy `generate`. Process start and imports are not counted.

Protocol: first line in {"target", "reference", "scratch", "threads", "prompts", "newTokens", "eos", "pad"}; then one line in a
point {"revert", "layers", "top", "batch", "episodes"}, one line out {"prepareMs", "answerMs", "tokens", "torch", ...}.
`batch` 1 is the published evaluator (one prompt at a time), more is generous to it.
"""
import json
import os
import re
import shutil
import sys
import time

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
setup = json.loads(sys.stdin.readline())
torch.set_num_threads(setup["threads"])
prompts = torch.tensor(setup["prompts"])
edited = re.compile(r"layers\.(\d+)\.(?:self_attn|mlp)\.(?:q|k|v|gate|up|down)_proj\.weight$")


def revert(w_target, w_reference, kind, top):
    u_t, s_t, v_t = torch.linalg.svd(w_target.float(), full_matrices=False)
    u_r, s_r, v_r = torch.linalg.svd(w_reference.float(), full_matrices=False)
    k = min(top or len(s_t), len(s_t))
    u, s, v = u_t.clone(), s_t.clone(), v_t.clone()
    if kind == "singularValues":
        s[:k] = s_r[:k]
    else:
        u[:, :k], v[:k] = u_r[:, :k], v_r[:k]
    return (u * s) @ v


def make_checkpoint(point):
    model = AutoModelForCausalLM.from_pretrained(setup["target"], dtype=torch.float32)
    reference = AutoModelForCausalLM.from_pretrained(setup["reference"], dtype=torch.float32).state_dict()
    state = model.state_dict()
    for name, weight in state.items():
        match = edited.search(name)
        if match and (point["layers"] is None or int(match[1]) in point["layers"]):
            weight.copy_(revert(weight, reference[name], point["revert"], point["top"]))
    shutil.rmtree(setup["scratch"], ignore_errors=True)
    model.save_pretrained(setup["scratch"])


@torch.no_grad()
def answers(model, batch, episodes):
    tokens = []
    for start in range(0, episodes, batch):
        ids = prompts[start : min(start + batch, episodes)]
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=setup["newTokens"],
            do_sample=False,
            eos_token_id=setup["eos"],
            pad_token_id=setup["pad"],
        )[:, ids.shape[1] :]
        tokens += [row + [setup["pad"]] * (setup["newTokens"] - len(row)) for row in out.tolist()]
    return tokens


for line in sys.stdin:
    point = json.loads(line)
    start = time.perf_counter()
    make_checkpoint(point)
    model = AutoModelForCausalLM.from_pretrained(setup["scratch"], dtype=torch.float32).eval()
    prepared = time.perf_counter()
    tokens = answers(model, point["batch"], point["episodes"])
    end = time.perf_counter()
    print(
        json.dumps(
            {
                "prepareMs": (prepared - start) * 1e3,
                "answerMs": (end - prepared) * 1e3,
                "tokens": tokens,
                "versions": f"PyTorch {torch.__version__}, transformers {transformers.__version__}",
            }
        ),
        flush=True,
    )
