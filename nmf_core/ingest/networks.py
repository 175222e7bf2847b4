"""Networks: GraphML, GML and node-link JSON, as a symmetric adjacency matrix."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nmf_core.ingest.columns import parse_number
from nmf_core.ingest.decode import to_utf8
from nmf_core.ingest.links import network
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.talk import Talk

_WEIGHTS = ("weight", "value", "weights", "Weight")
_NAMES = ("label", "name", "Label", "id")
_PLACE = {"latitude": ("latitude", "lat"), "longitude": ("longitude", "lon", "lng")}


def read_graphml(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read GraphML; documents that define entities are refused unread."""
    import networkx as nx

    body = bytes(data)
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Refused(
            "damaged",
            "The GraphML file is damaged or unsafe: it defines entities",
            hint="Save it again without a DOCTYPE",
        )
    try:
        graph = nx.read_graphml(io.BytesIO(body), force_multigraph=True)
    except Exception as error:  # ParseError, NetworkXError, KeyError, ValueError …
        raise Refused("damaged", "The GraphML file is damaged", str(error)[:80], "Save it again") from error
    return _from_graph(graph, talk)


def read_gexf(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read GEXF, as Gephi writes it; documents that define entities are refused unread."""
    import networkx as nx

    body = bytes(data)
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Refused(
            "damaged", "The GEXF file is damaged or unsafe: it defines entities", hint="Save it again without a DOCTYPE"
        )
    try:
        graph = nx.read_gexf(io.BytesIO(body))
    except Exception as error:  # ParseError, NetworkXError, KeyError, ValueError …
        raise Refused("damaged", "The GEXF file is damaged", str(error)[:80], "Save it again, or as GraphML") from error
    return _from_graph(graph, talk)


def read_gml(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read GML, by labels where they are unique, else by ids."""
    import networkx as nx

    lines = bytes(to_utf8(data, talk)).decode("utf-8").splitlines()
    try:
        try:
            graph = nx.parse_gml(lines, label="label")
        except nx.NetworkXError:
            graph = nx.parse_gml(lines, label="id")
    except Exception as error:
        raise Refused("damaged", "The GML file is damaged", str(error)[:80], "Save it again") from error
    return _from_graph(graph, talk)


def read_pajek(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read a Pajek network (*Vertices, *Arcs, *Edges)."""
    import networkx as nx

    try:
        graph = nx.parse_pajek(bytes(to_utf8(data, talk)).decode("utf-8").splitlines())
    except Exception as error:  # ValueError, IndexError, KeyError, NetworkXError …
        raise Refused("damaged", "The Pajek file is damaged", str(error)[:80], "Save it again") from error
    for _, attributes in graph.nodes(data=True):
        attributes.pop("id", None)  # a running number; the node itself is the name
    return _from_graph(graph, talk)


def from_node_link(value: Mapping[str, Any], talk: Talk) -> Raw:
    """Read {"nodes": [{"id": …}], "links": [{"source": …, "target": …}]}."""
    links = value.get("links", value.get("edges"))
    if links is None:
        links = _from_adjacency(value)
    nodes: dict[Any, Mapping[str, Any]] = {}
    for position, node in enumerate(value["nodes"]):
        attributes = node if isinstance(node, Mapping) else {"id": node}
        nodes[attributes.get("id", attributes.get("name", position))] = attributes
    edges = []
    for link in links or []:
        if not isinstance(link, Mapping) or "source" not in link or "target" not in link:
            raise Refused("json-shape", "A link has no source or no target", hint="Save the network as GraphML")
        edges.append((link["source"], link["target"], link))
    return _build(nodes, edges, talk)


def _from_adjacency(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn one list of neighbours per node, as NetworkX writes it, into links."""
    links = []
    for node, neighbours in zip(value["nodes"], value["adjacency"], strict=False):
        source = node.get("id") if isinstance(node, Mapping) else node
        links += [
            {**other, "source": source, "target": other["id"]}
            for other in (neighbours if isinstance(neighbours, list) else [])
            if isinstance(other, Mapping) and "id" in other
        ]
    return links


def _from_graph(graph: Any, talk: Talk) -> Raw:
    return _build(dict(graph.nodes(data=True)), list(graph.edges(data=True)), talk)


def _build(nodes: dict[Any, Mapping[str, Any]], edges: list[tuple[Any, Any, Mapping[str, Any]]], talk: Talk) -> Raw:
    if not edges:
        raise Refused(
            "no-rows", f"The network has {len(nodes):,} nodes and no links", hint="Choose a file that holds links"
        )
    names = _node_names(nodes)
    known = edges[:1000]
    key = next((w for w in _WEIGHTS if all(_as_number(data.get(w)) is not None for _, _, data in known)), None)
    weights = np.array([_weight(data.get(key)) for _, _, data in edges]) if key else np.ones(len(edges))
    if key is None and (unused := _numbers_of(known)):
        talk.note("links-alike", f"Every link counts 1: none has a weight. Not used: {', '.join(unused)[:100]}.")
    raw = network(
        [names.get(a, str(a)) for a, _, _ in edges],
        [names.get(b, str(b)) for _, b, _ in edges],
        weights,
        talk,
        weighted=key is not None,
        nodes=list(names.values()),
    )
    back = {name: nodes[node] for node, name in names.items()}
    attributes = [back.get(str(name), {}) for name in raw.rows]
    labels, extra = {}, {}
    for field in dict.fromkeys(k for a in attributes[:500] for k in a):
        values = [a.get(field) for a in attributes]
        texts = ["" if v is None else str(v)[:100] for v in values]
        place = next((k for k, v in _PLACE.items() if str(field).lower() in v), None)
        if place and all(_is_number(v) for v in values):
            extra[place] = np.array([float(v) for v in values if v is not None])
        elif field not in _NAMES and 2 <= len(set(texts)) <= min(50, max(2, len(texts) // 2)):
            labels[str(field)[:60]] = np.array(texts, dtype=np.str_)
    if labels:
        talk.note("labels", f"Set aside as labels: {', '.join(list(labels)[:5])}.")
    return raw.with_(labels=labels, extra=extra)


def _node_names(nodes: dict[Any, Mapping[str, Any]]) -> dict[Any, str]:
    for field in _NAMES:
        names = {node: str(data.get(field, "")) for node, data in nodes.items()}
        if all(names.values()) and len(set(names.values())) == len(names):
            return names
    return {node: str(node) for node in nodes}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_number(value: Any) -> float | None:
    """Return a number, also one that is written as text."""
    if isinstance(value, str):
        number = parse_number(value)
        return None if number != number else number
    return float(value) if _is_number(value) else None


def _weight(value: Any) -> float:
    number = _as_number(value)
    return 1.0 if number is None else number


def _numbers_of(edges: Sequence[tuple[Any, Any, Mapping[str, Any]]]) -> list[str]:
    """Return the attributes that hold a number for each link, and no running number."""
    names = [name for name in edges[0][2] if str(name).lower() not in ("id", "key", "source", "target")]
    return [str(name) for name in names if all(_is_number(data.get(name)) for _, _, data in edges)][:5]
