"""What etcd and the API server do with objects: versions, watches, finalizers, owners, and the CRD's schema.

Source of the behaviour: Kubernetes' "API concepts" (resource versions, watches, bookmarks, 410), "Garbage collection"
(foreground, owners), and RFC 7386 for merge patches.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tests.k8s.crd_schema import problems

Object = dict[str, Any]
NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")
FOREGROUND = "foregroundDeletion"

# plural -> group/version, kind, longest name
KINDS = {
    "rayservices": ("ray.io/v1", "RayService", 47),  # KubeRay's webhook: 63 less what it appends
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy", 253),
    "ingresses": ("networking.k8s.io/v1", "Ingress", 253),
    "poddisruptionbudgets": ("policy/v1", "PodDisruptionBudget", 253),
    "httproutes": ("gateway.networking.k8s.io/v1", "HTTPRoute", 253),
    "pods": ("v1", "Pod", 253),
    "events": ("v1", "Event", 253),
}


class Refused(Exception):
    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(code, reason, message)
        self.code, self.reason, self.message = code, reason, message


@dataclass(frozen=True)
class Entry:
    version: int
    plural: str
    before: Object | None
    after: Object | None


@dataclass
class Store:
    objects: dict[tuple[str, str], Object] = field(default_factory=dict)  # plural, name
    log: list[Entry] = field(default_factory=list)
    compacted: int = 0
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.versions = itertools.count(1000)
        self.version = next(self.versions)

    def all(self, plural: str, chosen: Callable[[Object], bool] = lambda _: True) -> tuple[list[Object], int]:
        with self.lock:
            found = [copy.deepcopy(item) for (kind, _), item in self.objects.items() if kind == plural]
            return [item for item in found if chosen(item)], self.version

    def get(self, plural: str, name: str) -> Object:
        with self.lock:
            if (plural, name) not in self.objects:
                raise Refused(404, "NotFound", f'{plural} "{name}" not found')
            return copy.deepcopy(self.objects[plural, name])

    def create(self, plural: str, given: Object, *, namespace: str) -> Object:
        with self.lock:
            item = copy.deepcopy(given)
            if plural in ("rayservices", "httproutes", "ingresses"):
                item.pop("status", None)  # a subresource
            metadata = item.setdefault("metadata", {})
            if metadata.setdefault("namespace", namespace) != namespace:
                raise Refused(400, "BadRequest", "the namespace of the object is not that of the path")
            name = metadata.get("name", "")
            if (plural, name) in self.objects:
                raise Refused(409, "AlreadyExists", f'{plural} "{name}" already exists')
            if "resourceVersion" in metadata:
                raise Refused(400, "BadRequest", "resourceVersion should not be set on objects to be created")
            now = _now()
            metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now, "generation": 1}
            self._check(plural, item)
            return self._keep(plural, name, item)

    def patch(self, plural: str, name: str, changes: Object, *, status: bool = False) -> Object:
        with self.lock:
            before = self.get(plural, name)
            given = changes.get("metadata") or {}
            for key in ("resourceVersion", "uid"):
                if key in given and given[key] != before["metadata"][key]:
                    raise Refused(409, "Conflict", f"{plural} {name!r}: {key} is {before['metadata'][key]} by now")
            allowed = (
                {"status": changes.get("status")} if status else {k: v for k, v in changes.items() if k != "status"}
            )
            after = merge_patched(before, allowed)
            return self._update(plural, name, before, after)

    def replace(self, plural: str, name: str, given: Object, *, status: bool = False) -> Object:
        with self.lock:
            before = self.get(plural, name)
            version = (given.get("metadata") or {}).get("resourceVersion")
            if version is not None and version != before["metadata"]["resourceVersion"]:
                raise Refused(409, "Conflict", f"{plural} {name!r} was changed")
            kept = "spec" if status else "status"
            after = {**copy.deepcopy(given), **({kept: before[kept]} if kept in before else {})}
            return self._update(plural, name, before, after)

    def _update(self, plural: str, name: str, before: Object, after: Object) -> Object:
        for key in ("uid", "creationTimestamp", "name", "namespace", "generation", "deletionTimestamp"):
            if key in before["metadata"]:
                after["metadata"][key] = before["metadata"][key]
        after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
        if after == before:
            return before  # nothing happened
        if after.get("spec") != before.get("spec"):
            after["metadata"]["generation"] += 1
        self._check(plural, after)
        if "deletionTimestamp" in after["metadata"] and not after["metadata"].get("finalizers"):
            return self._drop(plural, name)
        return self._keep(plural, name, after)

    def delete(self, plural: str, name: str, *, uid: str | None = None, policy: str = "Background") -> Object:
        with self.lock:
            item = self.get(plural, name)
            if uid is not None and uid != item["metadata"]["uid"]:
                raise Refused(409, "Conflict", "the UID in the precondition is another one")
            if policy == "Foreground":
                finalizers = item["metadata"].setdefault("finalizers", [])
                if FOREGROUND not in finalizers:
                    finalizers.append(FOREGROUND)
            if item["metadata"].get("finalizers"):
                if "deletionTimestamp" in item["metadata"]:
                    return item
                item["metadata"]["deletionTimestamp"] = _now()
                return self._keep(plural, name, item)
            return self._drop(plural, name)

    def collect_garbage(self) -> None:
        """One round of the garbage collector: dependents of what goes or is gone, and then what waited for them."""
        with self.lock:
            living = {item["metadata"]["uid"]: item for item in self.objects.values()}
            for (plural, name), item in list(self.objects.items()):
                owners = item["metadata"].get("ownerReferences") or []
                left = [living[owner["uid"]] for owner in owners if owner["uid"] in living]
                going = [owner for owner in left if FOREGROUND in owner["metadata"].get("finalizers", [])]
                if owners and (not left or len(going) == len(left)) and "deletionTimestamp" not in item["metadata"]:
                    self.delete(plural, name)
            owned = {
                owner["uid"]
                for item in self.objects.values()
                for owner in item["metadata"].get("ownerReferences") or []
            }
            for (plural, name), item in list(self.objects.items()):
                if FOREGROUND in item["metadata"].get("finalizers", []) and item["metadata"]["uid"] not in owned:
                    kept = [each for each in item["metadata"]["finalizers"] if each != FOREGROUND]
                    self.patch(plural, name, {"metadata": {"finalizers": kept or None}})

    def compact(self) -> None:
        """Forget what happened."""
        with self.lock:
            self.compacted = self.version
            self.log.clear()

    def since(self, version: int, plural: str, chosen: Callable[[Object], bool]) -> Iterator[tuple[str, Object]]:
        """Events after a version, as a watch with a selector sees them."""
        with self.lock:
            if version < self.compacted:
                raise Refused(410, "Expired", f"too old resource version: {version} ({self.compacted})")
            entries = [entry for entry in self.log if entry.version > version and entry.plural == plural]
        for entry in entries:
            was = entry.before is not None and chosen(entry.before)
            if entry.after is not None and chosen(entry.after):
                yield "MODIFIED" if was else "ADDED", entry.after
            elif was and entry.before is not None:
                version_now = {"resourceVersion": str(entry.version)}
                yield "DELETED", {**entry.before, "metadata": {**entry.before["metadata"], **version_now}}

    def _keep(self, plural: str, name: str, item: Object) -> Object:
        before = self.objects.get((plural, name))
        self.version = next(self.versions)
        item["metadata"]["resourceVersion"] = str(self.version)
        self.objects[plural, name] = copy.deepcopy(item)
        self._tell(plural, before, item)
        return copy.deepcopy(item)

    def _drop(self, plural: str, name: str) -> Object:
        before = self.objects.pop((plural, name))
        self.version = next(self.versions)
        self._tell(plural, before, None)
        return before

    def _tell(self, plural: str, before: Object | None, after: Object | None) -> None:
        self.log.append(Entry(self.version, plural, copy.deepcopy(before), copy.deepcopy(after)))
        for listener in list(self.listeners):
            listener()

    @staticmethod
    def _check(plural: str, item: Object) -> None:
        api_version, kind, longest = KINDS[plural]
        metadata = item["metadata"]
        name = metadata.get("name", "")
        wrong = []
        if (item.get("apiVersion"), item.get("kind")) != (api_version, kind):
            wrong.append(f"this is no {kind} of {api_version}")
        if not NAME.match(name) or len(name) > longest:
            wrong.append(f"metadata.name: invalid value {name!r}")
        wrong += [
            f"metadata.labels.{key}: {text!r}"
            for key, text in (metadata.get("labels") or {}).items()
            if not LABEL_VALUE.match(text)
        ]
        wrong += [
            f"metadata.annotations.{key}: {text!r}"
            for key, text in (metadata.get("annotations") or {}).items()
            if not isinstance(text, str)
        ]
        if plural == "rayservices":
            wrong += _schema_problems(json.dumps({**item, "metadata": {}}))
        if wrong:
            raise Refused(422, "Invalid", f'{kind} "{name}" is invalid: ' + "; ".join(wrong))


@lru_cache(maxsize=256)
def _schema_problems(text: str) -> list[str]:
    return problems(json.loads(text))


def merge_patched(target: Any, patch: Any) -> Any:
    """RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    made = copy.deepcopy(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merge_patched(made.get(key), value)
    return made


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
