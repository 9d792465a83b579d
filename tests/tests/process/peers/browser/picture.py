"""The pictures of `docs/board.md`, of runs that are trained for them."""

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tools import browser, page_of, settle

EXPERIMENTS = Path("examples/digits/experiments").absolute()
DOCS = Path("docs").absolute()
MORE = ["metrics=[Accuracy(), WorstClass(), ConfusionMatrix(classes: 10, show: true)]", "sinks=[TensorBoard()]", "hooks.logger.interval=5"]
SWEEP = """Sweep(
    base: "BASE",
    name: "search",
    over: {
        "optimizer.lr": LogUniform(1e-5, 1e-1),
        "model.hidden": Choice([16, 64, 256]),
        "optimizer.weight_decay": Choice([0.0, 0.05]),
    },
    by: Random(trials: 16),
    watch: "val/accuracy",
    halve: Asha(rungs: [23, 69], factor: 3),
    seed: 3,
)"""


def train(program, folder):
    def run(*arguments):
        subprocess.run([program, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    sets = [word for setting in MORE for word in ("--set", setting)]
    decay = 'schedule=[Linear(iters: 46, start: 0.01), Cosine(), Cosine(setting: "hooks.ema.decay", finish: 0.95)]'
    run("train", EXPERIMENTS / "digits.ron", *sets, "--set", decay, "--profile=101..110")
    run("train", EXPERIMENTS / "mlp.ron", *sets)
    run("train", EXPERIMENTS / "sgd.ron", *sets)
    (folder / "search.ron").write_text(SWEEP.replace("BASE", str(EXPERIMENTS / "mlp.ron")))
    run("sweep", "search.ron")


@contextmanager
def board(program, folder):
    server = subprocess.Popen([program, "board", "runs"], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().split(" at ")[1].strip()
    finally:
        server.kill()
        server.wait()


def picture(program):
    """`target/debug/digits`, from the root of the project: writes the pictures into `docs`."""
    program = Path(program).absolute()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        train(program, folder)
        with board(program, folder) as address, browser() as started:
            with page_of(started, address, (1280, 1000), "light") as page:
                page.get_by_role("button", name="Select none").click()
                for name in ["digits-cnn", "digits-mlp", "digits-sgd"]:
                    page.get_by_label(name, exact=True).check()
                page.get_by_label("Filter").fill("digits")
                settle(page, "accuracy")
                page.wait_for_timeout(1000)
                page.screenshot(path=DOCS / "board.png")
                page.get_by_role("tab", name="Pictures").click()
                page.get_by_label("Names").fill("confusion_matrix")
                page.wait_for_selector("#media table.matrix")
                page.wait_for_timeout(1000)
                page.locator("#media .pictures").nth(1).screenshot(path=DOCS / "board-matrix.png")
                page.get_by_role("tab", name="One run").click()
                page.wait_for_selector("figure[data-schedule] canvas")
                page.locator("#run .charts").screenshot(path=DOCS / "board-schedules.png")
                page.get_by_role("tab", name="Sweep").click()
                page.wait_for_selector("#coordinates polyline")
                page.wait_for_timeout(500)
                page.locator("#view-sweep .scroll").first.screenshot(path=DOCS / "board-sweep.png")
