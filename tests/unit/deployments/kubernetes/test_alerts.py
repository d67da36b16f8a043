"""The alerts, held against the runbook."""

from __future__ import annotations

import re

from deployments.kubernetes.alerts import RUNBOOK, alert_groups, alert_groups_of_made
from tests.unit.deployments.kubernetes.shipped import ROOT

RULES = alert_groups("plates")[0]["rules"]
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", (ROOT / RUNBOOK).read_text(), re.M | re.S))


def test_every_alert_has_a_section_and_every_section_an_alert():
    assert list(SECTIONS) == [rule["alert"] for rule in RULES]


def test_endpoints_that_the_control_plane_makes_have_the_same_alerts():
    made = alert_groups_of_made()[0]["rules"]
    assert [(rule["alert"], rule["for"]) for rule in made] == [(rule["alert"], rule["for"]) for rule in RULES]
    assert [rule["alert"] for rule in made if "plates" in rule["expr"]] == []


def test_a_section_says_what_is_seen_where_to_look_and_what_to_do():
    for name, text in SECTIONS.items():
        positions = [text.find(f"- **{part}**: ") for part in ("Symptom", "Look at", "Do")]
        assert -1 not in positions, name
        assert positions == sorted(positions), name


def test_sections_name_no_alert_that_there_is_not():
    named = set(re.findall(r"\bSightline[A-Z]\w+", (ROOT / RUNBOOK).read_text()))
    assert named == set(SECTIONS)


def test_an_alert_leads_to_its_section():
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"{RUNBOOK}#{rule['alert'].lower()}"
