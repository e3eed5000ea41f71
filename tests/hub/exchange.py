#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""exchange.py ADAMERGE MODEL: whether adamerge and the hub's own client share one cache, both ways.

Runs ADAMERGE and huggingface_hub, which this Python must have, against hub_server.py on the loopback address with the
model folder MODEL as acme/tiny-vit. Prints a line for each thing tried; exit status 1 where one fails. A minute.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

program, model = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
here = pathlib.Path(__file__).resolve().parent
work = pathlib.Path(tempfile.mkdtemp(prefix="adamerge-exchange-"))
NAME = "acme/tiny-vit"
failures = 0
os.environ.update(no_proxy="127.0.0.1,localhost", HF_HOME=str(work / "home"), HF_HUB_DISABLE_TELEMETRY="1",
                  HF_HUB_DISABLE_PROGRESS_BARS="1")
for variable in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_HUB_CACHE"):
    os.environ.pop(variable, None)


class Hub:
    """hub_server.py with some faults; requests() are the lines of its log that hold a text."""

    def __init__(self, *options):
        self.log = open(work / "hub.log", "w+")
        self.process = subprocess.Popen([sys.executable, here / "hub_server.py", work / "hub", *options], stdout=self.log,
                                        stderr=subprocess.DEVNULL)
        while not (lines := (work / "hub.log").read_text().splitlines()):
            time.sleep(0.05)
        os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{lines[0]}"

    def requests(self, part):
        return [line for line in (work / "hub.log").read_text().splitlines() if part in line]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def ours(*arguments, cache, **environment):
    return subprocess.run([program, *arguments], env={**os.environ, "HF_HUB_CACHE": str(cache), **environment},
                          capture_output=True, text=True)


def theirs(code, cache, **environment):
    """In a process of its own: the client reads its environment once."""
    setup = "import huggingface_hub as hub\nfrom huggingface_hub import *\n"
    return subprocess.run([sys.executable, "-c", setup + code],
                          env={**os.environ, "HF_HUB_CACHE": str(cache), **environment}, capture_output=True, text=True)


def check(what, good, *told):
    global failures
    failures += not good
    print("ok  " if good else "FAIL", what)
    if not good:
        print(*(result.stdout + result.stderr for result in told), sep="\n")


(work / "hub/acme").mkdir(parents=True)
shutil.copytree(model, work / "hub" / NAME)
both = f"for file in ('config.json', 'model.safetensors'): print(hf_hub_download('{NAME}', file{{}}))"
weights = (model / "model.safetensors").read_bytes()

with Hub() as hub:
    version = theirs("print(hub.__version__)", work).stdout.strip()
    print("huggingface_hub", version)
    result = theirs(f"print(snapshot_download('{NAME}'))", work / "a")
    check("their snapshot is fetched", result.returncode == 0, result)
    before = len(hub.requests("/"))
    result = ours("info", "--model", NAME, cache=work / "a")
    check("ours opens what theirs cached", result.returncode == 0 and NAME in result.stdout, result)
    check("... and asks the hub for nothing", len(hub.requests("/")) == before)
    result = ours("models", cache=work / "a")
    check("ours lists it", NAME in result.stdout and "blocks" in result.stdout, result)
    cdn = len(hub.requests("/cdn/"))
    result = ours("models", "--fetch", NAME, cache=work / "a")
    check("ours finds it whole when asked to fetch", result.returncode == 0 and len(hub.requests("/cdn/")) == cdn, result)

with Hub() as hub:
    result = ours("models", "--fetch", NAME, "--quiet", cache=work / "b")
    check("our model is fetched", result.returncode == 0, result)
    cdn = len(hub.requests("/cdn/"))
    result = theirs(both.format(""), work / "b")
    check("theirs opens what ours cached", result.returncode == 0 and "/snapshots/" in result.stdout, result)
    check("... and fetches nothing large", len(hub.requests("/cdn/")) == cdn)
    result = theirs("from huggingface_hub import scan_cache_dir\ninfo = scan_cache_dir()\n"
                    "print(len(info.repos), len(info.warnings), [r.refs for r in info.repos])", work / "b")
    check("theirs scans our cache without a warning", result.stdout.startswith("1 0 ") and "main" in result.stdout, result)

result = theirs(both.format(", local_files_only=True"), work / "b", HF_HUB_OFFLINE="1")
check("theirs opens it offline", result.returncode == 0, result)
result = theirs("from huggingface_hub.file_download import _CACHED_NO_EXIST, try_to_load_from_cache\n"
                f"print(try_to_load_from_cache('{NAME}', 'preprocessor_config.json') is _CACHED_NO_EXIST)", work / "b")
check("theirs knows from us that a file does not exist", result.stdout.strip() == "True", result)

blob = next(path for path in (work / "b").rglob("blobs/*") if path.stat().st_size == len(weights))
with Hub() as hub:
    half = pathlib.Path(str(blob).replace(str(work / "b"), str(work / "c")) + ".incomplete")
    half.parent.mkdir(parents=True)
    half.write_bytes(weights[:len(weights) // 2])
    result = theirs(both.format(""), work / "c")
    files = list((work / "c").rglob("snapshots/*/model.safetensors"))
    check("theirs goes on over a half file of ours", len(files) == 1 and files[0].read_bytes() == weights, result)

with Hub("--fault", "slow") as hub:
    interrupted = subprocess.Popen([sys.executable, "-c", f"from huggingface_hub import *\nsnapshot_download('{NAME}')"],
                                   env={**os.environ, "HF_HUB_CACHE": str(work / "d")},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not hub.requests("/cdn/"):
        time.sleep(0.1)
    time.sleep(3)
    started = subprocess.Popen([program, "models", "--fetch", NAME, "--quiet"],
                               env={**os.environ, "HF_HUB_CACHE": str(work / "d")},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not hub.requests("blobs=true"):
        time.sleep(0.1)
    time.sleep(3)
    check("ours waits while theirs fetches", started.poll() is None and len(hub.requests("model.safetensors?")) == 1)
    interrupted.kill()
    interrupted.wait()
    deadline = time.time() + 60
    while len(hub.requests("model.safetensors?")) < 2 and time.time() < deadline:
        time.sleep(0.1)
    check("ours takes over when theirs is killed", len(hub.requests("model.safetensors?")) == 2)
    started.kill()
    started.wait()
with Hub() as hub:
    result = ours("models", "--fetch", NAME, "--quiet", cache=work / "d")
    files = list((work / "d").rglob("snapshots/*/model.safetensors"))
    check("ours completes what both left half", len(files) == 1 and files[0].read_bytes() == weights, result)

shutil.rmtree(work)
sys.exit(failures > 0)
