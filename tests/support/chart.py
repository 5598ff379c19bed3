"""The Helm chart rendered as `helm template` does, by Helm's own library, and what its objects are checked against."""

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "sorami"
CRDS = ROOT / "tests" / "deploy" / "crds.json"
RELEASE, NAMESPACE = "acme", "media"
FULL = f"{RELEASE}-sorami"

Object = dict[str, Any]
Values = dict[str, Any]

LEAST: Values = {
    "image": {"repository": "registry.example.com/sorami"},
    "publicUrl": "https://sorami.example.com",
    "exposure": "ingress",
    "postgres": {"existingSecret": "sorami-postgres"},
    "kafka": {"bootstrapServers": "kafka-1:9092,kafka-2:9092"},
    "s3": {"existingSecret": "sorami-s3"},
}
"""What must be said; everything else has a default."""

_SASL = {"kafka": {"securityProtocol": "SASL_SSL", "sasl": {"existingSecret": "sorami-kafka"}}}
_SERVICES = ("gateway", "generator", "persistence", "notifier")


def _each(**values: Any) -> Values:
    return {service: copy.deepcopy(values) for service in _SERVICES}


SWITCHES: dict[str, Values] = {
    "least": {},
    "digest": {"image": {"registry": "ghcr.example", "digest": f"sha256:{'0' * 64}", "pullPolicy": "Always"}},
    "tag": {"image": {"tag": "1.2.3"}, "imagePullSecrets": ["registry"]},
    "names": {"nameOverride": "media", "commonLabels": {"team": "pictures"}},
    "fullname": {"fullnameOverride": "pictures"},
    "port-in-address": {"publicUrl": "http://sorami.example.com:8080/"},
    "ipv6": {"listenAddress": "::"},
    "settings": {"settings": {"SORAMI_UPLOAD_BYTES_PER_DAY": 1073741824, "SORAMI_TAKE_ROLE": False}},
    "hosts": {"settings": {"SORAMI_ALLOW_HOSTS": "other.example.com"}, "environment": "test"},
    "secrets": {
        "secretSettings": {
            "GEMINI_API_KEY": {"secret": "providers", "key": "gemini"},
            "WEBHOOK_SECRET": {"secret": "webhooks", "key": "legacy"},
            "SORAMI_ENCRYPTION_KEYS": {"secret": "webhooks", "key": "sealing"},
        }
    },
    "moderation": {"moderationWordsConfigMap": "words", "settings": {"SORAMI_MODERATION": "words"}},
    "workflows": {"workflowsConfigMap": "flows", "settings": {"SORAMI_COMFYUI_URL": "http://comfy:8188"}},
    "logins": {"postgres": {"serviceKeys": {"gateway": "GATEWAY", "notifier": "NOTIFIER"}, "caSecret": "pg-ca"}},
    "cloudnative-pg": {"postgres": {"existingSecret": "", "cluster": {"enabled": True}}},
    "cloudnative-pg-sized": {
        "postgres": {
            "existingSecret": "",
            "cluster": {"enabled": True, "instances": 1, "imageName": "pg:18", "storageClass": "fast"},
        }
    },
    "no-migrations": {"migrations": {"enabled": False}},
    "no-topics": {"kafka": {"createTopics": False, "topicPrefix": "acme."}},
    "tls": {"kafka": {"securityProtocol": "SSL", "tls": {"caSecret": "kafka-ca"}}},
    "mutual-tls": {
        "kafka": {
            "securityProtocol": "SSL",
            "tls": {"caSecret": "ca", "clientSecret": "me", "certKey": "user.crt", "keyKey": "user.key"},
        }
    },
    "sasl": _SASL,
    "sasl-plain": {
        "kafka": {"securityProtocol": "SASL_PLAINTEXT", "sasl": {"existingSecret": "k", "mechanism": "PLAIN"}}
    },
    "strimzi": {"kafka": {"bootstrapServers": "", "strimzi": {"cluster": {"enabled": True}}}},
    "strimzi-single": {
        "kafka": {
            "bootstrapServers": "",
            "replication": 1,
            "strimzi": {"cluster": {"enabled": True, "replicas": 1, "version": "4.1.0", "storageClass": "fast"}},
        }
    },
    "strimzi-topics": {"kafka": {"topicPrefix": "acme.", "strimzi": {"clusterName": "shared", "topics": True}}},
    "strimzi-user": {
        "kafka": {"securityProtocol": "SASL_SSL", "strimzi": {"clusterName": "shared", "user": True}},
    },
    "everything-made": {
        "postgres": {"existingSecret": "", "cluster": {"enabled": True}},
        "kafka": {"bootstrapServers": "", "strimzi": {"cluster": {"enabled": True}}},
    },
    "external-secrets": {
        "externalSecrets": [
            {
                "name": "sorami-postgres",
                "storeRef": {"name": "vault", "kind": "ClusterSecretStore"},
                "data": [{"secretKey": "DATABASE_URL", "remoteRef": {"key": "sorami", "property": "url"}}],
            }
        ]
    },
    "workload-identity": {
        "s3": {"existingSecret": "", "workloadIdentity": True},
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/sorami"}},
    },
    "own-store": {"s3": {"endpointUrl": "http://seaweed:8333", "publicEndpointUrl": "https://media.example.com"}},
    "own-account": {"serviceAccount": {"create": False, "name": "robots"}},
    "default-account": {"serviceAccount": {"create": False}},
    "hpa": _each(autoscaling={"type": "hpa"}),
    "keda": _each(autoscaling={"type": "keda"}) | {"gateway": {}},
    "keda-sasl": _SASL
    | {"persistence": {"autoscaling": {"type": "keda"}}, "notifier": {"autoscaling": {"type": "keda"}}},
    "keda-mutual-tls": {
        "kafka": {"securityProtocol": "SSL", "tls": {"caSecret": "ca", "clientSecret": "me"}},
        "persistence": {"autoscaling": {"type": "keda"}},
    },
    "keda-strimzi": {
        "kafka": {"bootstrapServers": "", "strimzi": {"cluster": {"enabled": True}}},
        "notifier": {"autoscaling": {"type": "keda"}},
        "keda": {"postgresSecret": "reader"},
    },
    "generators": {
        "generators": [
            {"name": "google", "providers": ["gemini", "veo"], "replicas": 3},
            {"name": "comfy", "providers": ["comfyui"], "autoscaling": {"type": "keda", "tasksPerPod": 1}},
        ]
    },
    "placed": _each(
        nodeSelector={"pool": "media"},
        tolerations=[{"key": "media", "operator": "Exists"}],
        affinity={"nodeAffinity": {}},
        priorityClassName="high",
        podAnnotations={"a": "b"},
        podLabels={"c": "d"},
        extraEnv=[{"name": "MALLOC_ARENA_MAX", "value": "2"}],
    ),
    "no-budgets": _each(podDisruptionBudget={"enabled": False}),
    "budgets-in-percent": _each(podDisruptionBudget={"maxUnavailable": "30%"}),
    "no-spread": {"topologySpread": {"enabled": False}},
    "spread-over-zones": {
        "topologySpread": {"topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    },
    "ingress-tls": {"ingress": {"className": "nginx", "tlsSecret": "sorami-tls", "annotations": {"a": "b"}}},
    "gateway-api": {
        "exposure": "httpRoute",
        "httpRoute": {"parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}]},
    },
    "load-balancer": {
        "exposure": "none",
        "gateway": {"service": {"type": "LoadBalancer", "annotations": {"a": "b"}}},
        "notifier": {"service": {"type": "NodePort"}},
    },
    "no-policies": {"networkPolicy": {"enabled": False}},
    "narrow-policies": {
        "networkPolicy": {
            "ingressFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "dnsTo": [{"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}, "namespaceSelector": {}}],
            "postgres": {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]},
            "kafka": {"ports": [9094], "to": [{"ipBlock": {"cidr": "10.2.0.0/16"}}]},
            "s3": {"to": [{"ipBlock": {"cidr": "10.3.0.0/16"}}]},
            "generatorTo": [{"to": [{"podSelector": {"matchLabels": {"app": "comfy"}}}], "ports": [8188]}],
            "notifierTo": [{"to": [{"ipBlock": {"cidr": "10.4.0.1/32"}}], "ports": [3000]}],
            "gatewayTo": [{"to": [{"ipBlock": {"cidr": "10.5.0.1/32"}}], "ports": [8443]}],
        }
    },
    "observed": {
        "observability": {
            "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "30s"},
            "rules": {"enabled": True, "labels": {"release": "prometheus"}},
            "dashboard": {"enabled": True, "annotations": {"grafana_folder": "Media"}},
        }
    },
    "some-alerts": {
        "observability": {
            "rules": {
                "enabled": True,
                "disabled": ["SoramiOrphans"],
                "runbookBaseUrl": "https://git.example.com/sorami/blob/main/",
            }
        }
    },
    "tested": {"test": {"existingSecret": "sorami-test", "model": "procedural-1"}},
}
"""What an operator may switch, each by itself; a test renders all of them, and pairs of them."""


