"""The Kubernetes files are valid by their schemas, closed to the outside, and consistent with each other.

Core kinds are held against the schemas that kubernetes-validate carries; pod templates as Pods. The fields of the Ray
kinds are those that we use, as KubeRay 1.6.2 documents them (its reference of the ray.io/v1 types): no package carries
its schemas.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import ValidationError

import cluster

K8S = Path(cluster.__file__).parent / "k8s"
KUBERNETES = "1.34"
NAMESPACE = "gnosis-ray"
PARTS = {"app.kubernetes.io/part-of": "gnosis-ray"}

Fields = Mapping[str, Any]
"""A kind's fields that may be used: each with a Python type, further fields, or a list of one of them."""

GROUP: Fields = {"rayStartParams": dict, "template": dict}
CLUSTER: Fields = {
    "rayVersion": str,
    "authOptions": {"mode": str, "secretName": str},
    "headGroupSpec": {**GROUP, "serviceType": str},
    "workerGroupSpecs": [{**GROUP, "groupName": str, "replicas": int, "minReplicas": int, "maxReplicas": int}],
}
JOB: Fields = {
    "entrypoint": str,
    "submissionMode": str,
    "shutdownAfterJobFinishes": bool,
    "ttlSecondsAfterFinished": int,
    "preRunningDeadlineSeconds": int,
    "activeDeadlineSeconds": int,
    "backoffLimit": int,
    "rayClusterSpec": CLUSTER,
}
KINDS: Mapping[str, Fields] = {
    "RayCluster": CLUSTER,
    "RayJob": JOB,
    "RayCronJob": {"schedule": str, "suspend": bool, "jobTemplate": JOB},
}
MODES = {"K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"}


def read(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((K8S / name).read_text(encoding="utf-8")))


DOCUMENTS = [(path.name, body) for path in sorted(K8S.glob("*.yaml")) for body in read(path.name)]
CORE = [body for _, body in DOCUMENTS if body["kind"] not in KINDS]
RAY = [body for _, body in DOCUMENTS if body["kind"] in KINDS]


