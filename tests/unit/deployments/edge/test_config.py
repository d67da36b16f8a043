"""The files of the edge."""

from __future__ import annotations

import pytest

from deployments.edge.config import EdgeConfig


def test_the_first_application_is_the_default_one():
    config = EdgeConfig(port=9001, serve_port=8000, applications={"plates": "/", "doors": "/doors"})
    hosts = dict(line.split() for line in config.host_map().splitlines())
    assert hosts == {
        "localhost": "/",
        "127.0.0.1": "/",
        "::1": "/",
        "[::1]": "/",
        "plates.localhost": "/",
        "doors.localhost": "/doors",
    }


@pytest.mark.parametrize("address", ["127.0.0.2", "127.0.0.1"])
def test_the_address_that_it_listens_on_is_a_host_of_its_own(tmp_path, address):
    config = EdgeConfig(port=9001, serve_port=8000, applications={"plates": "/"}, address=address, control_port=9600)
    assert f"{address} /\n" in config.host_map()
    (apex,) = [line for line in config.text(tmp_path).splitlines() if "acl apex " in line]
    assert apex.split().count(address) == 1


def test_names_of_hosts_are_lower_case():
    config = EdgeConfig(port=9001, serve_port=8000, applications={"Plates": "/p"}, domain="example.org")
    assert "plates.example.org /p\n" in config.host_map()


def test_without_applications_there_is_nothing_to_lead_to():
    with pytest.raises(ValueError, match="at least one application"):
        EdgeConfig(port=9001, serve_port=8000, applications={}).host_map()


def test_it_listens_on_loopback_only(tmp_path):
    config = EdgeConfig(port=9001, serve_port=8000, applications={"plates": "/"}, ipv6=True)
    binds = [line.strip() for line in config.text(tmp_path).splitlines() if line.strip().startswith("bind ")]
    assert binds == ["bind 127.0.0.1:9001", "bind [::1]:9001"]


def test_without_ipv6_it_does_not_ask_for_it(tmp_path):
    config = EdgeConfig(port=9001, serve_port=8000, applications={"plates": "/"})
    assert "[::1]:9001" not in config.text(tmp_path)


def test_writing_makes_the_map_that_the_configuration_names(tmp_path):
    path = EdgeConfig(port=9001, serve_port=8000, applications={"plates": "/"}).write(tmp_path / "edge")
    assert str(tmp_path / "edge" / "hosts.map") in path.read_text()
    assert (tmp_path / "edge" / "hosts.map").read_text().startswith("localhost /\n")


def test_without_a_port_for_grpc_there_is_no_such_door(tmp_path):
    config = EdgeConfig(port=9001, serve_port=8000, applications={"plates": "/"})
    assert "proto h2" not in config.text(tmp_path)


def test_grpc_has_a_port_of_its_own_and_leads_to_applications_by_their_names(tmp_path):
    config = EdgeConfig(
        port=9001,
        serve_port=8000,
        applications={"plates": "/", "doors": "/doors"},
        ipv6=True,
        grpc_port=9002,
        serve_grpc_port=8001,
    )
    text = config.text(tmp_path)
    assert "bind 127.0.0.1:9002 proto h2" in text
    assert "bind [::1]:9002 proto h2" in text
    assert "server serve 127.0.0.1:8001 proto h2" in text
    config.write(tmp_path / "edge")
    assert (tmp_path / "edge" / "applications.map").read_text() == "/ plates\n/doors doors\n"


def test_where_it_speaks_tls_only_this_machine_comes_in_without(tmp_path):
    config = EdgeConfig(
        port=9001, serve_port=8000, applications={"plates": "/"}, address="0.0.0.0", tls_port=9443, grpc_port=9002
    )
    binds = [line.strip() for line in config.text(tmp_path).splitlines() if line.strip().startswith("bind ")]
    shown = f"ssl crt {tmp_path / 'tls.pem'} alpn"
    assert binds == [
        "bind 127.0.0.1:9001",
        f"bind 0.0.0.0:9443 {shown} h2,http/1.1",
        f"bind 0.0.0.0:9002 {shown} h2",
    ]
