"""Tests of what the parts share and of the table; `cargo test -p xtask` runs them. No torch is needed."""

import json
import os
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import run
import support


def checkpoint(folder, weights):
    """Writes weights as a checkpoint has them."""
    os.makedirs(folder)
    header, data = {}, b""
    for name, floats in weights.items():
        packed = struct.pack(f"<{len(floats)}f", *floats)
        header[name] = {"dtype": "F32", "shape": [len(floats)], "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    for name in ["net.safetensors", "state.safetensors"]:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + data)


class Weights(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.folder.cleanup()

    def make(self, name, weights):
        path = os.path.join(self.folder.name, name)
        checkpoint(path, weights)
        return path

    def test_the_difference_of_each_weight_is_its_greatest(self):
        left = support.weights(self.make("a", {"w": [1.0, 2.0], "b": [0.5]}))
        right = support.weights(self.make("b", {"w": [1.0, 2.25], "b": [0.5]}))
        self.assertEqual(support.difference(left, right), {"w": 0.25, "b": 0.0})

    def test_a_weight_that_is_no_number_is_infinitely_far(self):
        left = support.weights(self.make("a", {"w": [1.0, float("nan"), 3.0]}))
        right = support.weights(self.make("b", {"w": [1.0, 2.0, 3.0]}))
        self.assertEqual(support.difference(left, right), {"w": float("inf")})

    def test_other_weights_or_shapes_are_no_small_difference(self):
        left = support.weights(self.make("a", {"w": [1.0]}))
        for other in [{"v": [1.0]}, {"w": [1.0, 1.0]}]:
            with self.assertRaises(ValueError):
                support.difference(left, support.weights(self.make(str(other), other)))

    def test_files_that_differ_in_one_bit_are_named(self):
        left, right = self.make("a", {"w": [1.0]}), self.make("b", {"w": [1.0]})
        self.assertEqual(support.same_bytes(left, right), [])
        with open(os.path.join(right, "state.safetensors"), "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x01")
        self.assertEqual(support.same_bytes(left, right), ["state.safetensors"])

    def test_the_newest_checkpoint_is_that_of_the_last_iter(self):
        run_folder = os.path.join(self.folder.name, "run")
        self.assertEqual(support.newest(run_folder), (None, None))
        for name in ["iter_000000010", "iter_000000002", "best_val_accuracy"]:
            os.makedirs(os.path.join(run_folder, "checkpoints", name))
        path, at = support.newest(run_folder)
        self.assertEqual((os.path.basename(path), at), ("iter_000000010", 10))


class Running(unittest.TestCase):
    def test_the_table_shows_every_row_and_counts_what_failed(self):
        rows = [
            {"part": "smoke", "what": "one", "found": "1", "wanted": "1", "verdict": "ok"},
            {"part": "perf", "what": "two", "found": "2", "wanted": "3", "verdict": "FAILED"},
            {"part": "perf", "what": "three", "found": "", "wanted": "", "verdict": "left out"},
        ]
        text = run.table(rows, {"card": "none"})
        self.assertTrue(text.startswith("card: none\n"))
        self.assertTrue(text.endswith("1 ok, 1 failed, 1 left out"))
        for word in ["one", "two", "three"]:
            self.assertIn(word, text)

    def test_a_part_that_hangs_is_ended_with_what_it_has_started(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "parts"))
            child = os.path.join(folder, "child")
            with open(os.path.join(folder, "parts", "hangs.py"), "w") as file:
                file.write(
                    "import signal, subprocess, time\n"
                    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                    f"p = subprocess.Popen(['sleep', '600'])\nopen({child!r}, 'w').write(str(p.pid))\n"
                    "print('here', flush=True)\ntime.sleep(600)\n"
                )
            here, run.HERE = run.HERE, folder
            try:
                with open(os.path.join(folder, "log"), "w+") as log:
                    ended, took = run.run_part("hangs", 2, dict(os.environ), log)
                    log.seek(0)
                    self.assertEqual(log.read(), "here\n")
            finally:
                run.HERE = here
            self.assertIn("not done after 2 s", ended)
            self.assertLess(took, 20)
            with open(child) as file:
                pid = int(file.read())
            # gone, or a zombie that nobody has waited for yet
            try:
                with open(f"/proc/{pid}/stat") as file:
                    self.assertIn(file.read().rsplit(")", 1)[1].split()[0], "ZX")
            except OSError:
                pass

    def test_a_part_that_crashes_is_told_by_its_exit_code(self):
        with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as log:
            os.makedirs(os.path.join(folder, "parts"))
            with open(os.path.join(folder, "parts", "crashes.py"), "w") as file:
                file.write("import os\nos._exit(3)\n")
            here, run.HERE = run.HERE, folder
            try:
                ended, _ = run.run_part("crashes", 20, dict(os.environ), log)
            finally:
                run.HERE = here
            self.assertEqual(ended, "exit code 3")

    def test_every_part_has_its_file(self):
        for name, seconds, _ in run.PARTS:
            self.assertTrue(os.path.exists(os.path.join(HERE, name + ".py")), name)
            self.assertLessEqual(seconds, 180)

    def test_parts_run_in_the_order_of_the_list_and_unknown_ones_are_refused(self):
        self.assertEqual(run.options(["perf", "smoke", "--limit", "100"]), (["perf", "smoke"], 100.0, []))
        self.assertEqual(run.options([])[0], [part[0] for part in run.PARTS])
        with self.assertRaises(SystemExit) as refused:
            run.options(["smok"])
        self.assertEqual(refused.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