def misfits(value: Any, fields: Any, path: str) -> Iterator[str]:
    """Where a value is not made of these fields."""
    if isinstance(fields, Mapping):
        if not isinstance(value, dict):
            yield f"{path}: Expected fields"
            return
        for name, inner in value.items():
            if name in fields:
                yield from misfits(inner, fields[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}: unknown"
        yield from (f"{path}.{name}: missing" for name in fields if name not in value)
    elif isinstance(fields, list):
        for number, inner in enumerate(value):
            yield from misfits(inner, fields[0], f"{path}[{number}]")
    elif type(value) is not fields:
        yield f"{path}: Expected {fields.__name__}, was {value!r}"


def spec_of(kind: str) -> dict[str, Any]:
    """The cluster's specification in the file of a kind."""
    (body,) = (body for body in RAY if body["kind"] == kind)
    spec: dict[str, Any] = body["spec"]
    for outer in ("jobTemplate", "rayClusterSpec"):
        spec = spec.get(outer, spec)
    return spec


def groups(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [spec["headGroupSpec"], *spec["workerGroupSpecs"]]


TEMPLATES = [group["template"] for kind in KINDS for group in groups(spec_of(kind))]


def as_pod(template: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", **template}


@pytest.mark.parametrize("body", CORE, ids=lambda body: body["metadata"]["name"])
def test_core_kinds_fit_their_schemas(body: dict[str, Any]) -> None:
    kubernetes_validate.validate(body, KUBERNETES, strict=True)


@pytest.mark.parametrize("template", TEMPLATES)
def test_pod_templates_fit_the_schema_of_a_pod(template: dict[str, Any]) -> None:
    kubernetes_validate.validate(as_pod(template), KUBERNETES, strict=True)


def test_the_schemas_reject_an_unknown_field() -> None:
    with pytest.raises(ValidationError, match="hostNetwrk"):
        kubernetes_validate.validate(as_pod(TEMPLATES[0]) | {"spec": {"hostNetwrk": True}}, KUBERNETES, strict=True)


@pytest.mark.parametrize("body", RAY, ids=lambda body: body["kind"])
def test_ray_kinds_have_the_fields_of_kuberay(body: dict[str, Any]) -> None:
    assert body["apiVersion"] == "ray.io/v1"
    assert list(misfits(body["spec"], KINDS[body["kind"]], body["kind"])) == []


def test_the_check_of_fields_can_fail() -> None:
    wrong = {"schedule": 5, "jobTemplate": {}, "timezone": "UTC"}
    messages = list(misfits(wrong, KINDS["RayCronJob"], "it"))
    assert "it.schedule: Expected str, was 5" in messages
    assert {"it.timezone: unknown", "it.suspend: missing", "it.jobTemplate.entrypoint: missing"} < set(messages)


def test_everything_is_in_one_restricted_namespace() -> None:
    (namespace,) = (body for body in CORE if body["kind"] == "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = [body for _, body in DOCUMENTS if body is not namespace and body["kind"] != "Namespace"]
    assert {body["metadata"]["namespace"] for body in others} == {namespace["metadata"]["name"]} == {NAMESPACE}


@pytest.mark.parametrize("kind", KINDS)
def test_ray_is_ours_and_asks_for_the_token(kind: str) -> None:
    spec = spec_of(kind)
    assert spec["rayVersion"] == version("ray")
    assert spec["authOptions"] == {"mode": "token", "secretName": "gnosis-ray-token"}
    assert spec["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert {group["template"]["spec"]["containers"][0]["image"] for group in groups(spec)} == {
        f"gnosis-ray:{version('gnosis-ray')}"
    }


def test_no_secret_has_a_value_here() -> None:
    assert "Secret" not in {body["kind"] for _, body in DOCUMENTS}
    assert not any(re.search(r"stringData|auth_token:", path.read_text()) for path in K8S.glob("*.yaml"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_pods_have_minimal_privileges(template: dict[str, Any]) -> None:
    pod = template["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"] == container["resources"]["limits"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}
    assert mounts["market"]["readOnly"] is True


def test_the_three_kinds_run_the_same_cluster() -> None:
    standing, once, nightly = (copy.deepcopy(spec_of(kind)) for kind in KINDS)
    assert once == nightly
    assert standing["headGroupSpec"]["rayStartParams"].pop("dashboard-host") == "127.0.0.1"
    assert once["headGroupSpec"]["rayStartParams"].pop("dashboard-host") == "0.0.0.0"  # noqa: S104 - see the policies
    assert standing == once


def test_the_nightly_job_runs_one_scan() -> None:
    once, nightly = (next(body["spec"] for body in RAY if body["kind"] == kind) for kind in ("RayJob", "RayCronJob"))
    assert nightly["jobTemplate"] == once
    assert once["submissionMode"] in MODES
    assert len(nightly["schedule"].split()) == 5
    assert once["backoffLimit"] == 0
    assert once["entrypoint"].startswith("gnosis-ray scan ")
    paths = {mount["mountPath"] for mount in TEMPLATES[0]["spec"]["containers"][0]["volumeMounts"]}
    assert {word for word in once["entrypoint"].split() if word.startswith("/data")} <= paths


def test_volumes_are_claimed_for_many_nodes() -> None:
    claims = {body["metadata"]["name"]: body["spec"] for body in CORE if body["kind"] == "PersistentVolumeClaim"}
    wanted = {
        volume["persistentVolumeClaim"]["claimName"]
        for template in TEMPLATES
        for volume in template["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert set(claims) == wanted
    assert all(claim["accessModes"] == ["ReadWriteMany"] for claim in claims.values())


def test_only_nodes_and_the_operator_may_connect() -> None:
    policies = {body["metadata"]["name"]: body["spec"] for body in CORE if body["kind"] == "NetworkPolicy"}
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert all(template["metadata"]["labels"] == PARTS for template in TEMPLATES)
    nodes = {"podSelector": {"matchLabels": PARTS}}
    within = policies["within-the-cluster"]
    assert within["podSelector"] == nodes["podSelector"]
    assert within["ingress"] == [{"from": [nodes]}]
    assert [rule.get("ports") is None for rule in within["egress"]] == [True, False]
    assert {port["port"] for port in within["egress"][1]["ports"]} == {53}
    (rule,) = policies["operator-to-dashboard"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8265]
    (operator,) = rule["from"]
    assert set(operator) == {"namespaceSelector", "podSelector"}, "two entries would admit each by itself"
    assert set(policies) == {"deny-all", "within-the-cluster", "operator-to-dashboard"}
