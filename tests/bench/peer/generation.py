"""The peer of `npm run bench -- generation`: transformers' generate on a random Llama, PyTorch, one thread.

Protocol: one JSON line in per turn {"shape": {...}, "runs": n}, one JSON line out {"clock", "processor"}: ms per run.
"""
import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
models = {}


def prepared(s):
    key = json.dumps(s, sort_keys=True)
    if key not in models:
        config = LlamaConfig(
            vocab_size=s["vocabulary"],
            hidden_size=s["hidden"],
            intermediate_size=s["mlp"],
            num_hidden_layers=s["layers"],
            num_attention_heads=s["heads"],
            num_key_value_heads=s["kvHeads"],
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=None,
            pad_token_id=0,
        )
        torch.manual_seed(0)
        model = LlamaForCausalLM(config).eval()
        prompts = torch.randint(1, s["vocabulary"], (s["batch"], s["prompt"]))
        sampling = GenerationConfig(
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            max_new_tokens=s["newTokens"],
            min_new_tokens=s["newTokens"],
            eos_token_id=None,
            pad_token_id=0,
        )
        models[key] = model, prompts, torch.ones_like(prompts), sampling
    return models[key]


for line in sys.stdin:
    turn = json.loads(line)
    model, prompts, mask, sampling = prepared(turn["shape"])
    start, processor = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        for _ in range(turn["runs"]):
            out = model.generate(prompts, attention_mask=mask, generation_config=sampling)
    clock, processor = [x * 1e3 / turn["runs"] for x in (time.perf_counter() - start, time.process_time() - processor)]
    assert out.shape[1] == turn["shape"]["prompt"] + turn["shape"]["newTokens"], out.shape
    print(json.dumps({"clock": clock, "processor": processor, "versions": f"PyTorch {torch.__version__}, transformers {transformers.__version__}"}), flush=True)
