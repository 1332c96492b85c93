"""Runs the shards of a trial on an engine: `engines.py ENGINE WORKER FOLDER SIZE OF`, with ENGINE `dask`, `hyperqueue` or `slurm`.

dask: three worker processes; one is killed with `kill -9` while it works. hyperqueue: a server and three workers on this machine; a task is
killed under way and submitted again (its Python package has no worker processes of their own). slurm: a cluster that is there already, as
`sinfo` shows it; a task of the array is killed under way, and the array is submitted again. All run shard 0 twice. Prints as JSON what was
done, and the overhead of a task that does nothing, in milliseconds.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

EMPTY = 300


def shard(worker, folder, size, index, of):
    subprocess.run([worker, "shard", folder, size, str(index), of], check=True)
    return os.getpid()


def nothing(index):
    return index


def run_dask(worker, folder, size, of):
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(nothing, range(EMPTY), pure=False))
        begun = time.perf_counter()
        client.gather(client.map(nothing, range(EMPTY), pure=False))
        overhead = 1000 * (time.perf_counter() - begun) / EMPTY
        processes = {address: info["pid"] for address, info in client.run(lambda: {"pid": os.getpid()}).items()}
        tasks = [client.submit(shard, worker, folder, size, index, of, pure=False, retries=5) for index in [*range(int(of)), 0]]
        killed = None
        while killed is None and not all(task.done() for task in tasks):
            busy = [address for address, keys in client.processing().items() if keys and address in processes]
            if busy and any(task.done() for task in tasks):
                killed = processes[busy[0]]
                os.kill(killed, signal.SIGKILL)
            time.sleep(0.01)
        ran = client.gather(tasks)
        return {"killed": killed is not None, "workers": len({*ran, *processes.values()}), "overhead_ms": overhead}


def children_of(parent, word):
    """The processes that `parent` started with `word` among their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if int(state[1]) == parent and word.encode() in arguments:
            found.append(int(folder.name))
    return found


def run_hyperqueue(worker, folder, size, of):
    from hyperqueue import Job, LocalCluster
    from hyperqueue.cluster import WorkerConfig

    # Tasks write their standard streams to files; the defaults name folders after the job, in the working folder.
    quiet = {"stdout": None, "stderr": None}
    with LocalCluster(str(Path(folder) / "hq")) as cluster:
        for _ in range(3):
            cluster.start_worker(WorkerConfig(cores=1))
        client = cluster.client()
        empty = Job()
        # The client asks once a second: many tasks, so that this does not show.
        for _ in range(5 * EMPTY):
            empty.program(["/bin/true"], **quiet)
        begun = time.perf_counter()
        client.wait_for_jobs([client.submit(empty)])
        overhead = 1000 * (time.perf_counter() - begun) / (5 * EMPTY)
        job = Job(max_fails=None)
        for index in [*range(int(of)), 0]:
            job.program([worker, "shard", folder, size, str(index), of], **quiet)
        submitted = client.submit(job)
        killed = None
        while killed is None:
            children = children_of(os.getpid(), "shard")
            whole = list(Path(folder).glob("*.outcomes"))
            if children and whole:
                killed = children[-1]
                os.kill(killed, signal.SIGKILL)
            elif len(whole) == int(of):
                break
            time.sleep(0.01)
        fine = client.wait_for_jobs([submitted], raise_on_error=False)
        lost = [] if fine else sorted(client.get_failed_tasks(submitted))
        # The whole array again: what is there is skipped.
        again = Job()
        for index in range(int(of)):
            again.program([worker, "shard", folder, size, str(index), of], **quiet)
        client.wait_for_jobs([client.submit(again)])
        return {"killed": bool(lost), "workers": 3, "overhead_ms": overhead}


def run_slurm(worker, folder, size, of):
    def array(count, command):
        out = ["--output", f"{folder}/slurm-%a.txt"]
        job = ["sbatch", "--parsable", "--requeue", "--ntasks=1", f"--array=0-{count - 1}", *out, "--wrap", command]
        return subprocess.run(job, check=True, capture_output=True, text=True).stdout.strip()

    def queued(job):
        left = subprocess.run(["squeue", "--noheader", "--array", "--jobs", job], capture_output=True, text=True).stdout
        return len(left.splitlines())

    def wait(job):
        while queued(job):
            time.sleep(0.05)

    nodes = subprocess.run(["sinfo", "--noheader", "--Node", "--format", "%N"], check=True, capture_output=True, text=True).stdout.split()
    begun = time.perf_counter()
    wait(array(EMPTY // 10, "true"))
    overhead = 1000 * (time.perf_counter() - begun) / (EMPTY // 10)
    command = f"exec {worker} shard {folder} {size} $SLURM_ARRAY_TASK_ID {of}"
    job, killed = array(int(of), command), None
    while killed is None and queued(job):
        running = [pid for pid in processes_of(worker) if list(Path(folder).glob("*.outcomes"))]
        if running:
            killed = running[-1]
            os.kill(killed, signal.SIGKILL)
        time.sleep(0.01)
    wait(job)
    lost = int(of) - len(list(Path(folder).glob("*.outcomes")))
    # The whole array again: what is there is skipped.
    wait(array(int(of), command))
    return {"killed": killed is not None and lost > 0, "workers": len(nodes), "overhead_ms": overhead}


def processes_of(program):
    """The processes that run `program`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().split(b"\0")[:2] == [program.encode(), b"shard"]:
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended
    return found


if __name__ == "__main__":
    engine, worker, folder, size, of = sys.argv[1:]
    run = {"dask": run_dask, "hyperqueue": run_hyperqueue, "slurm": run_slurm}[engine]
    print(json.dumps(run(worker, folder, size, of)))
