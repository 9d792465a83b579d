"""What TensorBoard's own readers make of a folder of event files, as one JSON object.

    read_events.py RUNS NAME

RUNS is what `tensorboard --logdir` would be given, NAME the run in it. For each line of the standard input, the files are
read as far as they are, as a TensorBoard does that is open all the time, and an answer is printed. At the end of the input
what was found is printed: by readers that come now, and under `watched` by the one that was there all the time.
"""

import hashlib
import io
import json
import sys

from PIL import Image
from tensorboard.backend.event_processing import data_provider, event_accumulator
from tensorboard.backend.event_processing import plugin_event_accumulator, plugin_event_multiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment, list_session_groups

EVERYTHING = {kind: 0 for kind in ("scalars", "images", "histograms", "tensors", "compressedHistograms", "audio")}


def scalars(events):
    return [[event.step, event.value] for event in events]


def histograms(events):
    fields = ("min", "max", "num", "sum", "sum_squares", "bucket_limit", "bucket")
    return [[event.step, {name: getattr(event.histogram_value, name) for name in fields}] for event in events]


def images(events):
    def pixels(event):
        image = Image.open(io.BytesIO(event.encoded_image_string))
        assert image.size == (event.width, event.height), (image.size, event.width, event.height)
        return {"width": event.width, "height": event.height, "mode": image.mode, "pixels": list(image.tobytes())}

    return [[event.step, pixels(event)] for event in events]


def texts(events):
    return [[event.step, [text.decode() for text in event.tensor_proto.string_val]] for event in events]


def fingerprints(events):
    """This reader makes a tensor of every value."""
    return [[event.step, hashlib.sha1(event.tensor_proto.SerializeToString()).hexdigest()] for event in events]


def table_of_runs(folder):
    """The rows of the HParams tab: settings and metrics of each run."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"scalars": 0})
    multiplexer.AddRunsFromDirectory(folder)
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, folder)
    context = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    asking = RequestContext()
    experiment = get_experiment.Handler(asking, context, "", api_pb2.GetExperimentRequest(include_metrics=True)).run()
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0,
        slice_size=100,
        allowed_statuses=[api_pb2.STATUS_UNKNOWN, api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING],
        col_params=[api_pb2.ColParams(metric=info.name) for info in experiment.metric_infos],
    )
    handler = list_session_groups.Handler(asking, context, "", request)
    rows = {}
    for group in handler.run().session_groups:
        (session,) = group.sessions
        value = lambda setting: getattr(setting, setting.WhichOneof("kind"))
        rows[session.name] = {
            "settings": {name: value(setting) for name, setting in group.hparams.items()},
            "metrics": {
                value.name.tag: {"group": value.name.group, "step": value.training_step, "value": value.value}
                for value in session.metric_values
            },
            "status": api_pb2.Status.Name(session.status),
        }
    return rows


def main(runs, name):
    folder = f"{runs}/{name}"
    watcher = plugin_event_accumulator.EventAccumulator(folder, tensor_size_guidance=0)
    for _ in sys.stdin:
        watcher.Reload()
        print("read", flush=True)
    watcher.Reload()
    reader = event_accumulator.EventAccumulator(folder, size_guidance=EVERYTHING)
    reader.Reload()
    tags = reader.Tags()
    plugin = lambda tag: reader.SummaryMetadata(tag).plugin_data.plugin_name
    json.dump(
        {
            "scalars": {tag: scalars(reader.Scalars(tag)) for tag in tags["scalars"]},
            "histograms": {tag: histograms(reader.Histograms(tag)) for tag in tags["histograms"]},
            "images": {tag: images(reader.Images(tag)) for tag in tags["images"]},
            "texts": {tag: texts(reader.Tensors(tag)) for tag in tags["tensors"] if plugin(tag) == "text"},
            "others": [tag for tag in tags["tensors"] if plugin(tag) not in ("text", "hparams")],
            "runs": table_of_runs(runs),
            "watched": {
                tag: fingerprints(watcher.Tensors(tag))
                for tag in watcher.Tags()["tensors"]
                # the text of the experiment, and times of the day, differ from run to run
                if tag != "experiment" and not tag.startswith("_hparams_/")
            },
        },
        sys.stdout,
    )


main(*sys.argv[1:])
