"""Commands that tell of the local cloud, or put something there, as whoever types them sees them."""

from __future__ import annotations

import json
from pathlib import Path

import psutil

from tests.cloud import Cloud
from tidemark.local import stores
from tidemark.runs import INCOMING


def test_status_says_what_runs_and_where(cloud: Cloud) -> None:
    found = json.loads(cloud.run("status", "--json").stdout)
    assert found["endpoints"]["api"] == cloud.api
    assert found["processes"].keys() == {"ministack", "redis", "ws_server", "explorer"}
    for process in found["processes"].values():
        assert process["state"] in ("starting", "running")
        assert psutil.pid_exists(process["pid"])
    said = cloud.run("status").stdout
    assert all(word in said for word in (*found["processes"], cloud.api))


def test_doctor_finds_the_cloud_that_runs(cloud: Cloud) -> None:
    found = json.loads(cloud.run("doctor", "--json", check=False).stdout)["this machine"]
    assert {one["what"]: one["words"] for one in found}["local cloud"] == "4 processes run"


def test_drip_sends_batches_and_says_which_are_faulty(cloud: Cloud) -> None:
    s3, bucket = stores.client(cloud.home, "s3"), stores.running(cloud.home)["LakeBucket"]

    def sent() -> dict[str, int]:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=INCOMING).get("Contents", [])
        return {item["Key"]: item["Size"] for item in found}

    before = sent()
    done = cloud.run("drip", "--rows", "50", "--limit", "3", "--faults", "half=1", "--json")
    said = json.loads(done.stdout)
    assert (said["batches"], said["good"], said["half"]) == (3, 2, 1)
    new = {key: size for key, size in sent().items() if key not in before}
    assert (len(new), sum(new.values())) == (3, said["bytes"])
    assert all(f"{Path(key).name}: " in done.stderr for key in new)
    for key in new:
        s3.delete_object(Bucket=bucket, Key=key)


def test_drip_refuses_a_file_that_is_not_there(cloud: Cloud) -> None:
    refused = cloud.run("drip", "--file", "/nowhere.csv", check=False)
    assert (refused.returncode, "there is no file /nowhere.csv" in refused.stderr) == (2, True)