def merged(*parts: Mapping[str, Any]) -> Values:
    """Merge values as Helm does: maps by key, everything else by the last one."""
    whole: Values = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(whole.get(key), dict) and isinstance(value, dict)
            whole[key] = merged(whole[key], value) if both else copy.deepcopy(value)
    return whole


@functools.cache
def _chart() -> Any:
    from helm_python import Chart

    return Chart.load(CHART)


def render(*switches: Mapping[str, Any], upgrade: bool = False, least: Mapping[str, Any] = LEAST) -> list[Object]:
    """Render the chart and return its objects, which nobody may change; raises Helm's error for refused values."""
    return _rendered(json.dumps(merged(least, *switches)), upgrade)


@functools.cache
def _rendered(written: str, upgrade: bool) -> list[Object]:
    values = json.loads(written)
    _chart().validate_schema(values)
    made = _chart().render(values, name=RELEASE, namespace=NAMESPACE, is_install=not upgrade, is_upgrade=upgrade)
    return [
        item
        for path, text in made.items()
        if not path.endswith("NOTES.txt")
        for item in yaml.load_all(text, _Loader)
        if item
    ]


def notes(*switches: Mapping[str, Any]) -> str:
    """Render what the chart says after an installation."""
    made = _chart().render(merged(LEAST, *switches), name=RELEASE, namespace=NAMESPACE, is_install=True)
    return str(next(text for path, text in made.items() if path.endswith("NOTES.txt")))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key that stands twice in one map, which YAML readers otherwise take the last of."""


def _unique(loader: Any, node: Any) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(keys) == len(set(keys)), f"a key stands twice: {keys}"
    return dict(yaml.SafeLoader.construct_mapping(loader, node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique)


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Return every pod that these objects make: its name, and metadata with spec."""
    for item in objects:
        name = f"{item['kind']}/{item['metadata']['name']}"
        if item["kind"] == "Pod":
            yield name, item
        elif "template" in item.get("spec", {}):
            yield name, item["spec"]["template"]


