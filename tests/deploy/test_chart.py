"""What the chart renders: valid for Kubernetes, restricted, refused when wrong, and true to the code it runs."""

import base64
import inspect
import itertools
from typing import Any

import pytest

pytest.importorskip("helm_python", reason="the chart is checked by Helm's own library: make chart")
pytest.importorskip("kubernetes_validate", reason="the chart is checked by Kubernetes' own schemas: make chart")

from helm_python import HelmRenderError, HelmValuesError
from helm_python.chart import lint

from contracts.topics import all_topics
from services.generator.__main__ import GRACE_SECONDS
from services.runtime.process import run_until_signal
from sorami.chart_documents import CLASSES
from sorami.documents import notifier_openapi
from tests.support.chart import (
    CHART,
    FULL,
    LEAST,
    NAMESPACE,
    SWITCHES,
    Object,
    faults,
    merged,
    notes,
    pods,
    render,
    versions,
)
from tests.support.postgres import Database

SERVICES = ("gateway", "generator", "persistence", "notifier")
PORTS = {
    "gateway": {"http": 9006, "internal": 9016},
    "generator": {"internal": 9007},
    "persistence": {"internal": 9008},
    "notifier": {"http": 9009, "internal": 9019},
}
# Both decide the same value, or one needs what the other takes away.
APART = {frozenset({"cloudnative-pg", "external-secrets"})}


def one(objects: list[Object], kind: str, name: str) -> Any:
    found = [item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name]
    assert len(found) == 1, (kind, name, [item["metadata"]["name"] for item in objects if item["kind"] == kind])
    return found[0]


def container(objects: list[Object], component: str) -> Any:
    return one(objects, "Deployment", f"{FULL}-{component}")["spec"]["template"]["spec"]["containers"][0]


def environment(container_: Any) -> dict[str, Any]:
    """Return the variables of a container: a value, or (secret, key)."""
    found: dict[str, Any] = {}
    for variable in container_["env"]:
        assert variable["name"] not in found, f"{variable['name']} stands twice"
        if "value" in variable:
            found[variable["name"]] = variable["value"]
        else:
            reference = variable["valueFrom"]["secretKeyRef"]
            found[variable["name"]] = (reference["name"], reference["key"])
    return found


def test_lint_finds_nothing_even_when_strict() -> None:
    report = lint(CHART, merged(LEAST), strict=True, namespace=NAMESPACE, kube_version="v1.30.0")
    assert [message for message in report["messages"] if message["severity"] > 1] == []
    assert report["errors"] == []


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_renders_objects_that_kubernetes_takes(name: str) -> None:
    installed, upgraded = render(SWITCHES[name]), render(SWITCHES[name], upgrade=True)
    objects = installed + [item for item in upgraded if item not in installed]
    assert [fault for item in objects for version in versions() for fault in faults(item, version)] == []
    for made in (installed, upgraded):
        names = [(item["kind"], item["metadata"]["name"]) for item in made]
        assert len(names) == len(set(names)), "two objects have one name"
        assert all(len(item["metadata"]["name"]) <= 63 for item in made)


def test_there_are_at_least_forty_switches() -> None:
    assert len(SWITCHES) >= 40


def test_switches_can_be_combined() -> None:
    names = list(SWITCHES)
    for first, second in zip(names, itertools.islice(itertools.cycle(names), 7, None), strict=False):
        if frozenset({first, second}) not in APART:
            for item in render(SWITCHES[first], SWITCHES[second]):
                assert faults(item, versions()[-1]) == [], (first, second)


