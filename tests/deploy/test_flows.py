"""The rendered NetworkPolicies read as a graph: what may flow is exactly the table of the chart's README."""

from typing import Any

import pytest

pytest.importorskip("helm_python", reason="the chart is checked by Helm's own library: make chart")

from tests.support.chart import SWITCHES, Object, merged, pods, render

CIDRS = {"10.1.0.0/16": "postgres", "10.2.0.0/16": "kafka", "10.3.0.0/16": "s3", "0.0.0.0/0": "internet"}
CIDRS |= {"::/0": "internet", "10.4.0.1/32": "receiver", "10.5.0.1/32": "issuer"}
Flow = tuple[str, str, int]

TABLE: set[Flow] = {
    ("outside", "gateway", 9006),
    ("outside", "notifier", 9009),
    ("gateway", "postgres", 5432),
    ("gateway", "kafka", 9094),
    ("gateway", "s3", 443),
    ("gateway", "internet", 443),
    ("gateway", "notifier", 9009),
    ("generator", "postgres", 5432),
    ("generator", "kafka", 9094),
    ("generator", "s3", 443),
    ("generator", "internet", 443),
    ("persistence", "postgres", 5432),
    ("persistence", "kafka", 9094),
    ("notifier", "postgres", 5432),
    ("notifier", "kafka", 9094),
    ("notifier", "internet", 443),
    ("migrate", "postgres", 5432),
    ("topics", "kafka", 9094),
    ("test", "gateway", 9006),
    ("test", "notifier", 9009),
}
OF_VALUES: set[Flow] = {
    ("monitoring", "gateway", 9016),
    ("monitoring", "notifier", 9019),
    ("monitoring", "generator", 9007),
    ("monitoring", "persistence", 9008),
    ("generator", "comfy", 8188),
    ("notifier", "receiver", 3000),
    ("gateway", "issuer", 8443),
}
"""What `narrow-policies` allows besides."""
PODS = {"gateway", "generator", "persistence", "notifier", "migrate", "topics", "test"}


def selects(selector: Any, labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def peers(peer: Any, ours: dict[str, dict[str, str]]) -> set[str]:
    """Return who is meant by a peer: pods of ours by name, others by what the test calls them."""
    if "ipBlock" in peer:
        return {CIDRS[peer["ipBlock"]["cidr"]]}
    if "namespaceSelector" in peer:
        name = peer["namespaceSelector"].get("matchLabels", {}).get("kubernetes.io/metadata.name")
        return {{"ingress": "outside", "monitoring": "monitoring", None: "dns"}[name]}
    if peer["podSelector"].get("matchLabels") == {"app": "comfy"}:
        return {"comfy"}
    found = {name for name, labels in ours.items() if selects(peer["podSelector"], labels)}
    assert found, f"nobody is meant by {peer}"
    return found


def graph(objects: list[Object]) -> set[Flow]:
    """Return what may flow between our pods and the world: both ends must allow it where both are ours."""
    ours = {
        pod["metadata"]["labels"]["sorami.io/flows"]: pod["metadata"]["labels"]
        for _, pod in pods(objects)
        if "sorami.io/flows" in pod["metadata"]["labels"]
    }
    assert set(ours) == PODS
    allowed: dict[str, set[Flow]] = {"ingress": set(), "egress": set()}
    isolated: dict[str, set[str]] = {"ingress": set(), "egress": set()}
    for policy in (item for item in objects if item["kind"] == "NetworkPolicy"):
        subjects = {name for name, labels in ours.items() if selects(policy["spec"]["podSelector"], labels)}
        assert subjects, policy["metadata"]["name"]
        for way, peers_key in (("ingress", "from"), ("egress", "to")):
            if way.capitalize() in policy["spec"]["policyTypes"]:
                isolated[way] |= subjects
            for rule in policy["spec"].get(way, []):
                others = set().union(*(peers(peer, ours) for peer in rule.get(peers_key, []))) or {"anybody"}
                for port in (entry["port"] for entry in rule["ports"]):
                    allowed[way] |= {
                        (other, subject, port) if way == "ingress" else (subject, other, port)
                        for subject in subjects
                        for other in others
                    }
    assert isolated == {"ingress": PODS, "egress": PODS}, "somebody is not denied by default"
    inside = {flow for flow in allowed["egress"] if flow[1] in ours}
    assert inside <= allowed["ingress"], "one end allows what the other refuses"
    assert {flow for flow in allowed["ingress"] if flow[0] in ours} <= inside
    return allowed["ingress"] | allowed["egress"]


def test_what_may_flow_is_exactly_the_table() -> None:
    flows = graph(render(SWITCHES["narrow-policies"]))
    assert {flow for flow in flows if flow[1] != "dns"} == TABLE | OF_VALUES
    assert {flow[0] for flow in flows if flow[1:] == ("dns", 53)} == PODS


def test_generators_of_certain_providers_have_the_flows_of_a_generator() -> None:
    flows = graph(render(merged(SWITCHES["narrow-policies"], SWITCHES["generators"])))
    assert {flow for flow in flows if flow[1] != "dns"} == TABLE | OF_VALUES


def test_the_internet_is_never_a_private_address() -> None:
    for item in render():
        for rule in item["spec"].get("egress", []) if item["kind"] == "NetworkPolicy" else []:
            for block in (peer["ipBlock"] for peer in rule.get("to", []) if "ipBlock" in peer):
                wanted = {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"}
                assert ":" in block["cidr"] or wanted <= set(block["except"])


def test_servers_that_the_release_makes_are_reached_by_their_labels() -> None:
    objects = render(SWITCHES["everything-made"])
    (policy,) = [
        item for item in objects if item["metadata"]["name"].endswith("-persistence") and "egress" in item["spec"]
    ]
    labels = [peer["podSelector"]["matchLabels"] for rule in policy["spec"]["egress"][1:] for peer in rule["to"]]
    assert labels == [{"cnpg.io/cluster": "acme-sorami-postgres"}, {"strimzi.io/cluster": "acme-sorami-kafka"}]
