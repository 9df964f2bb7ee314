# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import ssl
import threading

from ansible_collections.dockyard.trusted_registry.plugins.modules import certificate_files_info as info
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import make

PAIR = make("localhost", names=["localhost"])


def test_keys_come_only_when_asked_for(tmp_path):
    both = tmp_path / "both.pem"
    both.write_text("words\n" + PAIR.pem + PAIR.key_pem())
    assert info.file_facts(str(both), False) == {"path": str(both), "exists": True, "certificates": PAIR.pem}
    assert info.file_facts(str(both), True)["content"] == both.read_text()
    assert info.file_facts(str(tmp_path / "none"), False) == {"path": str(tmp_path / "none"), "exists": False}


def test_served_certificate(tmp_path):
    (tmp_path / "c.pem").write_text(PAIR.pem + PAIR.key_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def answer():
            connection = listener.accept()[0]
            with context.wrap_socket(connection, server_side=True) as session:
                session.recv(1)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        assert info.served(address, 5) == {"address": address, "certificate": PAIR.pem}
        thread.join(5)


def test_nobody_there_is_no_failure():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    assert "refused" in info.served(address, 1)["error"]
    assert info.served("no port", 1)["error"]


def test_missing_accounts():
    assert info.missing_accounts(["root", "0", "", "nobody-here"], info.pwd.getpwnam, "user") == ["user nobody-here"]
    assert info.missing_accounts(["root", "nobody-here"], info.grp.getgrnam, "group") == ["group nobody-here"]
