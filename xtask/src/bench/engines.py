"""The tiny step of `engine/benches/step` under engines of Python: engines.py tiny WAY cpu, then numbers of iters on stdin.

WAY is ignite, mmengine or lightning: each with its default hooks, the fused AdamW, and what it writes to a console turned
off. Network, weights and data are those of `peers.py`, which has to be on PYTHONPATH.
"""

import logging
import sys
import tempfile
import warnings

import torch

import peers


class Batches(torch.utils.data.IterableDataset):
    """The same batch without an end."""

    def __init__(self):
        self.batch = peers.batch("tiny", torch.device("cpu"))

    def __iter__(self):
        while True:
            yield self.batch


class Numbered(torch.utils.data.Dataset):
    """Numbers, for an engine that wants to know how many batches there are."""

    def __len__(self):
        return 10**9

    def __getitem__(self, index):
        return index


class InOrder(torch.utils.data.Sampler):
    """A list of so many numbers is not made."""

    def __len__(self):
        return 10**9

    def __iter__(self):
        return iter(range(10**9))


def ignite(talk):
    from ignite.engine import Engine, Events
    from ignite.metrics import RunningAverage

    net = peers.made("tiny", torch.device("cpu"))
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01, fused=True)

    def step(engine, batch):
        optimizer.zero_grad()
        loss = net(*batch)
        loss.backward()
        optimizer.step()
        return loss.item()

    trainer = Engine(step)
    RunningAverage(output_transform=lambda loss: loss).attach(trainer, "loss")
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: talk.after_iter(engine.state.output))
    trainer.run(torch.utils.data.DataLoader(Batches(), batch_size=None), max_epochs=1, epoch_length=10**9)


def mmengine(talk):
    from mmengine.hooks import Hook
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    class Model(BaseModel):
        def __init__(self):
            super().__init__()
            self.net = peers.made("tiny", torch.device("cpu"))

        def forward(self, x, y, mode="loss"):
            return {"loss": self.net(x, y)}

    class Rounds(Hook):
        priority = "LOWEST"

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            talk.after_iter(outputs["loss"])

    batch = peers.batch("tiny", torch.device("cpu"))
    loader = torch.utils.data.DataLoader(Numbered(), batch_size=1, sampler=InOrder(), collate_fn=lambda _: batch)
    runner = Runner(
        model=Model(),
        work_dir=tempfile.mkdtemp(),
        train_dataloader=loader,
        train_cfg={"by_epoch": False, "max_iters": 10**9, "val_interval": 10**9},
        optim_wrapper={"optimizer": {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.01, "fused": True}},
        default_hooks={"checkpoint": None, "logger": {"type": "LoggerHook", "interval": 50}},
        custom_hooks=[Rounds()],
        log_level="ERROR",
        randomness={"seed": 0},
    )
    runner.train()


def lightning(talk):
    import lightning as L

    class Model(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = peers.made("tiny", torch.device("cpu"))

        def training_step(self, batch, index):
            loss = self.net(*batch)
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-3, weight_decay=0.01, fused=True)

    class Rounds(L.Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, index):
            talk.after_iter(outputs["loss"])

    trainer = L.Trainer(
        max_steps=10**9,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Rounds()],
    )
    trainer.fit(Model(), torch.utils.data.DataLoader(Batches(), batch_size=None))


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    name, way, where = sys.argv[1:4]
    if name != "tiny" or where != "cpu":
        sys.exit("engines.py knows the net `tiny` on `cpu` alone")
    peers.on_one_thread(torch.device("cpu"))
    # an engine prints where the answers go
    talk = peers.Talk(torch.device("cpu"))
    sys.stdout = sys.stderr
    {"ignite": ignite, "mmengine": mmengine, "lightning": lightning}[way](talk)


if __name__ == "__main__":
    main()