@functools.cache
def _definitions(version: str) -> Any:
    from kubernetes_validate.utils import schema_contents
    from referencing import Registry, Resource

    contents = schema_contents(f"kubernetes-json-schema/v{version}-local-strict/_definitions.json", version)
    return Resource.from_contents(contents) @ Registry()


@functools.cache
def _validator(version: str, api_version: str, kind: str) -> Draft202012Validator:
    from kubernetes_validate.utils import schema_contents

    own = json.loads(CRDS.read_text(encoding="utf-8")).get(f"{api_version} {kind}")
    if own is not None:
        return Draft202012Validator(own)
    group, _, number = api_version.rpartition("/")
    name = "-".join(filter(None, [kind.lower(), group.partition(".")[0], number]))
    schema = schema_contents(f"kubernetes-json-schema/v{version}-local-strict/{name}.json", version)
    return Draft202012Validator(schema, registry=_definitions(version))


def versions() -> list[str]:
    """Return the oldest version of Kubernetes that the chart allows and the newest one that is known."""
    from kubernetes_validate.utils import all_versions

    known = [version for version in all_versions() if tuple(map(int, version.split(".")[:2])) >= (1, 30)]
    return [known[0], known[-1]]


def faults(item: Object, version: str) -> list[str]:
    """Say what is wrong with an object by its kind's strict schema; raises FileNotFoundError for an unknown kind."""
    return list(_faults(json.dumps(item, default=str), version))


@functools.cache
def _faults(written: str, version: str) -> tuple[str, ...]:
    # Most objects are the same whatever is switched: each is judged once.
    item = json.loads(written)
    errors = _validator(version, item["apiVersion"], item["kind"]).iter_errors(item)
    name = f"{item['kind']}/{item['metadata']['name']}"
    return tuple(f"{name} {error.json_path}: {error.message[:200]}" for error in errors)