def test_a_long_release_name_still_makes_names_that_kubernetes_takes() -> None:
    for item in render(SWITCHES["generators"], {"fullnameOverride": "a" * 60}):
        assert len(item["metadata"]["name"]) <= 63


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "replicas in words": ({"gateway": {"replicas": "two"}}, "/gateway/replicas"),
    "negative replicas": ({"notifier": {"replicas": -1}}, "/notifier/replicas"),
    "more consumers than partitions": ({"notifier": {"replicas": 13}}, "/notifier/replicas"),
    "unknown key": ({"gatway": {}}, "gatway"),
    "unknown key inside": ({"gateway": {"replica": 2}}, "/gateway"),
    "host network": ({"gateway": {"hostNetwork": True}}, "/gateway"),
    "the tag latest": ({"image": {"tag": "latest"}}, "/image/tag"),
    "a short digest": ({"image": {"digest": "sha256:abc"}}, "/image/digest"),
    "an upper-case repository": ({"image": {"repository": "Registry/Sorami"}}, "/image/repository"),
    "a pull policy nobody knows": ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
    "an address without scheme": ({"publicUrl": "sorami.example.com"}, "/publicUrl"),
    "an address with a path": ({"publicUrl": "https://example.com/sorami"}, "/publicUrl"),
    "an exposure nobody knows": ({"exposure": "loadBalancer"}, "/exposure"),
    "an unknown environment": ({"environment": "staging"}, "/environment"),
    "a secret in plain sight": ({"settings": {"GEMINI_API_KEY": "key"}}, "/settings"),
    "a setting nobody reads": ({"settings": {"SORAMI_JOBS": "1"}}, "/settings"),
    "a setting that other values decide": ({"settings": {"KAFKA_BOOTSTRAP_SERVERS": "k:1"}}, "/settings"),
    "an inline secret": ({"secretSettings": {"GEMINI_API_KEY": "key"}}, "/secretSettings/GEMINI_API_KEY"),
    "a secret without key": ({"secretSettings": {"FAL_KEY": {"secret": "x"}}}, "/secretSettings/FAL_KEY"),
    "a password in values": ({"postgres": {"password": "pw"}}, "/postgres"),
    "brokers without port": ({"kafka": {"bootstrapServers": "kafka"}}, "/kafka/bootstrapServers"),
    "an unknown protocol": ({"kafka": {"securityProtocol": "TLS"}}, "/kafka/securityProtocol"),
    "an unknown mechanism": ({"kafka": {"sasl": {"mechanism": "GSSAPI"}}}, "/kafka/sasl/mechanism"),
    "no copy of a topic": ({"kafka": {"replication": 0}}, "/kafka/replication"),
    "a prefix with a space": ({"kafka": {"topicPrefix": "a b"}}, "/kafka/topicPrefix"),
    "resources without limits": ({"generator": {"resources": {"limits": None}}}, "/generator/resources"),
    "memory without a unit Kubernetes knows": (
        {"generator": {"resources": {"limits": {"memory": "4GB"}}}},
        "/generator/resources/limits/memory",
    ),
    "a drain that is cut short": (
        {"generator": {"terminationGracePeriodSeconds": 10}},
        "/generator/terminationGracePeriodSeconds",
    ),
    "KEDA for the gateway": ({"gateway": {"autoscaling": {"type": "keda"}}}, "/gateway/autoscaling/type"),
    "a budget of nothing": ({"gateway": {"podDisruptionBudget": {"maxUnavailable": 0}}}, "maxUnavailable"),
    "a generator without providers": ({"generators": [{"name": "a", "providers": []}]}, "/generators/0/providers"),
    "a provider that is SQL": (
        {"generators": [{"name": "a", "providers": ["x') OR 1=1"]}]},
        "/generators/0/providers/0",
    ),
    "a port out of range": ({"networkPolicy": {"postgres": {"port": 70000}}}, "/networkPolicy/postgres/port"),
    "a bucket without name": ({"s3": {"bucket": ""}}, "/s3/bucket"),
    "null for what is required": ({"postgres": None}, "postgres"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_by_its_path(name: str) -> None:
    values, path = WRONG[name]
    with pytest.raises(HelmValuesError) as refused:
        render(values)
    assert path in str(refused.value)


INCOMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "no image": ({"image": {"repository": ""}}, r"image.repository is required: build the image \(make image\), push"),
    "no address": ({"publicUrl": ""}, "publicUrl is required"),
    "no exposure": ({"exposure": ""}, "exposure is required"),
    "no gateway to attach to": ({"exposure": "httpRoute"}, "httpRoute.parentRefs is required"),
    "no database": ({"postgres": {"existingSecret": ""}}, "postgres.existingSecret is required: kubectl create secret"),
    "no brokers": ({"kafka": {"bootstrapServers": ""}}, "kafka.bootstrapServers is required"),
    "no password for SASL": ({"kafka": {"securityProtocol": "SASL_SSL"}}, "kafka.sasl.existingSecret is required"),
    "a Strimzi user of no cluster": ({"kafka": {"strimzi": {"user": True}}}, "kafka.strimzi.clusterName is required"),
    "a Strimzi user without SASL": (
        {"kafka": {"strimzi": {"user": True, "clusterName": "shared"}}},
        "kafka.securityProtocol must be SASL",
    ),
    "no credentials for the bucket": ({"s3": {"existingSecret": ""}}, "s3.existingSecret is required"),
    "a linger that is cut short": ({"lingerSeconds": 20}, "terminationGracePeriodSeconds is less than lingerSeconds"),
    "most below fewest": (
        {"gateway": {"autoscaling": {"type": "hpa", "minReplicas": 5, "maxReplicas": 2}}},
        "gateway.autoscaling.maxReplicas is below minReplicas",
    ),
    "a provider with two generators": (
        {"generators": [{"name": "a", "providers": ["veo"]}, {"name": "b", "providers": ["veo"]}]},
        "provider veo is named twice",
    ),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_what_is_missing_is_said_with_what_to_do(name: str) -> None:
    values, words = INCOMPLETE[name]
    with pytest.raises(HelmRenderError, match=words):
        render(values)


@pytest.mark.parametrize("name", SWITCHES)
def test_every_pod_is_restricted(name: str) -> None:
    """Pod Security "restricted", hooks and tests included, and no token, no writable root, bounded memory besides."""
    seen = list(pods(render(SWITCHES[name])))
    assert len(seen) >= 5
    for pod_name, pod in seen:
        spec = pod["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec), pod_name
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False, pod_name
        allowed = {
            "configMap",
            "csi",
            "downwardAPI",
            "emptyDir",
            "ephemeral",
            "persistentVolumeClaim",
            "projected",
            "secret",
        }
        assert all(set(volume) - {"name"} <= allowed for volume in spec.get("volumes", []))
        for container_ in spec["containers"] + spec.get("initContainers", []):
            security = container_["securityContext"]
            assert security == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not any("hostPort" in port for port in container_.get("ports", []))
            assert {"cpu", "memory"} <= set(container_["resources"]["requests"]), pod_name
            assert "memory" in container_["resources"]["limits"]
            assert not container_["image"].endswith(":latest")
            assert ":" in container_["image"].rpartition("/")[2]


def test_services_are_spread_budgeted_probed_and_given_time_to_drain() -> None:
    objects = render()
    drain = {
        **dict.fromkeys(SERVICES, inspect.signature(run_until_signal).parameters["grace"].default),
        "generator": GRACE_SECONDS,
    }
    for service in SERVICES:
        deployment = one(objects, "Deployment", f"{FULL}-{service}")
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        budget = one(objects, "PodDisruptionBudget", f"{FULL}-{service}")
        assert budget["spec"]["selector"] == deployment["spec"]["selector"]
        assert budget["spec"]["maxUnavailable"] < deployment["spec"]["replicas"]
        spec = deployment["spec"]["template"]["spec"]
        assert spec["topologySpreadConstraints"][0]["labelSelector"] == deployment["spec"]["selector"]
        main = spec["containers"][0]
        lingers = float(environment(main).get("SORAMI_LINGER_SECONDS", 0))
        assert (lingers > 0) == ("http" in PORTS[service]), "whoever is routed to answers until that is forgotten"
        assert spec["terminationGracePeriodSeconds"] >= lingers + drain[service] + 10
        assert main["livenessProbe"]["httpGet"]["path"] == main["startupProbe"]["httpGet"]["path"] == "/healthz"
        assert main["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert {port["name"]: port["containerPort"] for port in main["ports"]} == PORTS[service]
        assert main["readinessProbe"]["httpGet"]["port"] == next(iter(PORTS[service])), "what people reach is probed"


def test_every_variable_is_a_setting_that_the_service_reads() -> None:
    names = (
        "settings",
        "secrets",
        "moderation",
        "workflows",
        "logins",
        "mutual-tls",
        "own-store",
        "generators",
        "hosts",
    )
    objects = render(*(SWITCHES[name] for name in names), {"kafka": {"topicPrefix": "acme."}})
    known = {
        service: {field.validation_alias for settings in classes for field in settings.model_fields.values()}
        for service, classes in CLASSES.items()
    }
    everything = set().union(*known.values())
    assert set(one(objects, "ConfigMap", f"{FULL}-settings")["data"]) <= everything
    for service in SERVICES:
        own = {f"SORAMI_{service.upper()}_DATABASE_URL"}
        assert set(environment(container(objects, service))) <= known[service] | own, service


def test_defaults_of_ports_are_those_of_the_settings() -> None:
    for service, classes in CLASSES.items():
        fields = classes[0].model_fields
        assert fields["internal_port"].default == PORTS[service]["internal"]
        if "port" in fields:
            assert fields["port"].default == PORTS[service]["http"]


def test_a_number_stays_the_number_it_was() -> None:
    data = one(render(SWITCHES["settings"]), "ConfigMap", f"{FULL}-settings")["data"]
    assert (data["SORAMI_UPLOAD_BYTES_PER_DAY"], data["SORAMI_TAKE_ROLE"]) == ("1073741824", "false")


def test_a_service_gets_only_the_secrets_that_it_reads() -> None:
    objects = render(SWITCHES["secrets"])
    given = {service: environment(container(objects, service)) for service in SERVICES}
    assert given["gateway"]["GEMINI_API_KEY"] == given["generator"]["GEMINI_API_KEY"] == ("providers", "gemini")
    assert given["gateway"]["WEBHOOK_SECRET"] == given["notifier"]["WEBHOOK_SECRET"] == ("webhooks", "legacy")
    assert given["notifier"]["SORAMI_ENCRYPTION_KEYS"] == ("webhooks", "sealing")
    assert not {"GEMINI_API_KEY", "AWS_ACCESS_KEY_ID"} & (set(given["notifier"]) | set(given["persistence"]))
    assert "SORAMI_ENCRYPTION_KEYS" not in given["gateway"]


@pytest.mark.parametrize("name", SWITCHES)
def test_no_password_or_key_is_ever_written_out(name: str) -> None:
    for item in render(SWITCHES[name]):
        if item["kind"] == "Secret":
            # KEDA reads these two from secrets alone though they are none.
            assert set(item["stringData"]) <= {"sasl", "tls", "username"}
            assert base64.b64encode(b"password").decode() not in str(item)


def test_pods_start_again_when_their_settings_change() -> None:
    def annotations(*values: Any) -> Any:
        return one(render(*values), "Deployment", f"{FULL}-gateway")["spec"]["template"]["metadata"]["annotations"]

    assert annotations() == annotations()
    changed = annotations({"settings": {"SORAMI_LOG_LEVEL": "debug"}})
    assert changed["checksum/settings"] != annotations()["checksum/settings"]
    assert annotations(SWITCHES["secrets"])["checksum/secrets"] != annotations()["checksum/secrets"]


def test_the_gateway_answers_to_the_public_name_and_to_its_service() -> None:
    objects = render(SWITCHES["hosts"])
    hosts = one(objects, "ConfigMap", f"{FULL}-settings")["data"]["SORAMI_ALLOW_HOSTS"].split(",")
    assert {"sorami.example.com", f"{FULL}-gateway:9006", f"{FULL}-notifier:9009", "other.example.com"} <= set(hosts)
    assert one(objects, "Service", f"{FULL}-gateway")["spec"]["ports"][0]["port"] == 9006


def test_whatever_the_notifier_serves_under_a_prefix_goes_straight_to_it() -> None:
    rules = one(render(), "Ingress", FULL)["spec"]["rules"][0]["http"]["paths"]
    direct = {rule["path"] for rule in rules if rule["backend"]["service"]["name"].endswith("-notifier")}
    served = {"/".join(path.split("/")[:3]) for path in notifier_openapi()["paths"]}
    assert direct == served | {"/api/events"}


@pytest.mark.parametrize("name", ["hpa", "keda"])
def test_an_autoscaler_alone_decides_how_many(name: str) -> None:
    objects = render(SWITCHES[name])
    scaled = {
        item["spec"]["scaleTargetRef"]["name"]
        for item in objects
        if item["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")
    }
    assert len(scaled) >= 3
    for deployment in (item for item in objects if item["kind"] == "Deployment"):
        assert ("replicas" in deployment["spec"]) == (deployment["metadata"]["name"] not in scaled)


def test_keda_never_measures_generators_by_lag() -> None:
    objects = render(SWITCHES["keda"])
    triggers = {
        service: one(objects, "ScaledObject", f"{FULL}-{service}")["spec"]["triggers"]
        for service in ("generator", "persistence", "notifier")
    }
    assert [trigger["type"] for trigger in triggers["generator"]] == ["postgresql"]
    heard = {trigger["metadata"]["topic"] for trigger in triggers["persistence"]}
    assert heard == {"job.progress", "job.completed", "job.failed", "notification.requested"}
    assert [trigger["metadata"]["consumerGroup"] for trigger in triggers["notifier"]] == ["sorami.notifier"]


def test_every_provider_has_exactly_one_kind_of_generator() -> None:
    from services.generator.settings import GeneratorSettings

    objects = render(SWITCHES["generators"])
    here = {
        name: GeneratorSettings(
            DATABASE_URL="postgresql://h/d",
            SORAMI_GENERATOR_PROVIDERS=environment(container(objects, name))["SORAMI_GENERATOR_PROVIDERS"],
        )
        for name in ("generator", "generator-google", "generator-comfy")
    }
    for provider in ("gemini", "veo", "comfyui", "procedural", "instant", "fal"):
        assert len([name for name, settings in here.items() if settings.runs(provider)]) == 1, provider


def test_kafka_resources_are_the_topics_of_the_code() -> None:
    objects = render(SWITCHES["strimzi-topics"])
    topics = {item["spec"]["topicName"]: item["spec"] for item in objects if item["kind"] == "KafkaTopic"}
    assert set(topics) == {f"acme.{topic.name}" for topic in all_topics()}
    assert topics["acme.job.requested"]["config"]["retention.ms"] == 7 * 86_400_000
    assert not any(item["kind"] == "Job" and "topics" in item["metadata"]["name"] for item in objects)


def hooks(objects: list[Object]) -> dict[str, str]:
    jobs = [item for item in objects if item["kind"] == "Job"]
    return {
        item["metadata"]["name"].removeprefix(f"{FULL}-"): item["metadata"]
        .get("annotations", {})
        .get("helm.sh/hook", "")
        for item in jobs
    }


def test_migrations_come_before_the_new_code_and_clean_up_after_the_old() -> None:
    assert hooks(render()) == {
        "migrate": "pre-install,pre-upgrade",
        "migrate-post": "post-install,post-upgrade",
        "topics": "pre-install,pre-upgrade",
    }
    command = one(render(), "Job", f"{FULL}-migrate")["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[:6] == ["python", "-m", "services.persistence.migrate", "--phase", "pre", "--wait"]


@pytest.mark.parametrize("name", ["cloudnative-pg", "everything-made", "external-secrets", "strimzi"])
def test_what_the_release_makes_itself_is_not_waited_for_by_its_first_hooks(name: str) -> None:
    assert set(hooks(render(SWITCHES[name])).values()) == {""}
    assert "" not in hooks(render(SWITCHES[name], upgrade=True)).values()


def test_the_notes_say_what_to_do_next() -> None:
    said = notes()
    assert "NOBODY CAN SIGN IN YET" in said
    assert "helm test" in said
    complete = {"settings": {"SORAMI_OIDC_ISSUER": "https://i", "SORAMI_OIDC_CLIENT_ID": "c", "SORAMI_OPERATORS": "o"}}
    said = notes(complete, SWITCHES["secrets"], SWITCHES["tested"])
    assert "NOBODY" not in said
    assert "503" not in said
    assert f"helm test acme -n {NAMESPACE}" in said


def test_what_keda_asks_is_answered_by_the_task_table(migrated: Database) -> None:
    objects = render(SWITCHES["keda"], SWITCHES["generators"])
    queries = [
        trigger["metadata"]["query"]
        for item in objects
        if item["kind"] == "ScaledObject"
        for trigger in item["spec"]["triggers"]
        if trigger["type"] == "postgresql"
    ]
    assert len(queries) == 3
    migrated.execute(
        "INSERT INTO sorami.tasks (job_id, kind, owner_id, provider, model, request, state, due_at)"
        " SELECT p || s || d, 'image', 'u', p, 'm', '{}', s, now() + d * interval '1 hour'"
        " FROM unnest(ARRAY['gemini', 'comfyui', 'procedural']) p,"
        " unnest(ARRAY['queued', 'running', 'waiting']) s, unnest(ARRAY[-1, 1]) d"
    )
    # Of each provider: the queued one that is due, and both that run.
    assert [migrated.value(query) for query in queries] == [3, 3, 3]
