"""What the processes of a distributed training do in tests."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed
from torch import nn

from torchdicom.interop.torch import ShardSampler


def run_uneven_rank(rank: int, folder: str) -> None:
    """One of two ranks that train on five samples, or on shards of five and two."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2
    )
    torch.manual_seed(0)
    network = nn.parallel.DistributedDataParallel(nn.Linear(1, 1))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    mine = range(5) if rank == 0 else range(2)
    samplers: dict[str, ShardSampler] = {
        "repeat": ShardSampler(range(5)),
        "drop": ShardSampler(range(5), uneven="drop"),
        "own": ShardSampler(mine, own=True),
        "own drop": ShardSampler(mine, own=True, uneven="drop"),
    }
    seen: dict[str, Any] = {}
    for name, sampler in samplers.items():
        seen[name] = [_step(network, optimizer, i) for i in sampler]
    with network.join():
        seen["keep"] = [_step(network, optimizer, i) for i in ShardSampler(range(5), uneven="keep")]
    seen["weight"] = [one.item() for one in network.parameters()]
    torch.save(seen, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, i: int) -> int:
    optimizer.zero_grad()
    network(torch.tensor([[float(i)]])).square().mean().backward()
    optimizer.step()
    return i
