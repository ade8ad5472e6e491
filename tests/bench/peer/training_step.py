"""The peer of `npm run bench -- training`: the same decoder and training step in eager PyTorch, one thread.

Protocol: one JSON line in per turn {"shape": {...}, "steps": n}, one JSON line out {"ms": per step}.
SFT step: forward, cross-entropy on the answer positions, backward, clip to norm 1, AdamW (fused).
"""
import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-6)


class Layer(nn.Module):
    def __init__(self, s):
        super().__init__()
        h, self.heads, self.kv, self.hd = s["hidden"], s["heads"], s["kvHeads"], s["hidden"] // s["heads"]
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.n1, self.n2 = Norm(h), Norm(h)
        self.q, self.k, self.v, self.o = linear(h, h), linear(h, self.kv * self.hd), linear(h, self.kv * self.hd), linear(h, h)
        self.gate, self.up, self.down = linear(h, s["mlp"]), linear(h, s["mlp"]), linear(s["mlp"], h)

    def forward(self, x, cos, sin):
        b, t, h = x.shape
        y = self.n1(x)
        split = lambda z, n: z.view(b, t, n, self.hd).transpose(1, 2)

        def rope(z):
            first, second = z.chunk(2, -1)
            return z * cos + torch.cat((-second, first), -1) * sin

        q, k, v = rope(split(self.q(y), self.heads)), rope(split(self.k(y), self.kv)), split(self.v(y), self.kv)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.o(a.transpose(1, 2).reshape(b, t, h))
        y = self.n2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Decoder(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.embed = nn.Embedding(s["vocabulary"], s["hidden"])
        self.layers = nn.ModuleList(Layer(s) for _ in range(s["layers"]))
        self.norm = Norm(s["hidden"])
        hd = s["hidden"] // s["heads"]
        angle = torch.arange(s["tokens"])[:, None] * 10000 ** (-torch.arange(0, hd, 2) / hd)
        self.cos, self.sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
        self.answer_from = s["answerFrom"]

    def forward(self, ids):
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return self.norm(x)[:, self.answer_from :] @ self.embed.weight.t()


runs = {}


def run(shape):
    key = json.dumps(shape, sort_keys=True)
    if key not in runs:
        model = Decoder(shape)
        optimizer = torch.optim.AdamW(model.parameters(), 2e-4, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        size = (shape["batch"], shape["tokens"])
        runs[key] = model, optimizer, torch.randint(0, shape["vocabulary"], size), torch.randint(0, shape["vocabulary"], size)
    return runs[key]


for line in sys.stdin:
    turn = json.loads(line)
    model, optimizer, ids, labels = run(turn["shape"])
    target = labels[:, turn["shape"]["answerFrom"] :].reshape(-1)
    start = time.perf_counter()
    for _ in range(turn["steps"]):
        logits = model(ids)
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()
    print(json.dumps({"ms": (time.perf_counter() - start) * 1e3 / turn["steps"], "torch": torch.__version__}), flush=True)
